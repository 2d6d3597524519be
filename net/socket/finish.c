// The end of a program that used sockets: descriptors are closed, and what was sent gets out.
// SPDX-License-Identifier: MIT
//
// On other systems the kernel outlives the program and sends the rest. Programs that use lwIP's raw API alone
// have callbacks that tell them what has arrived; they do not link this file.
#include "../device/device.h"
#include "../device/interface.h"
#include "../lwip/socket_state.h"
#include "../tcp/tcp.h"
#include "file.h"
#include "socket.h"

#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

enum { FINISH_SECONDS = 5 }; // a peer may have gone for ever

// A descriptor stays as long as a call is under way; what is none may be in one.
static void sockets_end(void)
{
    for (int descriptor = 0; descriptor < BM_FILES_MAX; descriptor++) {
        struct bm_socket *socket;
        if (bm_socket_acquire(descriptor, &socket) != 0)
            continue;
        bm_socket_release(socket);
        bm_file_close(descriptor);
    }
    bm_net_lock();
    bm_net_socket_end_all();
    bm_net_unlock();
}

static bool frames_unfinished(void)
{
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        const struct bm_netqueue *queue = bm_net_interfaces[i]->netqueue;
        if (bm_net_interfaces[i]->waiting || queue->transmitted != queue->transmit_completed)
            return true;
    }
    return false;
}

static bool finished(void *arg)
{
    unsigned *connections = arg;
    bm_net_lock();
    *connections = bm_net_tcp_unfinished();
    bool done = *connections == 0 && !frames_unfinished();
    bm_net_unlock();
    return done;
}

void bm_net_finish(void)
{
    unsigned connections;
    if (bm_net_locked_here()) // in a callback of lwIP: nothing can be waited for
        return;
    sockets_end();
    uint64_t deadline = bm_time_monotonic() + FINISH_SECONDS * 1000000000ull;
    if (!bm_wait_until(finished, &connections, deadline) && connections)
        bm_log_warn("net", "the program ended; connections whose data was not acknowledged within %u s: %u",
                    FINISH_SECONDS, connections);
}
