// Message queues of POSIX.
// SPDX-License-Identifier: MIT
#include "limits.h"
#include "linux.h"
#include "netlink.h"
#include "signals.h"

#include <baremetal/inode.h>
#include <baremetal/message_queue.h>
#include <baremetal/time.h>

enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD };
enum { COOKIE = 32 }; // bytes that SIGEV_THREAD's descriptor gets; the last one says what has happened

long bm_linux_mq_open(const char *name, int flags, unsigned mode,
                      const struct bm_linux_queue_attributes *wanted)
{
    struct bm_message_queue_state state = {0};
    if (!name)
        return -BM_EFAULT;
    if (wanted)
        state = (struct bm_message_queue_state){.max = wanted->max, .size = wanted->size};
    return bm_message_queue_open(name, flags, mode & 0777, wanted ? &state : NULL,
                                 bm_linux_limit_get(LINUX_LIMIT_MESSAGES));
}

long bm_linux_mq_unlink(const char *name)
{
    return name ? bm_message_queue_unlink(name) : -BM_EFAULT;
}

// The deadline of a time of day; NULL: none.
static int deadline_of(const struct linux_timespec *timeout, uint64_t *deadline)
{
    uint64_t time;
    *deadline = UINT64_MAX;
    if (!timeout)
        return 0;
    int error = bm_linux_nanoseconds(timeout, &time);
    if (error)
        return error;
    uint64_t now = bm_time_wall();
    *deadline = time > now ? bm_linux_deadline(time - now) : 0;
    return 0;
}

long bm_linux_mq_timedsend(int descriptor, const void *data, size_t size, unsigned priority,
                           const struct linux_timespec *timeout)
{
    uint64_t deadline;
    int error = deadline_of(timeout, &deadline);
    return error ? error : bm_message_queue_send(descriptor, data, size, priority, deadline);
}

long bm_linux_mq_timedreceive(int descriptor, void *buffer, size_t size, unsigned *priority,
                              const struct linux_timespec *timeout)
{
    uint64_t deadline;
    int error = deadline_of(timeout, &deadline);
    return error ? error : bm_message_queue_receive(descriptor, buffer, size, priority, deadline);
}

long bm_linux_mq_getsetattr(int descriptor, const struct bm_linux_queue_attributes *wanted,
                            struct bm_linux_queue_attributes *old)
{
    struct bm_message_queue_state state;
    int flags = wanted ? (int)wanted->flags : 0;
    if (wanted && wanted->flags != flags)
        return -BM_EINVAL;
    int error = bm_message_queue_state(descriptor, wanted ? &flags : NULL, &state);
    if (!error && old)
        *old = (struct bm_linux_queue_attributes){
            .flags = state.flags, .max = state.max, .size = state.size, .count = state.count};
    return error;
}

// Who is told, how.
struct notice {
    struct bm_message_queue_notice notice; // first
    struct bm_linux_event event;
    struct bm_file *file; // of SIGEV_THREAD
    char cookie[COOKIE];
};

// To a file that takes it at once: a queue's sender does not wait for whom it tells.
static void cookie_write(struct bm_file *file, char cookie[COOKIE], int event)
{
    cookie[COOKIE - 1] = (char)event;
    if (bm_net_netlink_tell && bm_net_netlink_tell(file, cookie, COOKIE))
        return;
    if (file->ops->poll && file->ops->write && file->ops->poll(file) & BM_POLLOUT)
        file->ops->write(file, cookie, COOKIE);
}

static void notice_free(struct notice *notice)
{
    if (notice->file)
        bm_file_release(notice->file);
    bm_inode_memory_free(notice, sizeof *notice);
}

static void tell(struct bm_message_queue_notice *told, int event)
{
    struct notice *notice = (struct notice *)told; // its first member
    const struct bm_linux_signal what = {.signal = notice->event.signal,
                                         .code = LINUX_SI_MESGQ,
                                         .words = {LINUX_PROCESS, notice->event.value}};
    bool signals = notice->event.notify == SIGEV_SIGNAL && event == BM_MESSAGE_ARRIVED;
    if (notice->file)
        cookie_write(notice->file, notice->cookie, event);
    notice_free(notice);
    if (signals)
        bm_linux_signal_raise(NULL, &what);
}

// What musl and glibc do with SIGEV_THREAD: a thread reads what is written to a descriptor, which glibc has
// of netlink: there it is what comes.
static int notice_thread(struct notice *notice)
{
    const void *cookie = (const void *)notice->event.value;
    if (!cookie)
        return -BM_EFAULT;
    notice->file = bm_file_acquire(notice->event.signal);
    if (!notice->file)
        return -BM_EBADF;
    __builtin_memcpy(notice->cookie, cookie, COOKIE);
    return 0;
}

static int notice_make(const struct bm_linux_event *event, struct notice **made)
{
    if (event->notify < SIGEV_SIGNAL || event->notify > SIGEV_THREAD)
        return -BM_EINVAL;
    if (event->notify == SIGEV_SIGNAL && (event->signal < 0 || event->signal > LINUX_SIGNALS))
        return -BM_EINVAL;
    struct notice *notice = bm_inode_memory_allocate(sizeof *notice);
    if (!notice)
        return -BM_ENOMEM;
    notice->notice.tell = tell;
    notice->event = *event;
    int error = event->notify == SIGEV_THREAD ? notice_thread(notice) : 0;
    if (error)
        notice_free(notice);
    *made = notice;
    return error;
}

long bm_linux_mq_notify(int descriptor, const struct bm_linux_event *event)
{
    struct notice *notice = NULL;
    int error = event ? notice_make(event, &notice) : 0;
    if (error)
        return error;
    error = bm_message_queue_notify(descriptor, notice ? &notice->notice : NULL);
    if (error && notice)
        notice_free(notice);
    return error;
}
