// Timerfd: timers that are read as files. One poller tells of those whose time has come.
// SPDX-License-Identifier: MIT
#include "../base/start.h"
#include "../wait/hooks.h"
#include "../wait/poller.h"
#include "service.h"

#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <baremetal/timerfd.h>
#include <baremetal/wait.h>
#include <baremetal/waitqueue.h>

enum { CLOCK_SET = 1000000 }; // ns by which the realtime clock moves when it is set; reading it is less exact

struct timerfd {
    struct bm_file file; // first
    struct timerfd *next, *previous;
    bool realtime, cancel;
    uint64_t first, interval; // on its clock; first 0: disarmed
    uint64_t expired;         // expirations that nobody has read
    bool untold;              // it has expired since who watches was told
    uint64_t offset;          // of its clock when it was armed
    struct bm_waitqueue readers;
    struct bm_file_watchers watchers;
};

static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of all timers
static struct timerfd *timers;                     // that are open
static BM_ATOMIC(uint64_t) earliest = UINT64_MAX;  // monotonic, when one expires
static unsigned realtime_count;                    // timers of that clock
static uint64_t seen_offset;                       // of the realtime clock, for which `earliest` holds

static uint64_t offset_of(bool realtime)
{
    return realtime ? bm_time_wall() - bm_time_monotonic() : 0;
}

static bool has_moved(uint64_t from, uint64_t to)
{
    return to - from + CLOCK_SET > 2 * (uint64_t)CLOCK_SET;
}

static bool is_cancelled(const struct timerfd *timer)
{
    return timer->cancel && has_moved(timer->offset, offset_of(true));
}

// Counts what has expired. Under the lock, as all below that take no descriptor. Whoever looks at a timer may
// be the first to see it: the poller tells of it all the same.
static void advance(struct timerfd *timer)
{
    uint64_t now = bm_time_monotonic() + offset_of(timer->realtime);
    if (!timer->first || now < timer->first)
        return;
    uint64_t count = timer->interval ? 1 + (now - timer->first) / timer->interval : 1;
    timer->expired += count;
    timer->first = timer->interval ? timer->first + count * timer->interval : 0;
    timer->untold = true;
}

static void tell(struct timerfd *timer)
{
    bm_waitqueue_wake_one(&timer->readers);
    bm_file_changed(&timer->watchers, BM_POLLIN);
}

// Tells of those that have expired, or whose clock was set, and finds when the next one does.
static void look(void)
{
    uint64_t next = UINT64_MAX, now = bm_time_monotonic();
    seen_offset = offset_of(realtime_count != 0);
    for (struct timerfd *timer = timers; timer; timer = timer->next) {
        advance(timer);
        if (timer->untold || is_cancelled(timer))
            tell(timer);
        timer->untold = false;
        uint64_t clock = now + offset_of(timer->realtime);
        uint64_t left = timer->first > clock ? timer->first - clock : 0;
        if (timer->first && left < next - now)
            next = now + left;
    }
    atomic_store(&earliest, next);
}

static bool poll(void *arg)
{
    (void)arg;
    if (bm_time_monotonic() < atomic_load(&earliest) &&
        (!realtime_count || !has_moved(seen_offset, offset_of(true))))
        return false;
    bm_spinlock_acquire(&lock);
    look();
    bm_spinlock_release(&lock);
    return false; // whom it concerns is awake
}

static uint64_t deadline(void *arg)
{
    (void)arg;
    return atomic_load(&earliest);
}

static struct timerfd *timerfd_of(struct bm_file *file)
{
    return (struct timerfd *)file; // its first member
}

static bool is_readable(void *timer)
{
    struct timerfd *of = timer;
    bm_spinlock_acquire(&lock);
    advance(of);
    bool readable = of->expired || is_cancelled(of);
    bm_spinlock_release(&lock);
    return readable;
}

static int timerfd_poll(struct bm_file *file)
{
    return is_readable(timerfd_of(file)) ? BM_POLLIN : 0;
}

static long timerfd_read(struct bm_file *file, void *buffer, size_t size)
{
    struct timerfd *timer = timerfd_of(file);
    if (size < sizeof timer->expired)
        return -BM_EINVAL;
    for (;;) {
        bm_spinlock_acquire(&lock);
        advance(timer);
        uint64_t expired = timer->expired;
        bool cancelled = is_cancelled(timer);
        timer->expired = 0;
        if (cancelled)
            timer->offset = offset_of(true); // said once
        bm_spinlock_release(&lock);
        if (cancelled)
            return -BM_ECANCELED;
        if (expired) {
            __builtin_memcpy(buffer, &expired, sizeof expired);
            return sizeof expired;
        }
        int error =
            bm_wait_signal(&timer->readers, is_readable, timer, file->flags & BM_O_NONBLOCK ? 0 : UINT64_MAX);
        if (error)
            return error;
    }
}

static int timerfd_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

static struct bm_file_watchers *timerfd_watchers(struct bm_file *file)
{
    return &timerfd_of(file)->watchers;
}

static int timerfd_close(struct bm_file *file)
{
    struct timerfd *timer = timerfd_of(file);
    bm_file_gone(&timer->watchers);
    bm_spinlock_acquire(&lock);
    if (timer->next)
        timer->next->previous = timer->previous;
    *(timer->previous ? &timer->previous->next : &timers) = timer->next;
    realtime_count -= timer->realtime;
    bm_spinlock_release(&lock);
    bm_file_free(timer, sizeof *timer);
    return 0;
}

static const struct bm_file_ops timerfd_ops = {.read = timerfd_read,
                                               .poll = timerfd_poll,
                                               .watchers = timerfd_watchers,
                                               .stat = timerfd_stat,
                                               .close = timerfd_close};

static void insert(struct timerfd *timer)
{
    static struct bm_poller poller = {.name = "timerfd", .poll = poll, .deadline = deadline};
    static bool added;
    bm_spinlock_acquire(&lock);
    bool first = !added;
    added = true;
    timer->next = timers;
    if (timers)
        timers->previous = timer;
    timers = timer;
    realtime_count += timer->realtime;
    bm_spinlock_release(&lock);
    if (first)
        bm_poller_add(&poller);
}

int bm_timerfd_open(bool realtime, int flags)
{
    BM_ASSERT_NO_HANDLER();
    if (flags & ~(BM_O_NONBLOCK | BM_O_CLOEXEC))
        return -BM_EINVAL;
    struct timerfd *timer = bm_file_allocate(sizeof *timer);
    if (!timer)
        return -BM_ENOMEM;
    timer->file.ops = &timerfd_ops;
    timer->file.flags = BM_O_RDWR | (flags & BM_O_NONBLOCK);
    timer->realtime = realtime;
    insert(timer);
    int descriptor = bm_file_install(&timer->file, 0);
    if (descriptor < 0)
        timerfd_close(&timer->file);
    else if (flags & BM_O_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

static void left(struct timerfd *timer, struct bm_timerfd_setting *setting)
{
    advance(timer);
    uint64_t now = bm_time_monotonic() + offset_of(timer->realtime);
    setting->interval = timer->interval;
    setting->value = !timer->first ? 0 : timer->first > now ? timer->first - now : 1;
}

static void arm(struct timerfd *timer, const struct bm_timerfd_setting *setting, bool absolute, bool cancel)
{
    uint64_t offset = offset_of(timer->realtime);
    uint64_t from = absolute ? 0 : bm_time_monotonic() + offset;
    timer->interval = setting->interval;
    timer->first = !setting->value                      ? 0
                   : setting->value > UINT64_MAX - from ? UINT64_MAX
                                                        : from + setting->value;
    timer->expired = 0;
    timer->cancel = cancel && absolute && timer->realtime;
    timer->offset = offset;
    look();
}

// The timer of a descriptor, kept; *error says why not.
static struct timerfd *acquire(int descriptor, int *error)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    *error = !file ? -BM_EBADF : file->ops != &timerfd_ops ? -BM_EINVAL : 0;
    if (file && *error)
        bm_file_release(file);
    return *error ? NULL : timerfd_of(file);
}

int bm_timerfd_set(int descriptor, const struct bm_timerfd_setting *setting, bool absolute, bool cancel,
                   struct bm_timerfd_setting *old)
{
    BM_ASSERT_NO_HANDLER();
    int error;
    struct bm_timerfd_setting before;
    struct timerfd *timer = acquire(descriptor, &error);
    if (!timer)
        return error;
    bm_spinlock_acquire(&lock);
    left(timer, &before);
    arm(timer, setting, absolute, cancel);
    bm_spinlock_release(&lock);
    bm_wait_interrupted(); // a core that halts has its timer set for a later time
    bm_wait_wake_cores();
    bm_file_release(&timer->file);
    if (old)
        *old = before;
    return 0;
}

int bm_timerfd_get(int descriptor, struct bm_timerfd_setting *setting)
{
    BM_ASSERT_NO_HANDLER();
    int error;
    struct timerfd *timer = acquire(descriptor, &error);
    if (!timer)
        return error;
    bm_spinlock_acquire(&lock);
    left(timer, setting);
    bm_spinlock_release(&lock);
    bm_file_release(&timer->file);
    return 0;
}
