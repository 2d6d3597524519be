// Signals that are read from a descriptor.
// SPDX-License-Identifier: MIT
//
// As for Linux, what is readable is what is pending of the thread that asks, and of the process.
#include "../file/service.h"
#include "../wait/hooks.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/file_watch.h>
#include <baremetal/waitqueue.h>

struct signalfd {
    struct bm_file file; // first
    _Atomic(uint64_t) mask;
    struct bm_waitqueue readers;
    struct bm_file_watchers watchers;
    struct signalfd *next, **place; // among all
};

// Linux' struct signalfd_siginfo.
struct information {
    uint32_t signal;
    int32_t error, code;
    uint32_t process, user;
    int32_t descriptor;
    uint32_t timer, band, overrun, trap;
    int32_t status, integer;
    uint64_t pointer, user_time, system_time, address;
    uint64_t rest[6];
};
_Static_assert(sizeof(struct information) == 128, "Linux' layout");

static struct signalfd *all;
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of the list

static struct signalfd *signalfd_of(struct bm_file *file)
{
    return (struct signalfd *)file; // its first member
}

static bool is_readable(void *arg)
{
    struct signalfd *signalfd = arg;
    return bm_linux_signal_is_pending(bm_linux_signals_self(), atomic_load(&signalfd->mask));
}

static int signalfd_poll(struct bm_file *file)
{
    return is_readable(signalfd_of(file)) ? BM_POLLIN : 0;
}

void bm_linux_signalfd_tell(uint64_t set)
{
    bm_spinlock_acquire(&lock);
    for (struct signalfd *at = all; at; at = at->next) {
        if (!(atomic_load(&at->mask) & set))
            continue;
        bm_waitqueue_wake_all(&at->readers); // it may be pending of one thread alone
        bm_file_changed(&at->watchers, BM_POLLIN);
    }
    bm_spinlock_release(&lock);
}

static struct information information_of(const struct bm_linux_signal *what)
{
    struct information told = {
        .signal = (uint32_t)what->signal, .error = what->error, .code = what->code, .descriptor = 0};
    if (what->code > LINUX_SI_USER && what->code != LINUX_SI_KERNEL) { // a fault of the program
        told.address = what->words[0];
        return told;
    }
    if (what->code == LINUX_SI_TIMER) {
        told.timer = (uint32_t)what->words[0];
        told.overrun = (uint32_t)(what->words[0] >> 32);
    } else {
        told.process = (uint32_t)what->words[0];
        told.user = (uint32_t)(what->words[0] >> 32);
    }
    if (what->code != LINUX_SI_USER && what->code != LINUX_SI_TKILL && what->code != LINUX_SI_KERNEL) {
        told.pointer = what->words[1];
        told.integer = (int32_t)what->words[1];
    }
    return told;
}

static long signalfd_read(struct bm_file *file, void *buffer, size_t size)
{
    struct signalfd *signalfd = signalfd_of(file);
    struct bm_linux_signals *self = bm_linux_signals_self();
    size_t done = 0, room = size / sizeof(struct information);
    if (!room)
        return -BM_EINVAL;
    for (;;) {
        struct bm_linux_signal what;
        while (done < room && bm_linux_signal_next(self, atomic_load(&signalfd->mask), &what)) {
            const struct information told = information_of(&what);
            __builtin_memcpy((char *)buffer + done++ * sizeof told, &told, sizeof told);
        }
        if (done)
            return (long)(done * sizeof(struct information));
        int error = bm_wait_signal(&signalfd->readers, is_readable, signalfd,
                                   file->flags & BM_O_NONBLOCK ? 0 : UINT64_MAX);
        if (error)
            return error;
    }
}

static int signalfd_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

static struct bm_file_watchers *signalfd_watchers(struct bm_file *file)
{
    return &signalfd_of(file)->watchers;
}

static int signalfd_close(struct bm_file *file)
{
    struct signalfd *signalfd = signalfd_of(file);
    bm_spinlock_acquire(&lock);
    *signalfd->place = signalfd->next;
    if (signalfd->next)
        signalfd->next->place = signalfd->place;
    bm_spinlock_release(&lock);
    bm_file_gone(&signalfd->watchers);
    bm_file_free(signalfd, sizeof *signalfd);
    return 0;
}

static const struct bm_file_ops signalfd_ops = {.read = signalfd_read,
                                                .poll = signalfd_poll,
                                                .watchers = signalfd_watchers,
                                                .stat = signalfd_stat,
                                                .close = signalfd_close};

static long signalfd_make(uint64_t mask, int flags)
{
    struct signalfd *signalfd = bm_file_allocate(sizeof *signalfd);
    if (!signalfd)
        return -BM_ENOMEM;
    signalfd->file.ops = &signalfd_ops;
    signalfd->file.flags = BM_O_RDWR | (flags & BM_O_NONBLOCK);
    atomic_store(&signalfd->mask, mask);
    bm_spinlock_acquire(&lock);
    signalfd->next = all;
    signalfd->place = &all;
    if (all)
        all->place = &signalfd->next;
    all = signalfd;
    bm_spinlock_release(&lock);
    int descriptor = bm_file_install(&signalfd->file, 0);
    if (descriptor < 0)
        signalfd_close(&signalfd->file);
    else if (flags & BM_O_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

// Another mask for one that is there.
static long signalfd_change(int descriptor, uint64_t mask)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (!file)
        return -BM_EBADF;
    if (file->ops != &signalfd_ops)
        return bm_linux_finish(file, -BM_EINVAL);
    atomic_store(&signalfd_of(file)->mask, mask);
    bm_linux_signalfd_tell(mask);
    return bm_linux_finish(file, descriptor);
}

long bm_linux_signalfd4(int descriptor, const uint64_t *set, size_t size, int flags)
{
    if (flags & ~(BM_O_NONBLOCK | BM_O_CLOEXEC) || size != sizeof *set)
        return -BM_EINVAL;
    uint64_t mask = *set & ~LINUX_UNBLOCKABLE;
    return descriptor == -1 ? signalfd_make(mask, flags) : signalfd_change(descriptor, mask);
}

long bm_linux_signalfd(int descriptor, const uint64_t *set, size_t size)
{
    return bm_linux_signalfd4(descriptor, set, size, 0);
}
