// Scheduling classes and priorities: kept and told. Threads run by turns all the same, one time slice each.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/thread.h>

enum {
    OTHER = 0,
    FIFO = 1,
    ROUND_ROBIN = 2,
    BATCH = 3,
    IDLE = 5,
    DEADLINE = 6,
    HIGHEST = 99,
    RESET_ON_FORK = 0x40000000,
    ATTRIBUTE_RESET_ON_FORK = 1
};

// The thread of a number, 0: the calling one; *error says why there is none.
static struct bm_linux_signals *find(int number, long *error)
{
    struct bm_linux_signals *found = number < 0    ? NULL
                                     : number == 0 ? bm_linux_signals_self()
                                                   : bm_linux_signals_find(number);
    *error = number < 0 ? -BM_EINVAL : found ? 0 : -BM_ESRCH;
    return found;
}

static bool is_real_time(int policy)
{
    return policy == FIFO || policy == ROUND_ROBIN;
}

// (SCHED_DEADLINE has priorities, although no thread can have it.)
long bm_linux_sched_get_priority_max(int policy)
{
    switch (policy) {
    case FIFO:
    case ROUND_ROBIN:
        return HIGHEST;
    case OTHER:
    case BATCH:
    case IDLE:
    case DEADLINE:
        return 0;
    default:
        return -BM_EINVAL;
    }
}

long bm_linux_sched_get_priority_min(int policy)
{
    long max = bm_linux_sched_get_priority_max(policy);
    return max == HIGHEST ? 1 : max;
}

static bool is_valid(int policy, int priority)
{
    long max = bm_linux_sched_get_priority_max(policy);
    return policy != DEADLINE && max >= 0 && priority <= max && priority >= (max ? 1 : 0);
}

// Without the right to, nobody becomes more urgent: limits for that are 0.
static bool may_become(const struct bm_linux_signals *of, int policy, int priority)
{
    bool less = !is_real_time(policy) || (policy == of->policy && priority <= of->priority);
    return less || bm_may(BM_CAP_SYS_NICE);
}

long bm_linux_sched_getscheduler(int thread)
{
    long error;
    const struct bm_linux_signals *of = find(thread, &error);
    return of ? of->policy | (of->resets ? RESET_ON_FORK : 0) : error;
}

long bm_linux_sched_setscheduler(int thread, int policy, const int *priority)
{
    long error;
    if (!priority || policy < 0)
        return -BM_EINVAL;
    struct bm_linux_signals *of = find(thread, &error);
    if (!of)
        return error;
    int kind = policy & ~RESET_ON_FORK;
    if (!is_valid(kind, *priority))
        return -BM_EINVAL;
    if (!may_become(of, kind, *priority))
        return -BM_EPERM;
    of->policy = (unsigned char)kind;
    of->priority = (unsigned char)*priority;
    of->resets = policy & RESET_ON_FORK;
    return 0;
}

long bm_linux_sched_getparam(int thread, int *priority)
{
    long error;
    const struct bm_linux_signals *of = priority ? find(thread, &error) : NULL;
    if (!of)
        return priority ? error : -BM_EINVAL;
    *priority = of->priority;
    return 0;
}

long bm_linux_sched_setparam(int thread, const int *priority)
{
    long error;
    struct bm_linux_signals *of = priority ? find(thread, &error) : NULL;
    if (!of)
        return priority ? error : -BM_EINVAL;
    if (!is_valid(of->policy, *priority))
        return -BM_EINVAL;
    if (!may_become(of, of->policy, *priority))
        return -BM_EPERM;
    of->priority = (unsigned char)*priority;
    return 0;
}

// One that is FIFO has no slice, says Linux; here it has one all the same, which is told.
long bm_linux_sched_rr_get_interval(int thread, struct linux_timespec *interval)
{
    long error;
    if (!find(thread, &error))
        return error;
    if (!interval)
        return -BM_EFAULT;
    *interval = (struct linux_timespec){0, BM_THREAD_SLICE};
    return 0;
}

// struct sched_attr.
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t min, max;
};

enum { ATTRIBUTES_MIN = 48 };

long bm_linux_sched_getattr(int thread, void *attributes, unsigned size, unsigned flags)
{
    long error;
    if (flags || size < ATTRIBUTES_MIN)
        return -BM_EINVAL;
    const struct bm_linux_signals *of = find(thread, &error);
    if (!of)
        return error;
    const struct attributes told = {.size = size < sizeof told ? size : sizeof told,
                                    .policy = of->policy,
                                    .flags = of->resets ? ATTRIBUTE_RESET_ON_FORK : 0,
                                    .nice = is_real_time(of->policy) ? 0 : of->nice,
                                    .priority = of->priority};
    __builtin_memcpy(attributes, &told, told.size);
    return 0;
}

enum { NICE_MIN = -20, NICE_MAX = 19 };

static signed char nice_of(int nice)
{
    return (signed char)(nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice);
}

long bm_linux_sched_setattr(int thread, const void *attributes, unsigned flags)
{
    long error;
    struct attributes wanted;
    if (!attributes || flags)
        return -BM_EINVAL;
    __builtin_memcpy(&wanted, attributes, ATTRIBUTES_MIN);
    if ((wanted.size && wanted.size < ATTRIBUTES_MIN) || wanted.flags & ~(uint64_t)ATTRIBUTE_RESET_ON_FORK)
        return -BM_EINVAL;
    struct bm_linux_signals *of = find(thread, &error);
    if (!of)
        return error;
    if (wanted.policy > INT32_MAX || wanted.priority > INT32_MAX ||
        !is_valid((int)wanted.policy, (int)wanted.priority))
        return -BM_EINVAL;
    bool nicer = !is_real_time((int)wanted.policy) && nice_of(wanted.nice) < of->nice;
    if (!may_become(of, (int)wanted.policy, (int)wanted.priority) || (nicer && !bm_may(BM_CAP_SYS_NICE)))
        return -BM_EPERM;
    of->policy = (unsigned char)wanted.policy;
    of->priority = (unsigned char)wanted.priority;
    of->resets = wanted.flags;
    if (!is_real_time(of->policy))
        of->nice = nice_of(wanted.nice);
    return 0;
}

// Whom getpriority and setpriority mean.
enum { WHICH_PROCESS, WHICH_GROUP, WHICH_USER };

static long check_who(int which, int who)
{
    long error;
    switch (which) {
    case WHICH_PROCESS:
        return find(who, &error) ? 0 : -BM_ESRCH;
    case WHICH_GROUP:
        return who == 0 || who == LINUX_PROCESS ? 0 : -BM_ESRCH;
    case WHICH_USER:
        return who == 0 ? 0 : -BM_ESRCH;
    default:
        return -BM_EINVAL;
    }
}

// Of several that are meant, the most favourable one.
long bm_linux_getpriority(int which, int who)
{
    long error = check_who(which, who);
    int min = NICE_MAX;
    if (error)
        return error;
    if (which == WHICH_PROCESS)
        return NICE_MAX + 1 - find(who, &error)->nice;
    for (const struct bm_linux_signals *of = atomic_load(&bm_linux_signals_all); of; of = of->next)
        min = !of->ended && of->nice < min ? of->nice : min;
    return NICE_MAX + 1 - min;
}

long bm_linux_setpriority(int which, int who, int nice)
{
    long error = check_who(which, who);
    if (error)
        return error;
    const bool may = bm_may(BM_CAP_SYS_NICE);
    if (which == WHICH_PROCESS) {
        struct bm_linux_signals *of = find(who, &error);
        if (nice_of(nice) < of->nice && !may)
            return -BM_EACCES;
        of->nice = nice_of(nice);
    }
    for (struct bm_linux_signals *of = atomic_load(&bm_linux_signals_all); of && which != WHICH_PROCESS;
         of = of->next) {
        if (of->ended || may || nice_of(nice) >= of->nice)
            of->nice = nice_of(nice);
        else
            error = -BM_EACCES;
    }
    return error;
}
