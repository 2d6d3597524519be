// Pipes: a ring of pages between two open files.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "service.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/wait.h>

enum { PAGES = 16, CAPACITY = PAGES * 4096, PIECE = 4096 };

struct pipe {
    struct bm_file ends[2]; // [0] reads, [1] writes
    struct bm_spinlock lock;
    struct bm_file_waiters waiters; // of either end
    uint64_t in, out;               // bytes ever written, and read
    bool open[2];                   // of the ends
    char *pages[PAGES];             // made when they are first written to
};

static bool is_reader(const struct bm_file *end)
{
    return (end->flags & BM_O_ACCMODE) == BM_O_RDONLY;
}

static struct pipe *pipe_of(const struct bm_file *end)
{
    return end->state;
}

// What an end can do now; of the writing end with room for `size` bytes.
static int events(const struct bm_file *end, size_t size)
{
    struct pipe *pipe = pipe_of(end);
    size_t there = pipe->in - pipe->out;
    if (is_reader(end))
        return (there ? BM_POLLIN : 0) | (pipe->open[1] ? 0 : BM_POLLHUP);
    return (CAPACITY - there >= size ? BM_POLLOUT : 0) | (pipe->open[0] ? 0 : BM_POLLERR);
}

static int pipe_poll(struct bm_file *end)
{
    struct pipe *pipe = pipe_of(end);
    bm_file_waiter_note(pipe->waiters.cores);
    bm_spinlock_acquire(&pipe->lock);
    int result = events(end, PIECE);
    bm_spinlock_release(&pipe->lock);
    return result;
}

struct waiting {
    struct bm_file *end;
    size_t size; // of room
};

static bool is_ready(void *arg)
{
    const struct waiting *waiting = arg;
    struct pipe *pipe = pipe_of(waiting->end);
    bm_file_waiter_note(pipe->waiters.cores);
    bm_spinlock_acquire(&pipe->lock);
    int result = events(waiting->end, waiting->size);
    bm_spinlock_release(&pipe->lock);
    return result;
}

static bool is_ready_or_signalled(void *arg)
{
    return is_ready(arg) || bm_wait_signalled();
}

// Waits until an end can go on; false: a signal ends the call.
static bool wait_ready(struct waiting *waiting)
{
    bm_wait_until(is_ready_or_signalled, waiting, UINT64_MAX);
    return is_ready(waiting) || !bm_wait_signalled();
}

// Copies between buffer[size] and the ring at `at`, as far as there are pages.
static size_t copy(struct pipe *pipe, char *buffer, size_t size, uint64_t at, bool in)
{
    size_t done = 0;
    while (done < size) {
        char **page = &pipe->pages[(at + done) / BM_PAGE_SIZE % PAGES];
        size_t in_page = (at + done) % BM_PAGE_SIZE, part = BM_PAGE_SIZE - in_page;
        if (part > size - done)
            part = size - done;
        if (!*page && !(*page = bm_frame_allocate(0)))
            break;
        if (in)
            __builtin_memcpy(*page + in_page, buffer + done, part);
        else
            __builtin_memcpy(buffer + done, *page + in_page, part);
        done += part;
    }
    return done;
}

static long pipe_read(struct bm_file *end, void *buffer, size_t size)
{
    struct pipe *pipe = pipe_of(end);
    struct waiting waiting = {end, 0};
    if (size == 0)
        return 0;
    for (;;) {
        bm_spinlock_acquire(&pipe->lock);
        size_t there = pipe->in - pipe->out;
        bool ended = !pipe->open[1];
        there = copy(pipe, buffer, there < size ? there : size, pipe->out, false);
        pipe->out += there;
        bm_spinlock_release(&pipe->lock);
        if (there)
            bm_file_waiters_wake(pipe->waiters.cores);
        if (there || ended)
            return (long)there;
        if (end->flags & BM_O_NONBLOCK)
            return -BM_EAGAIN;
        if (!wait_ready(&waiting))
            return -BM_ERESTART;
    }
}

// What fits of size bytes; pieces of PIECE whole or not at all. Negative: an error, -BM_EAGAIN when it is
// full.
static long write_some(struct pipe *pipe, const char *buffer, size_t size, bool whole)
{
    bm_spinlock_acquire(&pipe->lock);
    size_t room = CAPACITY - (size_t)(pipe->in - pipe->out);
    long result = !pipe->open[0] ? -BM_EPIPE : (whole ? room < size : room == 0) ? -BM_EAGAIN : 0;
    if (result == 0) {
        size_t done = copy(pipe, (char *)(uintptr_t)buffer, room < size ? room : size, pipe->in, true);
        if (whole && done < size)
            done = 0;
        pipe->in += done;
        result = done ? (long)done : -BM_ENOMEM;
    }
    bm_spinlock_release(&pipe->lock);
    if (result > 0)
        bm_file_waiters_wake(pipe->waiters.cores);
    return result;
}

static long pipe_write(struct bm_file *end, const void *buffer, size_t size)
{
    struct pipe *pipe = pipe_of(end);
    bool whole = size <= PIECE;
    struct waiting waiting = {end, whole ? size : 1};
    size_t done = 0;
    while (done < size) {
        long part = write_some(pipe, (const char *)buffer + done, size - done, whole);
        if (part > 0)
            done += (size_t)part;
        else if (part != -BM_EAGAIN || end->flags & BM_O_NONBLOCK)
            return done ? (long)done : part;
        else if (!wait_ready(&waiting))
            return done ? (long)done : -BM_ERESTART;
    }
    return (long)done;
}

static int pipe_stat(struct bm_file *end, struct bm_file_status *status)
{
    (void)end;
    status->mode = BM_FILE_PIPE | 0600;
    status->links = 1;
    status->block_size = BM_PAGE_SIZE;
    return 0;
}

static int pipe_control(struct bm_file *end, unsigned long request, void *argument)
{
    enum { FIONREAD_LINUX = 0x541b };
    struct pipe *pipe = pipe_of(end);
    if (request != FIONREAD_LINUX)
        return -BM_ENOTTY;
    bm_spinlock_acquire(&pipe->lock);
    size_t there = pipe->in - pipe->out;
    bm_spinlock_release(&pipe->lock);
    *(int *)argument = (int)there; // with no lock held: a bad address is the caller's fault alone
    return 0;
}

static int pipe_close(struct bm_file *end)
{
    struct pipe *pipe = pipe_of(end);
    bm_spinlock_acquire(&pipe->lock);
    pipe->open[end - pipe->ends] = false;
    bool last = !pipe->open[0] && !pipe->open[1];
    if (!last)
        bm_file_waiters_wake(pipe->waiters.cores);
    bm_spinlock_release(&pipe->lock); // from here on who closes the other end may free the pipe
    if (!last)
        return 0;
    for (unsigned i = 0; i < PAGES; i++)
        bm_frame_free(pipe->pages[i], 0);
    bm_file_free(pipe, sizeof *pipe);
    return 0;
}

static const struct bm_file_ops reader_ops = {
    .read = pipe_read, .stat = pipe_stat, .control = pipe_control, .poll = pipe_poll, .close = pipe_close};
static const struct bm_file_ops writer_ops = {
    .write = pipe_write, .stat = pipe_stat, .control = pipe_control, .poll = pipe_poll, .close = pipe_close};

int bm_pipe_open(int descriptors[2], int flags)
{
    BM_ASSERT_NO_HANDLER();
    if (flags & ~(BM_O_NONBLOCK | BM_O_CLOEXEC | BM_O_DIRECT))
        return -BM_EINVAL;
    struct pipe *pipe = bm_file_allocate(sizeof *pipe);
    if (!pipe)
        return -BM_ENOMEM;
    int status = flags & BM_O_NONBLOCK;
    pipe->ends[0] = (struct bm_file){.ops = &reader_ops, .flags = BM_O_RDONLY | status, .state = pipe};
    pipe->ends[1] = (struct bm_file){.ops = &writer_ops, .flags = BM_O_WRONLY | status, .state = pipe};
    pipe->open[0] = pipe->open[1] = true;
    int reading = bm_file_install(&pipe->ends[0], 0);
    if (reading < 0) {
        bm_file_free(pipe, sizeof *pipe);
        return reading;
    }
    int writing = bm_file_install(&pipe->ends[1], 0);
    if (writing < 0) {
        pipe->open[1] = false;
        bm_file_close(reading);
        return writing;
    }
    if (flags & BM_O_CLOEXEC) {
        bm_file_set_cloexec(reading, true);
        bm_file_set_cloexec(writing, true);
    }
    descriptors[0] = reading;
    descriptors[1] = writing;
    return 0;
}
