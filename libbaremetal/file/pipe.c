// Pipes: a ring of pages between two open files.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "service.h"

#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/waitqueue.h>

enum { PAGES = 16, CAPACITY = PAGES * 4096, PIECE = 4096 };

// An end, and who waits at it.
struct end {
    struct bm_file file;
    struct bm_file_watchers watchers;
    struct bm_waitqueue blocked; // reads of data, writes of room
    bool open;
};

struct pipe {
    struct end ends[2]; // [0] reads, [1] writes
    struct bm_spinlock lock;
    uint64_t in, out;   // bytes ever written, and read
    char *pages[PAGES]; // made when they are first written to
};

static bool is_reader(const struct bm_file *end)
{
    return (end->flags & BM_O_ACCMODE) == BM_O_RDONLY;
}

static struct pipe *pipe_of(const struct bm_file *end)
{
    return end->state;
}

static size_t room_in(const struct pipe *pipe)
{
    return CAPACITY - (size_t)(pipe->in - pipe->out);
}

static int pipe_poll(struct bm_file *file)
{
    struct pipe *pipe = pipe_of(file);
    bm_spinlock_acquire(&pipe->lock);
    int result;
    if (is_reader(file))
        result = (pipe->in != pipe->out ? BM_POLLIN : 0) | (pipe->ends[1].open ? 0 : BM_POLLHUP);
    else
        result = (room_in(pipe) >= PIECE ? BM_POLLOUT : 0) | (pipe->ends[0].open ? 0 : BM_POLLERR);
    bm_spinlock_release(&pipe->lock);
    return result;
}

// A blocked write goes on when any piece fits, as Linux has it.
static bool is_ready(void *file)
{
    return pipe_poll(file) != 0;
}

static struct bm_file_watchers *pipe_watchers(struct bm_file *file)
{
    return &((struct end *)file)->watchers; // its first member
}

// There is data, or room, at an end.
static void tell(struct end *end, int events)
{
    bm_waitqueue_wake_one(&end->blocked);
    bm_file_changed(&end->watchers, events);
}

// Waits until an end can go on.
static int wait_ready(struct end *end)
{
    return bm_wait_signal(&end->blocked, is_ready, &end->file,
                          end->file.flags & BM_O_NONBLOCK ? 0 : UINT64_MAX);
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

static long pipe_read(struct bm_file *file, void *buffer, size_t size)
{
    struct pipe *pipe = pipe_of(file);
    struct end *reader = &pipe->ends[0];
    if (size == 0)
        return 0;
    for (;;) {
        bm_spinlock_acquire(&pipe->lock);
        size_t there = pipe->in - pipe->out, room = room_in(pipe);
        bool ended = !pipe->ends[1].open;
        size_t done = copy(pipe, buffer, there < size ? there : size, pipe->out, false);
        pipe->out += done;
        bm_spinlock_release(&pipe->lock);
        if (room < PIECE && room + done >= PIECE)
            tell(&pipe->ends[1], BM_POLLOUT);
        if (done < there || ended) // for the next one that reads
            bm_waitqueue_wake_one(&reader->blocked);
        if (done || ended)
            return (long)done;
        int error = wait_ready(reader);
        if (error)
            return error;
    }
}

// What fits of size bytes; pieces of PIECE whole or not at all. Negative: an error, -BM_EAGAIN when it is
// full.
static long write_some(struct pipe *pipe, const char *buffer, size_t size, bool whole)
{
    bm_spinlock_acquire(&pipe->lock);
    size_t room = room_in(pipe);
    bool open = pipe->ends[0].open;
    long result = !open ? -BM_EPIPE : (whole ? room < size : room == 0) ? -BM_EAGAIN : 0;
    if (result == 0) {
        size_t done = copy(pipe, (char *)(uintptr_t)buffer, room < size ? room : size, pipe->in, true);
        if (whole && done < size)
            done = 0;
        pipe->in += done;
        room -= done;
        result = done ? (long)done : -BM_ENOMEM;
    }
    bm_spinlock_release(&pipe->lock);
    if (result > 0)
        tell(&pipe->ends[0], BM_POLLIN);
    if (room >= PIECE || !open) // for the next one that writes
        bm_waitqueue_wake_one(&pipe->ends[1].blocked);
    return result;
}

static long pipe_write(struct bm_file *file, const void *buffer, size_t size)
{
    struct pipe *pipe = pipe_of(file);
    bool whole = size <= PIECE;
    size_t done = 0;
    while (done < size) {
        long part = write_some(pipe, (const char *)buffer + done, size - done, whole);
        if (part == -BM_EAGAIN)
            part = wait_ready(&pipe->ends[1]);
        if (part < 0)
            return done ? (long)done : part;
        done += (size_t)part;
    }
    return (long)done;
}

// Pieces that are no more than PIECE together are one, of a copy.
static long pipe_writev(struct bm_file *end, const struct bm_file_piece *pieces, int count)
{
    size_t total = 0, done = 0;
    for (int i = 0; i < count && total <= PIECE; i++)
        total = pieces[i].size > PIECE ? PIECE + 1 : total + pieces[i].size;
    char *whole = total && total <= PIECE ? bm_file_allocate(total) : NULL;
    if (total && total <= PIECE && !whole)
        return -BM_ENOMEM;
    for (int i = 0; i < count; i++) {
        long part = (long)pieces[i].size;
        if (whole && part)
            __builtin_memcpy(whole + done, pieces[i].data, pieces[i].size);
        else if (part)
            part = pipe_write(end, pieces[i].data, bm_file_part(pieces[i].size, done));
        if (part < 0)
            return done ? (long)done : part;
        done += (size_t)part;
        if ((size_t)part < pieces[i].size)
            break;
    }
    if (!whole)
        return (long)done;
    long result = pipe_write(end, whole, total);
    bm_file_free(whole, total);
    return result;
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

static int pipe_close(struct bm_file *file)
{
    struct pipe *pipe = pipe_of(file);
    struct end *mine = (struct end *)file, *other = &pipe->ends[mine == pipe->ends];
    bm_file_gone(&mine->watchers);
    bm_spinlock_acquire(&pipe->lock);
    mine->open = false;
    bool last = !other->open;
    if (!last)
        tell(other, is_reader(file) ? BM_POLLERR : BM_POLLHUP);
    bm_spinlock_release(&pipe->lock); // from here on who closes the other end may free the pipe
    if (!last)
        return 0;
    for (unsigned i = 0; i < PAGES; i++)
        bm_frame_free(pipe->pages[i], 0);
    bm_file_free(pipe, sizeof *pipe);
    return 0;
}

static const struct bm_file_ops reader_ops = {.read = pipe_read,
                                              .stat = pipe_stat,
                                              .control = pipe_control,
                                              .poll = pipe_poll,
                                              .watchers = pipe_watchers,
                                              .close = pipe_close};
static const struct bm_file_ops writer_ops = {.write = pipe_write,
                                              .writev = pipe_writev,
                                              .stat = pipe_stat,
                                              .control = pipe_control,
                                              .poll = pipe_poll,
                                              .watchers = pipe_watchers,
                                              .close = pipe_close};

size_t bm_pipe_capacity(const struct bm_file *file)
{
    return file->ops == &reader_ops || file->ops == &writer_ops ? CAPACITY : 0;
}

int bm_pipe_open(int descriptors[2], int flags)
{
    BM_ASSERT_NO_HANDLER();
    if (flags & ~(BM_O_NONBLOCK | BM_O_CLOEXEC | BM_O_DIRECT))
        return -BM_EINVAL;
    struct pipe *pipe = bm_file_allocate(sizeof *pipe);
    if (!pipe)
        return -BM_ENOMEM;
    int status = flags & BM_O_NONBLOCK;
    pipe->ends[0].file = (struct bm_file){.ops = &reader_ops, .flags = BM_O_RDONLY | status, .state = pipe};
    pipe->ends[1].file = (struct bm_file){.ops = &writer_ops, .flags = BM_O_WRONLY | status, .state = pipe};
    pipe->ends[0].open = pipe->ends[1].open = true;
    int reading = bm_file_install(&pipe->ends[0].file, 0);
    if (reading < 0) {
        bm_file_free(pipe, sizeof *pipe);
        return reading;
    }
    int writing = bm_file_install(&pipe->ends[1].file, 0);
    if (writing < 0) {
        pipe->ends[1].open = false;
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
