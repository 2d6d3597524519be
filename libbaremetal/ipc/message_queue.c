// Message queues: their names, and how they begin and end.
// SPDX-License-Identifier: MIT
#include "message_queue.h"
#include "../file/credentials.h"

static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of names and references
static struct queue *queues;                       // that have a name
static uint64_t total;                             // bytes that all queues count for

// A message and a priority in Linux: struct msg_msg, struct posix_msg_tree_node.
enum { PER_MESSAGE = 48, PER_PRIORITY = 48 };

static uint64_t bytes_of(int64_t max, int64_t size)
{
    uint64_t count = (uint64_t)max;
    uint64_t priorities = count < BM_MESSAGE_PRIORITIES ? count : BM_MESSAGE_PRIORITIES;
    return count * ((uint64_t)size + PER_MESSAGE) + priorities * PER_PRIORITY;
}

// The length of a name, or a negative error.
static long name_check(const char *name)
{
    size_t length = 0;
    for (; name[length]; length++) {
        if (length == NAME_MAX)
            return -BM_ENAMETOOLONG;
        if (name[length] == '/')
            return -BM_EACCES;
    }
    bool dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
    return !length ? -BM_ENOENT : dots ? -BM_EACCES : (long)length;
}

// The link to the queue of a name, or to NULL. Under the lock.
static struct queue **find(const char *name, size_t length)
{
    struct queue **link = &queues;
    while (*link && __builtin_memcmp((*link)->name, name, length + 1) != 0)
        link = &(*link)->next;
    return link;
}

// Makes a queue with a name. Under the lock.
static int make(const char *name, size_t length, unsigned mode, const struct bm_message_queue_state *wanted,
                uint64_t bytes, struct queue **made)
{
    int64_t max = wanted ? wanted->max : BM_MESSAGE_COUNT, size = wanted ? wanted->size : BM_MESSAGE_SIZE;
    if (max <= 0 || size <= 0 || max > BM_MESSAGE_COUNT_MAX || size > BM_MESSAGE_SIZE_MAX)
        return -BM_EINVAL;
    uint64_t more = bytes_of(max, size);
    if (total > bytes || more > bytes - total)
        return -BM_EMFILE;
    struct queue *queue = bm_file_allocate(sizeof *queue);
    if (!queue)
        return -BM_ENOMEM;
    total += more;
    *queue = (struct queue){.next = queues, .references = 1, .bytes = more, .max = max, .size = size};
    queue->mode = BM_FILE_REGULAR | bm_path_mode(mode);
    queue->owner = &bm_credentials ? bm_credentials.user[BM_ID_FILES] : 0;
    queue->group = &bm_credentials ? bm_credentials.group[BM_ID_FILES] : 0;
    queue->made = bm_file_now();
    __builtin_memcpy(queue->name, name, length + 1);
    *made = queues = queue;
    return 0;
}

// Of one that is there.
static int permit(const struct queue *queue, int flags)
{
    static const uint8_t wanted[] = {[BM_O_RDONLY] = 4, [BM_O_WRONLY] = 2, [BM_O_RDWR] = 6};
    const uint32_t owners[4] = {queue->owner, queue->group, queue->owner, queue->group};
    if (!bm_permission_shared)
        return 0;
    return bm_permission_shared(queue->mode, owners, wanted[flags & BM_O_ACCMODE], BM_CAP_DAC_OVERRIDE);
}

// The queue of a name, with a reference.
static int acquire(const char *name, int flags, unsigned mode, const struct bm_message_queue_state *wanted,
                   uint64_t bytes, struct queue **found)
{
    long length = name_check(name);
    if (length < 0)
        return (int)length;
    int error = 0;
    bm_spinlock_acquire(&lock);
    *found = *find(name, (size_t)length);
    if (*found && flags & BM_O_CREAT && flags & BM_O_EXCL)
        error = -BM_EEXIST;
    else if (*found)
        error = permit(*found, flags);
    else
        error = flags & BM_O_CREAT ? make(name, (size_t)length, mode, wanted, bytes, found) : -BM_ENOENT;
    if (!error)
        (*found)->references++;
    bm_spinlock_release(&lock);
    return error;
}

// Nobody has it any more.
static void end(struct queue *queue)
{
    while (queue->first) {
        struct message *message = queue->first;
        queue->first = message->next;
        bm_file_free(message, sizeof *message + message->size);
    }
    bm_file_free(queue, sizeof *queue);
}

void bm_message_queue_release(struct queue *queue)
{
    bm_spinlock_acquire(&lock);
    bool last = --queue->references == 0;
    if (last)
        total -= queue->bytes;
    bm_spinlock_release(&lock);
    if (last)
        end(queue);
}

static void add(struct queue *queue, struct open_queue *open)
{
    bm_spinlock_acquire(&queue->lock);
    open->queue = queue;
    open->next = queue->files;
    if (queue->files)
        queue->files->previous = open;
    queue->files = open;
    bm_spinlock_release(&queue->lock);
}

int bm_message_queue_open(const char *name, int flags, unsigned mode,
                          const struct bm_message_queue_state *wanted, uint64_t bytes)
{
    struct queue *queue = NULL;
    BM_ASSERT_NO_HANDLER();
    if ((flags & BM_O_ACCMODE) == BM_O_ACCMODE)
        return -BM_EINVAL;
    struct open_queue *open = bm_file_allocate(sizeof *open);
    if (!open)
        return -BM_ENOMEM;
    int error = acquire(name, flags, mode, wanted, bytes, &queue);
    if (error) {
        bm_file_free(open, sizeof *open);
        return error;
    }
    open->file.ops = &bm_message_queue_ops;
    open->file.flags = flags & (BM_O_ACCMODE | BM_O_NONBLOCK);
    add(queue, open);
    int descriptor = bm_file_install(&open->file, 0);
    if (descriptor < 0)
        bm_message_queue_ops.close(&open->file);
    else
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

int bm_message_queue_unlink(const char *name)
{
    BM_ASSERT_NO_HANDLER();
    long length = name_check(name);
    if (length < 0)
        return (int)length;
    bm_spinlock_acquire(&lock);
    struct queue **link = find(name, (size_t)length), *queue = *link;
    int error = !queue                 ? -BM_ENOENT
                : bm_permission_own_of ? bm_permission_own_of(queue->owner, queue->owner, BM_CAP_FOWNER)
                                       : 0; // as in a sticky directory
    if (!error)
        *link = queue->next;
    bm_spinlock_release(&lock);
    if (error)
        return error;
    bm_message_queue_release(queue);
    return 0;
}
