// Message queues of POSIX: names, order, limits, waiting, watching and notices.
// The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 32, COUNT = 4 };

static mqd_t queue_make(const char *name, int flags)
{
    struct mq_attr attributes = {.mq_maxmsg = COUNT, .mq_msgsize = SIZE};
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attributes);
    CHECK(queue >= 0);
    return queue;
}

static void queue_end(mqd_t queue, const char *name)
{
    CHECK(mq_close(queue) == 0);
    CHECK(mq_unlink(name) == 0);
}

static void test_names(void)
{
    struct mq_attr none = {0}, state;
    char name[NAME_MAX + 3];
    CHECK_ERRNO(mq_open("/none", O_RDWR), ENOENT);
    CHECK_ERRNO(mq_unlink("/none"), ENOENT);
    CHECK_ERRNO(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    CHECK_ERRNO(mq_open("/a", O_RDWR | O_CREAT, 0600, &none), EINVAL);
    memset(name, 'n', sizeof name);
    name[0] = '/';
    name[NAME_MAX + 2] = 0;
    CHECK_ERRNO(mq_open(name, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);
    name[NAME_MAX + 1] = 0;
    mqd_t longest = mq_open(name, O_RDWR | O_CREAT, 0600, NULL), queue = queue_make("/names", 0);
    CHECK(longest >= 0 && mq_getattr(longest, &state) == 0);
    CHECK(state.mq_flags == 0 && state.mq_maxmsg == 10 && state.mq_msgsize == 8192 && state.mq_curmsgs == 0);
    queue_end(longest, name);
    CHECK_ERRNO(mq_open("/names", O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
    CHECK(fcntl(queue, F_GETFD) == FD_CLOEXEC);

    // It lives on without a name, beside another one of that name; and without a descriptor.
    CHECK(mq_unlink("/names") == 0);
    CHECK(mq_send(queue, "old", 3, 0) == 0);
    mqd_t other = queue_make("/names", 0);
    CHECK(mq_getattr(other, &state) == 0 && state.mq_curmsgs == 0);
    CHECK(mq_getattr(queue, &state) == 0 && state.mq_curmsgs == 1);
    CHECK(mq_close(queue) == 0 && mq_send(other, "new", 3, 0) == 0 && mq_close(other) == 0);
    CHECK_ERRNO(mq_getattr(other, &state), EBADF);
    CHECK((other = mq_open("/names", O_RDONLY)) >= 0);
    CHECK(mq_getattr(other, &state) == 0 && state.mq_curmsgs == 1 && state.mq_maxmsg == COUNT);
    queue_end(other, "/names");
}

static void test_order(void)
{
    static const struct {
        const char *text;
        unsigned priority;
    } sent[COUNT] = {{"low", 0}, {"first of two", 7}, {"second of two", 7}, {"high", 32767}};
    static const int order[COUNT] = {3, 1, 2, 0};
    char buffer[SIZE];
    unsigned priority;
    mqd_t queue = queue_make("/order", 0);
    for (int i = 0; i < COUNT; i++)
        CHECK(mq_send(queue, sent[i].text, strlen(sent[i].text), sent[i].priority) == 0);
    for (int i = 0; i < COUNT; i++) {
        const char *text = sent[order[i]].text;
        CHECK(mq_receive(queue, buffer, sizeof buffer, &priority) == (ssize_t)strlen(text));
        CHECK(memcmp(buffer, text, strlen(text)) == 0 && priority == sent[order[i]].priority);
    }
    CHECK(mq_send(queue, "", 0, 1) == 0 && mq_receive(queue, buffer, sizeof buffer, NULL) == 0);
    queue_end(queue, "/order");
}

static void test_errors(void)
{
    char buffer[SIZE + 1] = {0};
    struct mq_attr flags = {.mq_flags = O_NONBLOCK}, state;
    struct timespec wrong = {0, 1000000000}, past = {1, 0};
    mqd_t queue = queue_make("/errors", 0);
    mqd_t reading = mq_open("/errors", O_RDONLY), writing = mq_open("/errors", O_WRONLY | O_NONBLOCK);
    CHECK(reading >= 0 && writing >= 0);
    CHECK_ERRNO(mq_send(reading, "", 0, 0), EBADF);
    CHECK_ERRNO(mq_receive(writing, buffer, SIZE, NULL), EBADF);
    CHECK_ERRNO(mq_send(0, "", 0, 0), EBADF);
    CHECK_ERRNO(mq_send(queue, buffer, SIZE + 1, 0), EMSGSIZE);
    CHECK_ERRNO(mq_receive(queue, buffer, SIZE - 1, NULL), EMSGSIZE);
    CHECK_ERRNO(mq_send(queue, "", 0, 32768), EINVAL);
    CHECK_ERRNO(mq_timedsend(queue, "", 0, 0, &wrong), EINVAL);
    CHECK_ERRNO(mq_timedreceive(queue, buffer, SIZE, NULL, &past), ETIMEDOUT);
    for (int i = 0; i < COUNT; i++)
        CHECK(mq_timedsend(queue, "", 0, 0, &past) == 0); // there is room: the time is not looked at
    CHECK_ERRNO(mq_timedsend(queue, "", 0, 0, &past), ETIMEDOUT);
    CHECK_ERRNO(mq_send(writing, "", 0, 0), EAGAIN);
    CHECK(mq_setattr(queue, &flags, &state) == 0 && state.mq_flags == 0 && state.mq_curmsgs == COUNT);
    CHECK_ERRNO(mq_send(queue, "", 0, 0), EAGAIN);
    flags.mq_flags = O_APPEND;
    CHECK_ERRNO(mq_setattr(queue, &flags, NULL), EINVAL);
    CHECK(mq_getattr(queue, &state) == 0 && state.mq_flags == O_NONBLOCK);
    for (int i = 0; i < COUNT; i++)
        CHECK(mq_receive(queue, buffer, SIZE, NULL) == 0);
    CHECK_ERRNO(mq_receive(queue, buffer, SIZE, NULL), EAGAIN);
    CHECK(mq_close(reading) == 0 && mq_close(writing) == 0);
    queue_end(queue, "/errors");
}

static void test_bytes(void)
{
    struct rlimit before, limit;
    struct mq_attr attributes = {.mq_maxmsg = 8, .mq_msgsize = 1000};
    CHECK(getrlimit(RLIMIT_MSGQUEUE, &before) == 0);
    limit = before;
    limit.rlim_cur = 8 * (1000 + 48 + 48) - 1;
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
    CHECK_ERRNO(mq_open("/bytes", O_RDWR | O_CREAT, 0600, &attributes), EMFILE);
    limit.rlim_cur++;
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
    for (int i = 0; i < 3; i++) { // what has ended counts no more
        mqd_t queue = mq_open("/bytes", O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        CHECK(queue >= 0);
        queue_end(queue, "/bytes");
    }
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &before) == 0);
}

static int polled(mqd_t queue)
{
    struct pollfd descriptor = {queue, POLLIN | POLLOUT, 0};
    CHECK(poll(&descriptor, 1, 0) >= 0);
    return descriptor.revents;
}

static void test_watching(void)
{
    char buffer[SIZE];
    struct stat status;
    mqd_t queue = queue_make("/watched", 0), other = mq_open("/watched", O_RDONLY);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    CHECK(other >= 0 && epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event) == 0);
    CHECK(fstat(queue, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0600);
    CHECK(polled(queue) == POLLOUT && epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0);
    CHECK(polled(queue) == (POLLIN | POLLOUT) && polled(other) == (POLLIN | POLLOUT));
    CHECK(mq_close(other) == 0); // whose watchers are others
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.events == EPOLLIN);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    for (int i = 1; i < COUNT; i++)
        CHECK(mq_send(queue, "", 0, 0) == 0);
    CHECK(polled(queue) == POLLIN && epoll_wait(epoll, &event, 1, -1) == 1);
    CHECK(mq_receive(queue, buffer, SIZE, NULL) == 0 && polled(queue) == (POLLIN | POLLOUT));
    CHECK(close(epoll) == 0);
    queue_end(queue, "/watched");
}

// Threads that send and receive more than fits.
enum { THREADS = 3, MESSAGES = 500 };
static atomic_ulong received_sum, received_count;

static void *sender(void *arg)
{
    mqd_t queue = mq_open("/busy", O_WRONLY);
    CHECK(queue >= 0);
    for (unsigned long i = 0; i < MESSAGES; i++) {
        unsigned long number = (unsigned long)arg * MESSAGES + i;
        CHECK(mq_send(queue, (const char *)&number, sizeof number, (unsigned)(number % 5)) == 0);
    }
    CHECK(mq_close(queue) == 0);
    return NULL;
}

static void *receiver(void *arg)
{
    mqd_t queue = mq_open("/busy", O_RDONLY);
    CHECK(queue >= 0);
    for (int i = 0; i < MESSAGES; i++) {
        unsigned long number[SIZE / sizeof(long)];
        CHECK(mq_receive(queue, (char *)number, SIZE, NULL) == sizeof(long));
        atomic_fetch_add(&received_sum, *number);
        atomic_fetch_add(&received_count, 1);
    }
    CHECK(mq_close(queue) == 0);
    return arg;
}

static void test_threads(void)
{
    pthread_t threads[2 * THREADS];
    mqd_t queue = queue_make("/busy", 0);
    struct mq_attr state;
    for (unsigned long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[2 * i], NULL, receiver, NULL) == 0);
        CHECK(pthread_create(&threads[2 * i + 1], NULL, sender, (void *)i) == 0);
    }
    for (int i = 0; i < 2 * THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(received_count == THREADS * MESSAGES);
    CHECK(received_sum == (unsigned long)THREADS * MESSAGES * (THREADS * MESSAGES - 1) / 2);
    CHECK(mq_getattr(queue, &state) == 0 && state.mq_curmsgs == 0);
    queue_end(queue, "/busy");
}

static atomic_int signals;
static siginfo_t last;
static mqd_t to_feed = -1; // the handler sends there

static void note(int signal, siginfo_t *information, void *context)
{
    (void)signal;
    (void)context;
    last = *information;
    if (atomic_fetch_add(&signals, 1) == 3 && to_feed >= 0)
        mq_send(to_feed, "fed", 3, 0);
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
    atomic_store(&signals, 0);
}

// Signals that come again and again find the call waiting at last.
static void test_interrupted(void)
{
    char buffer[SIZE];
    const struct itimerval again = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    mqd_t queue = queue_make("/interrupted", 0);
    handle(SIGALRM, 0);
    CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
    CHECK_ERRNO(mq_receive(queue, buffer, SIZE, NULL), EINTR);
    for (int i = 0; i < COUNT; i++)
        while (mq_send(queue, "", 0, 0) != 0)
            CHECK(errno == EINTR);
    CHECK_ERRNO(mq_send(queue, "", 0, 0), EINTR);
    for (int i = 0; i < COUNT; i++)
        while (mq_receive(queue, buffer, SIZE, NULL) != 0)
            CHECK(errno == EINTR);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    to_feed = queue;
    handle(SIGALRM, SA_RESTART); // the fourth one ends the wait
    CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
    CHECK(mq_receive(queue, buffer, SIZE, NULL) == 3 && atomic_load(&signals) >= 4);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    to_feed = -1;
    queue_end(queue, "/interrupted");
}

static void test_notices(void)
{
    char buffer[SIZE];
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 1234;
    mqd_t queue = queue_make("/notices", 0);
    handle(SIGUSR1, 0);
    CHECK(mq_notify(queue, NULL) == 0);
    CHECK(mq_notify(queue, &event) == 0);
    CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
    CHECK(mq_send(queue, "", 0, 0) == 0);
    CHECK(atomic_load(&signals) == 1 && last.si_code == SI_MESGQ && last.si_value.sival_int == 1234);
    CHECK(last.si_pid == getpid());

    // Once, and of an empty queue alone.
    CHECK(mq_send(queue, "", 0, 0) == 0 && mq_notify(queue, &event) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0 && atomic_load(&signals) == 1);
    for (int i = 0; i < 3; i++)
        CHECK(mq_receive(queue, buffer, SIZE, NULL) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0 && atomic_load(&signals) == 2);
    CHECK(mq_receive(queue, buffer, SIZE, NULL) == 0);

    // Taken back, and by a close.
    CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0 && mq_notify(queue, &event) == 0);
    CHECK(mq_close(mq_open("/notices", O_RDONLY)) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0 && atomic_load(&signals) == 2);
    event.sigev_notify = 77;
    CHECK_ERRNO(mq_notify(queue, &event), EINVAL);
    event.sigev_notify = SIGEV_NONE;
    CHECK(mq_notify(queue, &event) == 0);
    CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
    queue_end(queue, "/notices");
}

static sem_t told;

static void tell(union sigval value)
{
    CHECK(value.sival_int == 99);
    sem_post(&told);
}

static void test_thread_notice(void)
{
    char buffer[SIZE];
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell};
    event.sigev_value.sival_int = 99;
    mqd_t queue = queue_make("/thread", 0);
    CHECK(sem_init(&told, 0, 0) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(mq_notify(queue, &event) == 0);
        CHECK(mq_send(queue, "", 0, 0) == 0 && sem_wait(&told) == 0);
        CHECK(mq_receive(queue, buffer, SIZE, NULL) == 0);
    }
    CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0);
    CHECK_ERRNO(sem_trywait(&told), EAGAIN);
    queue_end(queue, "/thread");
}

int main(void)
{
    test_names();
    test_order();
    test_errors();
    test_bytes();
    test_watching();
    test_threads();
    test_interrupted();
    test_notices();
    test_thread_notice();
    return passed();
}
