// Turns: what of a socket one context at a time does, and how long the others wait for it.
// SPDX-License-Identifier: MIT
#include "socket.h"
#include "wait/hooks.h"

#include <baremetal/time.h>

uint64_t bm_socket_deadline(const struct bm_socket *socket, int flags, uint64_t time)
{
    if (bm_socket_is_nonblocking(socket, flags))
        return 0;
    return time ? bm_time_monotonic() + time : UINT64_MAX;
}

static bool is_free(void *arg)
{
    const struct bm_socket_turn *turn = arg;
    return !__atomic_load_n(&turn->taken, __ATOMIC_SEQ_CST);
}

int bm_socket_turn_take(struct bm_socket_turn *turn, uint64_t deadline)
{
    int error = 0;
    while (!error && __atomic_exchange_n(&turn->taken, true, __ATOMIC_SEQ_CST))
        error = bm_wait_signal(&turn->waiting, is_free, turn, deadline);
    return error;
}

void bm_socket_turn_give(struct bm_socket_turn *turn)
{
    BM_ASSERT_HERE(turn->taken, "who gives a turn back has it");
    __atomic_store_n(&turn->taken, false, __ATOMIC_SEQ_CST);
    bm_waitqueue_wake_one(&turn->waiting);
}
