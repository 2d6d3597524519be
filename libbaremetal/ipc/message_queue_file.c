// Message queues: sending, receiving and notices, by descriptors.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "message_queue.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>

static int64_t count_of(struct queue *queue)
{
    bm_spinlock_acquire(&queue->lock);
    int64_t count = queue->count;
    bm_spinlock_release(&queue->lock);
    return count;
}

static int queue_poll(struct bm_file *file)
{
    struct queue *queue = open_queue_of(file)->queue;
    int64_t count = count_of(queue);
    return (count ? BM_POLLIN : 0) | (count < queue->max ? BM_POLLOUT : 0);
}

void bm_message_queue_changed(struct queue *queue, int events)
{
    for (struct open_queue *open = queue->files; open; open = open->next)
        bm_file_changed(&open->watchers, events);
}

static struct bm_file_watchers *queue_watchers(struct bm_file *file)
{
    return &open_queue_of(file)->watchers;
}

static int queue_stat(struct bm_file *file, struct bm_file_status *status)
{
    enum { LINE = 80 };
    const struct queue *queue = open_queue_of(file)->queue;
    status->mode = queue->mode;
    status->owner = queue->owner;
    status->group = queue->group;
    status->links = 1;
    status->size = LINE; // of what a read gives on Linux
    status->block_size = 4096;
    status->accessed = status->modified = status->changed = queue->made;
    return 0;
}

static void notice_end(struct bm_message_queue_notice *notice, int event)
{
    if (notice)
        notice->tell(notice, event);
}

static int queue_close(struct bm_file *file)
{
    struct open_queue *open = open_queue_of(file);
    struct queue *queue = open->queue;
    bm_file_gone(&open->watchers);
    bm_spinlock_acquire(&queue->lock);
    if (open->next)
        open->next->previous = open->previous;
    *(open->previous ? &open->previous->next : &queue->files) = open->next;
    struct bm_message_queue_notice *notice = queue->notice;
    queue->notice = NULL;
    bm_spinlock_release(&queue->lock);
    notice_end(notice, BM_MESSAGE_NOTICE_REMOVED);
    bm_message_queue_release(queue);
    bm_file_free(open, sizeof *open);
    return 0;
}

const struct bm_file_ops bm_message_queue_ops = {
    .poll = queue_poll, .watchers = queue_watchers, .stat = queue_stat, .close = queue_close};

// The file of a descriptor that can do `mode` (-1: anything), kept; NULL: -BM_EBADF.
static struct open_queue *acquire(int descriptor, int mode)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (!file)
        return NULL;
    int can = file->flags & BM_O_ACCMODE;
    if (file->ops == &bm_message_queue_ops && (mode < 0 || can == mode || can == BM_O_RDWR))
        return open_queue_of(file);
    bm_file_release(file);
    return NULL;
}

// Behind those of its priority. Under the lock.
static void insert(struct queue *queue, struct message *message)
{
    struct message **link = &queue->first;
    if (queue->last && queue->last->priority >= message->priority)
        link = &queue->last->next;
    while (*link && (*link)->priority >= message->priority)
        link = &(*link)->next;
    message->next = *link;
    *link = message;
    if (!message->next)
        queue->last = message;
    queue->count++;
}

// Puts a message in if there is room, and says who is told. The first of which none that waits takes it is
// one that came into an empty queue.
static bool put(struct queue *queue, struct message *message, struct bm_message_queue_notice **notice)
{
    bm_spinlock_acquire(&queue->lock);
    bool fits = queue->count < queue->max;
    if (fits) {
        insert(queue, message);
        if (queue->count == (int64_t)queue->receiving + 1) {
            *notice = queue->notice;
            queue->notice = NULL;
        }
        bm_message_queue_changed(queue, BM_POLLIN);
    }
    bm_spinlock_release(&queue->lock);
    if (fits)
        bm_waitqueue_wake_one(&queue->receivers);
    return fits;
}

static bool has_room(void *arg)
{
    struct queue *queue = arg;
    return count_of(queue) < queue->max || bm_wait_signalled();
}

static bool has_message(void *arg)
{
    return count_of(arg) || bm_wait_signalled();
}

// What a call that found nothing to do does next: 0: it has waited, and looks again. *ended: its time had
// come, so that it looks for the last time.
static int wait(struct open_queue *open, struct bm_waitqueue *waiters, bool (*condition)(void *queue),
                uint64_t deadline, bool *ended)
{
    if (open->file.flags & BM_O_NONBLOCK)
        return -BM_EAGAIN;
    if (*ended)
        return -BM_ETIMEDOUT;
    if (bm_wait_signalled())
        return -BM_ERESTART;
    *ended = !bm_waitqueue_wait(waiters, condition, open->queue, deadline);
    return 0;
}

static int send(struct open_queue *open, struct message *message, uint64_t deadline)
{
    struct queue *queue = open->queue;
    struct bm_message_queue_notice *notice = NULL;
    bool ended = false;
    int error = 0;
    while (!error && !put(queue, message, &notice))
        error = wait(open, &queue->senders, has_room, deadline, &ended);
    notice_end(notice, BM_MESSAGE_ARRIVED);
    return error;
}

int bm_message_queue_send(int descriptor, const void *data, size_t size, unsigned priority, uint64_t deadline)
{
    BM_ASSERT_NO_HANDLER();
    if (priority >= BM_MESSAGE_PRIORITIES)
        return -BM_EINVAL;
    struct open_queue *open = acquire(descriptor, BM_O_WRONLY);
    if (!open)
        return -BM_EBADF;
    struct message *message = NULL;
    int error = size > (size_t)open->queue->size ? -BM_EMSGSIZE : 0;
    if (!error && !(message = bm_file_allocate(sizeof *message + size)))
        error = -BM_ENOMEM;
    if (message) {
        message->size = size;
        message->priority = priority;
        __builtin_memcpy(message->data, data, size);
        error = send(open, message, deadline);
    }
    if (error && message)
        bm_file_free(message, sizeof *message + size);
    bm_file_release(&open->file);
    return error;
}

// Takes the first message; NULL: there is none, and the caller counts as one that waits if it `will`.
// `was`: it has waited.
static struct message *take(struct queue *queue, bool was, bool will)
{
    bm_spinlock_acquire(&queue->lock);
    struct message *message = queue->first;
    queue->receiving -= was;
    if (message) {
        queue->first = message->next;
        if (!queue->first)
            queue->last = NULL;
        queue->count--;
        bm_message_queue_changed(queue, BM_POLLOUT);
    } else {
        queue->receiving += will;
    }
    bm_spinlock_release(&queue->lock);
    if (message)
        bm_waitqueue_wake_one(&queue->senders);
    return message;
}

static struct message *receive(struct open_queue *open, uint64_t deadline, int *error)
{
    struct queue *queue = open->queue;
    bool ended = false, waits = !(open->file.flags & BM_O_NONBLOCK);
    struct message *message = take(queue, false, waits);
    *error = 0;
    while (!message && !*error) {
        *error = wait(open, &queue->receivers, has_message, deadline, &ended);
        if (!*error || waits)
            message = take(queue, waits, waits && !*error);
    }
    if (message)
        *error = 0;
    return message;
}

long bm_message_queue_receive(int descriptor, void *buffer, size_t size, unsigned *priority,
                              uint64_t deadline)
{
    BM_ASSERT_NO_HANDLER();
    struct open_queue *open = acquire(descriptor, BM_O_RDONLY);
    if (!open)
        return -BM_EBADF;
    int error = size < (size_t)open->queue->size ? -BM_EMSGSIZE : 0;
    struct message *message = error ? NULL : receive(open, deadline, &error);
    long result = error;
    if (message) {
        result = (long)message->size;
        __builtin_memcpy(buffer, message->data, message->size);
        if (priority)
            *priority = message->priority;
        bm_file_free(message, sizeof *message + message->size);
    }
    bm_file_release(&open->file);
    return result;
}

int bm_message_queue_state(int descriptor, const int *flags, struct bm_message_queue_state *state)
{
    BM_ASSERT_NO_HANDLER();
    if (flags && *flags & ~BM_O_NONBLOCK)
        return -BM_EINVAL;
    struct open_queue *open = acquire(descriptor, -1);
    if (!open)
        return -BM_EBADF;
    struct queue *queue = open->queue;
    bm_spinlock_acquire(&queue->lock);
    if (state)
        *state = (struct bm_message_queue_state){open->file.flags & BM_O_NONBLOCK, queue->max, queue->size,
                                                 queue->count};
    if (flags)
        open->file.flags = (open->file.flags & ~BM_O_NONBLOCK) | *flags;
    bm_spinlock_release(&queue->lock);
    bm_file_release(&open->file);
    return 0;
}

int bm_message_queue_notify(int descriptor, struct bm_message_queue_notice *notice)
{
    BM_ASSERT_NO_HANDLER();
    struct open_queue *open = acquire(descriptor, -1);
    if (!open)
        return -BM_EBADF;
    struct queue *queue = open->queue;
    bm_spinlock_acquire(&queue->lock);
    struct bm_message_queue_notice *before = queue->notice;
    bool busy = notice && before;
    if (!busy)
        queue->notice = notice;
    bm_spinlock_release(&queue->lock);
    if (!busy)
        notice_end(before, BM_MESSAGE_NOTICE_REMOVED);
    bm_file_release(&open->file);
    return busy ? -BM_EBUSY : 0;
}
