// The calls of <baremetal/vsock.h>, and what the end of a program waits for.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_vsock.h"

#include <baremetal/assert.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

enum { BACKLOG = 128 }; // connections of 64 KiB each that nobody has accepted yet

int bm_vsock_socket(int type, int protocol)
{
    BM_ASSERT_MAY_WAIT();
    int flags = type & (BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC);
    if (protocol != 0 && protocol != BM_AF_VSOCK)
        return -BM_EPROTONOSUPPORT;
    if ((type & ~flags) != BM_SOCK_STREAM)
        return -BM_ESOCKTNOSUPPORT;
    struct vsock *made = bm_vsock_make(flags & BM_SOCK_NONBLOCK);
    if (!made)
        return -BM_ENOMEM;
    int descriptor = bm_file_install(&made->file, 0);
    if (descriptor < 0)
        bm_vsock_close_fresh(made);
    else if (flags & BM_SOCK_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

// The socket of a descriptor, with a reference, or an error.
static int acquire(int descriptor, struct bm_file **file)
{
    *file = bm_file_acquire(descriptor);
    if (!*file)
        return -BM_EBADF;
    if ((*file)->ops == &bm_vsock_ops)
        return 0;
    bm_file_release(*file);
    return -BM_ENOTSOCK;
}

// A descriptor for which a step fails is closed again.
static int made(int descriptor, int (*step)(struct bm_file *file, const void *arg), const void *arg)
{
    struct bm_file *file;
    if (descriptor < 0)
        return descriptor;
    int error = acquire(descriptor, &file);
    if (!error) {
        error = step(file, arg);
        bm_file_release(file);
    }
    if (error)
        bm_file_close(descriptor);
    return error ? error : descriptor;
}

static int connect_step(struct bm_file *file, const void *arg)
{
    int error = bm_vsock_connect_file(file, arg, sizeof(struct bm_vsock_address));
    return error == -BM_ERESTART ? -BM_EINTR : error;
}

static int listen_step(struct bm_file *file, const void *arg)
{
    int error = bm_vsock_bind(file, arg, sizeof(struct bm_vsock_address));
    return error ? error : bm_vsock_listen_file(file, BACKLOG);
}

int bm_vsock_connect(uint32_t cid, uint32_t port)
{
    const struct bm_vsock_address to = {.family = BM_AF_VSOCK, .port = port, .cid = cid};
    return made(bm_vsock_socket(BM_SOCK_STREAM, 0), connect_step, &to);
}

int bm_vsock_listen(uint32_t port)
{
    const struct bm_vsock_address at = {.family = BM_AF_VSOCK, .port = port, .cid = BM_VSOCK_ANY};
    return made(bm_vsock_socket(BM_SOCK_STREAM, 0), listen_step, &at);
}

// The descriptor comes first: without one no connection is taken.
int bm_vsock_accept(int descriptor, struct bm_vsock_address *peer)
{
    struct bm_file *file, *taken = NULL;
    uint32_t size = sizeof *peer;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    int accepted = bm_file_reserve();
    if (accepted >= 0) {
        error = bm_vsock_accept_file(file, peer, &size, 0, &taken);
        bm_file_fill(accepted, error ? NULL : taken);
    }
    bm_file_release(file);
    return accepted < 0 ? accepted : error == -BM_ERESTART ? -BM_EINTR : error ? error : accepted;
}

int bm_vsock_shutdown(int descriptor, int how)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    error = bm_vsock_shutdown_file(file, how);
    bm_file_release(file);
    return error;
}

int64_t bm_vsock_port(int descriptor)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    int64_t port = bm_vsock_of(file)->port;
    bm_file_release(file);
    return port;
}

int64_t bm_vsock_cid(void)
{
    int64_t cid = atomic_load(&bm_vsock.cid);
    return cid ? cid : -BM_ENODEV;
}

// --- The end of a program ---

// By the linker in the place of bm_net_finish (base/start.h), which every C library's end of a program calls
// where there is one. Images with baremetal::profile have its, which calls bm_vsock_finish, too.
void __real_bm_net_finish(void) __attribute__((weak));
void __wrap_bm_net_finish(void) __attribute__((weak));
void bm_vsock_finish(void);

static void connections_shut(void)
{
    bm_vsock_lock();
    bm_vsock.finishing = true;
    for (struct vsock *at = bm_vsock.all; at; at = at->next) {
        if (at->state == VSOCK_CONNECTED && !at->closed) {
            at->shut = VSOCK_SHUT_BOTH; // bytes that still come are passed over
            bm_vsock_owe(at, VSOCK_SHUTDOWN);
            bm_vsock_changed(at, 0);
        }
    }
    bm_vsock_unlock();
}

// A peer answers the end of both ways by a reset, once it has all.
static bool finished(void *arg)
{
    unsigned *connections = arg;
    *connections = 0;
    bm_vsock_lock();
    for (const struct vsock *at = bm_vsock.all; at; at = at->next)
        *connections += at->state == VSOCK_CONNECTED || at->owes;
    bm_vsock_unlock();
    return *connections == 0 || bm_vsock.device->broken;
}

void bm_vsock_finish(void)
{
    static const uint64_t patience = 5000000000; // ns
    unsigned connections;
    if (!bm_vsock.device || bm_vsock.device->broken)
        return;
    connections_shut();
    if (!bm_wait_until(finished, &connections, bm_time_monotonic() + patience))
        bm_log_warn(bm_vsock.device->device.name,
                    "the program ended; connections whose peer did not answer: %u", connections);
}

void __wrap_bm_net_finish(void)
{
    bm_vsock_finish();
    if (__real_bm_net_finish)
        __real_bm_net_finish();
}
