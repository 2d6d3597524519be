// Message queues of System V: msgget and its kin.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "sysv.h"

#include <baremetal/inode.h>
#include <baremetal/wait.h>

// Limits, by Linux' names: MSGMAX, MSGMNB, MSGMNI.
enum { SIZE_MAX_OF_ONE = 8192, BYTES_OF_QUEUE = 16384, QUEUES = 32000 };
enum { NO_ERROR = 010000, EXCEPT = 020000, COPY = 040000 };
enum { STATUS_AT = 11, SYSTEM_INFORMATION = 12, STATUS_ANY = 13 };

struct message {
    struct message *next;
    long type;
    size_t size;
    char data[];
};

struct queue {
    struct sysv_object object; // first
    int64_t sent, received;    // times
    uint64_t bytes, count, bytes_max;
    int sender, receiver; // processes
    struct message *first, *last;
    struct bm_waitqueue senders, receivers;
};

// struct msqid64_ds.
struct status {
    struct sysv_permissions permissions;
    int64_t sent, received, changed;
    uint64_t bytes, count, bytes_max;
    int32_t sender, receiver;
    uint64_t unused[2];
};
_Static_assert(sizeof(struct status) == 120, "struct msqid64_ds of x86-64");

// struct msginfo.
struct information {
    int32_t pool, map, max, bytes, queues, segment_size, headers;
    uint16_t segments;
};

static void queue_end(struct sysv_object *object)
{
    struct queue *queue = (struct queue *)object;
    while (queue->first) {
        struct message *message = queue->first;
        queue->first = message->next;
        bm_inode_memory_free(message, sizeof *message + message->size);
    }
    bm_inode_memory_free(queue, sizeof *queue);
}

static struct sysv_table queues = {.lock = BM_SPINLOCK_INIT, .highest = -1, .max = QUEUES, .end = queue_end};

static struct sysv_object *queue_make(long arg)
{
    (void)arg;
    struct queue *queue = bm_inode_memory_allocate(sizeof *queue);
    if (queue)
        queue->bytes_max = BYTES_OF_QUEUE;
    return queue ? &queue->object : NULL;
}

long bm_linux_msgget(int key, int flags)
{
    return bm_linux_sysv_get(&queues, key, flags, queue_make, NULL, 0);
}

// The queue of an identifier, which is to be read (4) or written (2), with a reference and the table's lock;
// or neither, and what is wrong.
static long lock_queue(int number, unsigned wanted, struct queue **found)
{
    bm_spinlock_acquire(&queues.lock);
    struct queue *queue = *found = (struct queue *)bm_linux_sysv_find(&queues, number);
    long error = queue ? bm_linux_sysv_permit(&queue->object, wanted) : -BM_EINVAL;
    if (error)
        bm_spinlock_release(&queues.lock);
    else
        queue->object.references++;
    return error;
}

static void unlock_queue(struct queue *queue)
{
    bm_linux_sysv_release(&queues, &queue->object);
    bm_spinlock_release(&queues.lock);
}

// A message that waits for room, or who waits for a message.
struct transfer {
    struct queue *queue;
    struct message *message; // to be sent
    long type;               // to be received
    int flags;
};

static bool has_room(const struct transfer *transfer)
{
    const struct queue *queue = transfer->queue;
    return transfer->message->size + queue->bytes <= queue->bytes_max && queue->count < queue->bytes_max;
}

// The link to the message that is meant: of any type, a type, none of that type, or the lowest that is not
// above -type; with COPY of a place.
static struct message **find(const struct transfer *transfer)
{
    long type = transfer->type, low = 0;
    struct message **link = &transfer->queue->first, **found = NULL;
    for (long at = 0; *link; link = &(*link)->next, at++) {
        bool meant = transfer->flags & COPY     ? at == type
                     : type == 0                ? true
                     : type < 0                 ? (*link)->type <= (type == INT64_MIN ? INT64_MAX : -type)
                     : transfer->flags & EXCEPT ? (*link)->type != type
                                                : (*link)->type == type;
        if (meant && (!found || (*link)->type < low)) {
            found = link;
            low = (*link)->type;
        }
        if (found && (type >= 0 || transfer->flags & COPY))
            break;
    }
    return found;
}

// Whether a call need not wait any longer.
static bool goes_on(void *arg)
{
    const struct transfer *transfer = arg;
    bm_spinlock_acquire(&queues.lock);
    bool ready =
        transfer->queue->object.removed || (transfer->message ? has_room(transfer) : find(transfer) != NULL);
    bm_spinlock_release(&queues.lock);
    return ready || bm_wait_signalled();
}

// With the lock, which is let go of meanwhile. 0: to look again.
static long wait(struct transfer *transfer)
{
    if (transfer->flags & SYSV_NO_WAIT)
        return transfer->message ? -BM_EAGAIN : -BM_ENOMSG;
    if (bm_wait_signalled())
        return -BM_ERESTART_UNHANDLED;
    struct queue *queue = transfer->queue;
    bm_spinlock_release(&queues.lock);
    bm_waitqueue_wait(transfer->message ? &queue->senders : &queue->receivers, goes_on, transfer, UINT64_MAX);
    bm_spinlock_acquire(&queues.lock);
    return queue->object.removed ? -BM_EIDRM : 0;
}

static void put(struct queue *queue, struct message *message)
{
    *(queue->first ? &queue->last->next : &queue->first) = message;
    queue->last = message;
    queue->bytes += message->size;
    queue->count++;
    queue->sent = bm_linux_sysv_now();
    queue->sender = LINUX_PROCESS;
}

static long send(int number, struct message *message, int flags)
{
    struct queue *queue;
    long error = lock_queue(number, 2, &queue);
    if (error)
        return error;
    struct transfer transfer = {.queue = queue, .message = message, .flags = flags};
    while (!error && !has_room(&transfer))
        error = wait(&transfer);
    if (!error) {
        put(queue, message);
        bm_waitqueue_wake_all(&queue->receivers); // which want different ones
    }
    unlock_queue(queue);
    return error;
}

long bm_linux_msgsnd(int number, const void *from, size_t size, int flags)
{
    long type;
    if (!from)
        return -BM_EFAULT;
    __builtin_memcpy(&type, from, sizeof type);
    if (size > SIZE_MAX_OF_ONE || number < 0 || type < 1)
        return -BM_EINVAL;
    struct message *message = bm_inode_memory_allocate(sizeof *message + size);
    if (!message)
        return -BM_ENOMEM;
    message->type = type;
    message->size = size;
    __builtin_memcpy(message->data, (const char *)from + sizeof type, size);
    long error = send(number, message, flags);
    if (error)
        bm_inode_memory_free(message, sizeof *message + size);
    return error;
}

static struct message *copy_of(const struct message *message)
{
    struct message *copy = bm_inode_memory_allocate(sizeof *copy + message->size);
    if (copy)
        __builtin_memcpy(copy, message, sizeof *copy + message->size);
    return copy;
}

// Takes out the message that a link leads to.
static struct message *take(struct queue *queue, struct message **link)
{
    struct message *message = *link, *last = NULL;
    *link = message->next;
    if (queue->last == message)
        for (struct message *at = queue->first; at; at = at->next)
            last = at;
    queue->last = queue->last == message ? last : queue->last;
    queue->bytes -= message->size;
    queue->count--;
    queue->received = bm_linux_sysv_now();
    queue->receiver = LINUX_PROCESS;
    bm_waitqueue_wake_all(&queue->senders); // which send different sizes
    return message;
}

// The message that is meant, which is the caller's then.
static long receive(int number, size_t size, long type, int flags, struct message **message)
{
    struct message **link;
    struct queue *queue;
    long error = lock_queue(number, 4, &queue);
    if (error)
        return error;
    struct transfer transfer = {.queue = queue, .type = type, .flags = flags};
    while (!(link = find(&transfer)) && !error)
        error = wait(&transfer);
    if (!error && (*link)->size > size && !(flags & NO_ERROR))
        error = -BM_E2BIG;
    if (!error) {
        *message = flags & COPY ? copy_of(*link) : take(queue, link);
        error = *message ? 0 : -BM_ENOMEM;
    }
    unlock_queue(queue);
    return error;
}

long bm_linux_msgrcv(int number, void *to, size_t size, long type, int flags)
{
    struct message *message = NULL;
    if (number < 0 || size > INT64_MAX || (flags & COPY && (flags & EXCEPT || !(flags & SYSV_NO_WAIT))))
        return -BM_EINVAL;
    if (!to)
        return -BM_EFAULT;
    long error = receive(number, size, type, flags, &message);
    if (error)
        return error;
    size_t part = message->size < size ? message->size : size;
    __builtin_memcpy(to, &message->type, sizeof message->type);
    __builtin_memcpy((char *)to + sizeof message->type, message->data, part);
    bm_inode_memory_free(message, sizeof *message + message->size);
    return (long)part;
}

static void tell(const struct queue *queue, struct status *status)
{
    *status = (struct status){queue->object.permissions,
                              queue->sent,
                              queue->received,
                              queue->object.changed,
                              queue->bytes,
                              queue->count,
                              queue->bytes_max,
                              queue->sender,
                              queue->receiver,
                              {0}};
}

// What all queues come to, and the highest place in use.
static long tell_limits(bool now, struct information *to)
{
    struct information told = {.max = SIZE_MAX_OF_ONE, .bytes = BYTES_OF_QUEUE, .queues = QUEUES};
    bm_spinlock_acquire(&queues.lock);
    if (now) {
        told.pool = queues.count;
        for (int i = 0; queues.count && i <= queues.highest; i++) {
            const struct queue *queue = (struct queue *)bm_linux_sysv_at(&queues, i);
            told.map += queue ? (int)queue->count : 0;
            told.headers += queue ? (int)queue->bytes : 0;
        }
    }
    long highest = queues.count ? queues.highest : 0;
    bm_spinlock_release(&queues.lock);
    *to = told;
    return highest;
}

// STATUS_ANY is for everybody; more bytes than usual are for who may have more of anything.
static long permit_control(const struct queue *queue, int command, const struct status *status)
{
    if (command == STATUS_ANY)
        return 0;
    if (command != SYSV_REMOVE && command != SYSV_SET)
        return bm_linux_sysv_permit(&queue->object, 4);
    bool more = command == SYSV_SET && status->bytes_max > BYTES_OF_QUEUE;
    return more && !bm_may(BM_CAP_SYS_RESOURCE) ? -BM_EPERM : bm_linux_sysv_permit_change(&queue->object);
}

static long control(struct queue *queue, int command, struct status *status)
{
    long error = permit_control(queue, command, status);
    if (error)
        return error;
    switch (command) {
    case SYSV_REMOVE:
        bm_linux_sysv_remove(&queues, &queue->object);
        break;
    case SYSV_SET:
        bm_linux_sysv_set(&queue->object, &status->permissions);
        queue->bytes_max = status->bytes_max;
        break;
    default:
        tell(queue, status);
        return command == SYSV_STATUS ? 0 : queue->object.number;
    }
    bm_waitqueue_wake_all(&queue->senders);
    bm_waitqueue_wake_all(&queue->receivers);
    return 0;
}

long bm_linux_msgctl(int number, int command, void *buffer)
{
    command &= ~SYSV_64;
    bool at = command == STATUS_AT || command == STATUS_ANY;
    if (number < 0)
        return -BM_EINVAL;
    if (!buffer && command != SYSV_REMOVE)
        return -BM_EFAULT;
    if (command == SYSV_INFORMATION || command == SYSTEM_INFORMATION)
        return tell_limits(command == SYSTEM_INFORMATION, buffer);
    if (!at && command != SYSV_REMOVE && command != SYSV_SET && command != SYSV_STATUS)
        return -BM_EINVAL;
    struct status status = {0};
    if (command == SYSV_SET)
        __builtin_memcpy(&status, buffer, sizeof status);
    bm_spinlock_acquire(&queues.lock);
    struct queue *queue =
        (struct queue *)(at ? bm_linux_sysv_at(&queues, number) : bm_linux_sysv_find(&queues, number));
    if (queue)
        queue->object.references++;
    long result = queue ? control(queue, command, &status) : -BM_EINVAL;
    if (queue)
        bm_linux_sysv_release(&queues, &queue->object);
    bm_spinlock_release(&queues.lock);
    if (result >= 0 && (at || command == SYSV_STATUS))
        __builtin_memcpy(buffer, &status, sizeof status);
    return result;
}
