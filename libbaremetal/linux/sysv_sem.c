// Semaphores of System V: semget and its kin.
// SPDX-License-Identifier: MIT
#include "signals.h"
#include "sysv.h"

#include <baremetal/inode.h>
#include <baremetal/wait.h>

// Limits, by Linux' names: SEMMSL, SEMMNS, SEMOPM, SEMMNI, SEMVMX.
enum {
    SET_MAX = 32000,
    ALL_MAX = 1024000000,
    OPERATIONS_MAX = 500,
    SETS_MAX = 32000,
    VALUE_MAX = 32767,
    UNDO_SIZE = 20 // of struct sem_undo's head, that SEM_INFO tells
};
enum {
    GET_PROCESS = 11,
    GET_VALUE = 12,
    GET_ALL = 13,
    GET_DECREASING = 14,
    GET_ZERO = 15,
    SET_VALUE = 16,
    SET_ALL = 17,
    STATUS_AT = 18,
    SYSTEM_INFORMATION = 19,
    STATUS_ANY = 20
};

struct semaphore {
    unsigned short value;
    unsigned short process;     // that has changed it last
    unsigned decreasing, zeros; // of those that wait: for it to grow, and to be 0
};

struct set {
    struct sysv_object object; // first
    int64_t operated;          // time
    int count;
    struct bm_waitqueue waiters;
    struct semaphore semaphores[];
};

// struct semid64_ds of x86-64.
struct status {
    struct sysv_permissions permissions;
    int64_t operated, unused, changed, unused_too;
    uint64_t count, unused_last[2];
};
_Static_assert(sizeof(struct status) == 104, "struct semid64_ds of x86-64");

// struct seminfo.
struct information {
    int32_t map, sets, all, undos, set, operations, undo_max, undo_size, value, exit_value;
};

static int all; // semaphores, of sets that somebody still waits for, too; under the table's lock

static void set_end(struct sysv_object *object)
{
    struct set *set = (struct set *)object;
    all -= set->count;
    bm_inode_memory_free(set, sizeof *set + (size_t)set->count * sizeof *set->semaphores);
}

static struct sysv_table sets = {.lock = BM_SPINLOCK_INIT, .highest = -1, .max = SETS_MAX, .end = set_end};

static struct sysv_object *set_make(long count)
{
    struct set *set = bm_inode_memory_allocate(sizeof *set + (size_t)count * sizeof *set->semaphores);
    if (!set)
        return NULL;
    set->count = (int)count;
    all += (int)count;
    return &set->object;
}

static long set_check(const struct sysv_object *object, long count)
{
    return count > ((const struct set *)object)->count ? -BM_EINVAL : 0;
}

// A new set has at least one.
long bm_linux_semget(int key, int count, int flags)
{
    if (count < 0 || count > SET_MAX)
        return -BM_EINVAL;
    if (count > 0)
        return bm_linux_sysv_get(&sets, key, flags, set_make, set_check, count);
    long there = key ? bm_linux_sysv_get(&sets, key, flags & 0777, NULL, NULL, 0) : -BM_ENOENT;
    if (there >= 0 && flags & SYSV_CREATE && flags & SYSV_EXCLUSIVE)
        return -BM_EEXIST;
    return there == -BM_ENOENT && (!key || flags & SYSV_CREATE) ? -BM_EINVAL : there;
}

// struct sembuf.
struct operation {
    unsigned short number;
    short change, flags;
};

// A list of operations that are done all at once, or not yet.
struct list {
    struct set *set;
    const struct operation *operations;
    size_t count;
};

// Does them as far as they can be done, and none if not all: *stops says at which. 0, -BM_EAGAIN: not yet,
// -BM_ERANGE. Under the lock.
static long perform(const struct list *list, size_t *stops)
{
    long error = 0;
    size_t i = 0;
    for (; i < list->count; i++) {
        const struct operation *at = &list->operations[i];
        struct semaphore *semaphore = &list->set->semaphores[at->number];
        int value = semaphore->value + at->change;
        if (value < 0 || (!at->change && value))
            error = -BM_EAGAIN;
        else if (value > VALUE_MAX)
            error = -BM_ERANGE;
        if (error)
            break;
        semaphore->value = (unsigned short)value;
    }
    *stops = i;
    while (error && i-- > 0) {
        struct semaphore *semaphore = &list->set->semaphores[list->operations[i].number];
        semaphore->value = (unsigned short)(semaphore->value - list->operations[i].change);
    }
    return error;
}

static void undo(const struct list *list)
{
    for (size_t i = list->count; i-- > 0;) {
        struct semaphore *semaphore = &list->set->semaphores[list->operations[i].number];
        semaphore->value = (unsigned short)(semaphore->value - list->operations[i].change);
    }
}

static bool goes_on(void *arg)
{
    const struct list *list = arg;
    size_t stops;
    bm_spinlock_acquire(&sets.lock);
    bool removed = list->set->object.removed;
    long error = removed ? 0 : perform(list, &stops);
    if (!removed && !error)
        undo(list);
    bm_spinlock_release(&sets.lock);
    return error != -BM_EAGAIN || bm_wait_signalled();
}

// With the lock, which is let go of meanwhile. 0: to look again. *ended: the time had come.
static long wait(struct list *list, size_t stops, uint64_t deadline, bool *ended)
{
    const struct operation *at = &list->operations[stops];
    struct set *set = list->set;
    unsigned *counted =
        at->change ? &set->semaphores[at->number].decreasing : &set->semaphores[at->number].zeros;
    if (at->flags & SYSV_NO_WAIT || *ended)
        return -BM_EAGAIN;
    if (bm_wait_signalled())
        return deadline == UINT64_MAX ? -BM_ERESTART_UNHANDLED : -BM_EINTR;
    ++*counted;
    bm_spinlock_release(&sets.lock);
    *ended = !bm_waitqueue_wait(&set->waiters, goes_on, list, deadline);
    bm_spinlock_acquire(&sets.lock);
    --*counted;
    return set->object.removed ? -BM_EIDRM : 0;
}

static void done(const struct list *list)
{
    bool changes = false;
    for (size_t i = 0; i < list->count; i++) {
        changes |= list->operations[i].change != 0;
        list->set->semaphores[list->operations[i].number].process = LINUX_PROCESS;
    }
    list->set->operated = bm_linux_sysv_now();
    if (changes)
        bm_waitqueue_wake_all(&list->set->waiters);
}

static bool changes(const struct operation *operations, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count && !any; i++)
        any = operations[i].change != 0;
    return any;
}

static long operate(int number, const struct operation *operations, size_t count, uint64_t deadline)
{
    long error = 0;
    size_t stops;
    bool ended = false;
    bm_spinlock_acquire(&sets.lock);
    struct list list = {(struct set *)bm_linux_sysv_find(&sets, number), operations, count};
    if (!list.set)
        error = -BM_EINVAL;
    for (size_t i = 0; !error && i < count; i++)
        if (operations[i].number >= list.set->count)
            error = -BM_EFBIG;
    if (!error)
        error = bm_linux_sysv_permit(&list.set->object, changes(operations, count) ? 2 : 4);
    if (!error) {
        list.set->object.references++;
        while ((error = perform(&list, &stops)) == -BM_EAGAIN)
            if ((error = wait(&list, stops, deadline, &ended)))
                break;
        if (!error)
            done(&list);
        bm_linux_sysv_release(&sets, &list.set->object);
    }
    bm_spinlock_release(&sets.lock);
    return error;
}

// What SEM_UNDO undoes at a process' end ends with the machine.
long bm_linux_semtimedop(int number, const void *operations, unsigned count,
                         const struct linux_timespec *timeout)
{
    struct operation copy[OPERATIONS_MAX];
    uint64_t deadline = UINT64_MAX;
    if (count < 1 || number < 0)
        return -BM_EINVAL;
    if (count > OPERATIONS_MAX)
        return -BM_E2BIG;
    if (!operations)
        return -BM_EFAULT;
    int error = bm_linux_deadline_of(timeout, &deadline);
    if (error)
        return error;
    __builtin_memcpy(copy, operations, count * sizeof *copy);
    long result;
    do
        result = operate(number, copy, count, deadline);
    while (bm_linux_again(&result)); // no cancellation point of musl's
    if (result == -BM_EINTR && bm_linux_signals_self)
        bm_linux_signal_take(bm_linux_signals_self());
    return result;
}

long bm_linux_semop(int number, const void *operations, unsigned count)
{
    return bm_linux_semtimedop(number, operations, count, NULL);
}

int bm_linux_sysv_semaphores(int number)
{
    bm_spinlock_acquire(&sets.lock);
    const struct set *set = (struct set *)bm_linux_sysv_find(&sets, number);
    int count = set ? set->count : 0;
    bm_spinlock_release(&sets.lock);
    return count;
}

static long tell_limits(bool now, struct information *to)
{
    struct information told = {.map = ALL_MAX,
                               .sets = SETS_MAX,
                               .all = ALL_MAX,
                               .undos = ALL_MAX,
                               .set = SET_MAX,
                               .operations = OPERATIONS_MAX,
                               .undo_max = OPERATIONS_MAX,
                               .undo_size = UNDO_SIZE,
                               .value = VALUE_MAX,
                               .exit_value = VALUE_MAX};
    bm_spinlock_acquire(&sets.lock);
    if (now) {
        told.undo_size = sets.count;
        told.exit_value = all;
    }
    long highest = sets.count ? sets.highest : 0;
    bm_spinlock_release(&sets.lock);
    *to = told;
    return highest;
}

static struct status status_of(const struct set *set)
{
    return (struct status){.permissions = set->object.permissions,
                           .operated = set->operated,
                           .changed = set->object.changed,
                           .count = (uint64_t)set->count};
}

// Of one semaphore.
static long control_one(struct set *set, struct semaphore *semaphore, int command, int value)
{
    switch (command) {
    case GET_VALUE:
        return semaphore->value;
    case GET_PROCESS:
        return semaphore->process;
    case GET_DECREASING:
        return semaphore->decreasing;
    case GET_ZERO:
        return semaphore->zeros;
    default:
        if (value < 0 || value > VALUE_MAX)
            return -BM_ERANGE;
        semaphore->value = (unsigned short)value;
        semaphore->process = LINUX_PROCESS;
        set->object.changed = bm_linux_sysv_now();
        bm_waitqueue_wake_all(&set->waiters);
        return 0;
    }
}

static long values_set(struct set *set, const unsigned short *values)
{
    for (int i = 0; i < set->count; i++)
        if (values[i] > VALUE_MAX)
            return -BM_ERANGE;
    for (int i = 0; i < set->count; i++)
        set->semaphores[i] = (struct semaphore){values[i], LINUX_PROCESS, set->semaphores[i].decreasing,
                                                set->semaphores[i].zeros};
    set->object.changed = bm_linux_sysv_now();
    bm_waitqueue_wake_all(&set->waiters);
    return 0;
}

static long permit_control(const struct set *set, int command)
{
    if (command == STATUS_ANY)
        return 0;
    if (command == SYSV_REMOVE || command == SYSV_SET)
        return bm_linux_sysv_permit_change(&set->object);
    return bm_linux_sysv_permit(&set->object, command == SET_ALL || command == SET_VALUE ? 2 : 4);
}

// Of a set; under the lock.
static long control(struct set *set, int command, void *buffer)
{
    unsigned short *values = buffer;
    switch (command) {
    case SYSV_REMOVE:
        bm_linux_sysv_remove(&sets, &set->object);
        bm_waitqueue_wake_all(&set->waiters);
        return 0;
    case SYSV_SET:
        bm_linux_sysv_set(&set->object, &((const struct status *)buffer)->permissions);
        return 0;
    case GET_ALL:
        for (int i = 0; i < set->count; i++)
            values[i] = set->semaphores[i].value;
        return 0;
    case SET_ALL:
        return values_set(set, values);
    default:
        *(struct status *)buffer = status_of(set);
        return command == SYSV_STATUS ? 0 : set->object.number;
    }
}

long bm_linux_semctl(int number, int which, int command, unsigned long argument)
{
    command &= ~SYSV_64;
    void *buffer = (void *)argument;
    bool at = command == STATUS_AT || command == STATUS_ANY;
    bool one = command == GET_VALUE || command == GET_PROCESS || command == GET_DECREASING ||
               command == GET_ZERO || command == SET_VALUE;
    bool whole = at || command == SYSV_REMOVE || command == SYSV_SET || command == SYSV_STATUS ||
                 command == GET_ALL || command == SET_ALL;
    bool limits = command == SYSV_INFORMATION || command == SYSTEM_INFORMATION;
    if (number < 0 || (!one && !whole && !limits))
        return -BM_EINVAL;
    if (!one && command != SYSV_REMOVE && !buffer)
        return -BM_EFAULT;
    if (limits)
        return tell_limits(command == SYSTEM_INFORMATION, buffer);
    bm_spinlock_acquire(&sets.lock);
    struct set *set =
        (struct set *)(at ? bm_linux_sysv_at(&sets, number) : bm_linux_sysv_find(&sets, number));
    long result = set ? permit_control(set, command) : -BM_EINVAL;
    if (result)
        ;
    else if (one && (which < 0 || which >= set->count))
        result = -BM_EINVAL;
    else if (one)
        result = control_one(set, &set->semaphores[which], command, (int)argument);
    else {
        set->object.references++;
        result = control(set, command, buffer);
        bm_linux_sysv_release(&sets, &set->object);
    }
    bm_spinlock_release(&sets.lock);
    return result;
}
