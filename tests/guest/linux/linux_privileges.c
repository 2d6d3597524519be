// What who is not root may not: objects of others, limits, priorities, the clock, names, low ports. The same
// source passes on Linux, as root.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs net
// @script linux_oracle.py
// @machines q35

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { OTHER = 1000, THIRD = 2000, KEEP = -1, PAGE = 4096 };

// Of this process, on a Linux where others run it, too.
static int key;
static char name[32];

// The call itself, since glibc's goes to all threads.
static void be(unsigned user)
{
    CHECK(syscall(SYS_setresuid, KEEP, user, KEEP) == 0);
}

static void test_queues(void)
{
    struct {
        long type;
        char text[4];
    } message = {1, "abc"};
    struct msqid_ds status;
    int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0640), own;
    CHECK(queue >= 0 && msgsnd(queue, &message, 4, 0) == 0);
    be(OTHER);
    CHECK_ERRNO(msgsnd(queue, &message, 4, IPC_NOWAIT), EACCES);
    CHECK(msgget(key, 0400) == queue && msgctl(queue, IPC_STAT, &status) == 0);
    CHECK_ERRNO(msgget(key, 0600), EACCES);
    CHECK_ERRNO(msgctl(queue, IPC_SET, &status), EPERM);
    CHECK_ERRNO(msgctl(queue, IPC_RMID, NULL), EPERM);
    CHECK(msgrcv(queue, &message, 4, 0, IPC_NOWAIT) == 4);
    own = msgget(IPC_PRIVATE, 0200);
    CHECK(own >= 0 && msgsnd(own, &message, 4, 0) == 0);
    CHECK_ERRNO(msgrcv(own, &message, 4, 0, IPC_NOWAIT), EACCES);
    CHECK_ERRNO(msgctl(own, IPC_STAT, &status), EACCES);
    be(0);
    CHECK(msgctl(own, IPC_STAT, &status) == 0 && status.msg_perm.uid == OTHER &&
          status.msg_perm.cuid == OTHER);
    be(OTHER);
    CHECK(msgctl(own, IPC_RMID, NULL) == 0);
    be(0);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
}

union argument {
    int value;
    void *buffer;
    unsigned short *array;
};

static void test_semaphores(void)
{
    unsigned short values[2] = {1, 1};
    struct semid_ds status;
    union argument argument = {.array = values}, to_status = {.buffer = &status};
    int set = semget(key, 2, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(set >= 0 && semctl(set, 0, SETALL, argument) == 0);
    be(OTHER);
    CHECK_ERRNO(semget(key, 2, 0200), EACCES);
    CHECK_ERRNO(semget(key, 0, 0200), EACCES);
    CHECK(semget(key, 2, 0) == set && semctl(set, 1, GETVAL) == 1 && semctl(set, 0, GETALL, argument) == 0);
    CHECK_ERRNO(semop(set, &(struct sembuf){0, 1, 0}, 1), EACCES);
    CHECK_ERRNO(semop(set, &(struct sembuf){0, 0, IPC_NOWAIT}, 1), EAGAIN);
    CHECK_ERRNO(semctl(set, 0, SETVAL, (union argument){.value = 2}), EACCES);
    CHECK_ERRNO(semctl(set, 0, SETALL, argument), EACCES);
    CHECK(semctl(set, 0, IPC_STAT, to_status) == 0);
    CHECK_ERRNO(semctl(set, 0, IPC_SET, to_status), EPERM);
    CHECK_ERRNO(semctl(set, 0, IPC_RMID), EPERM);
    be(0);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

static void test_segments(void)
{
    struct shmid_ds status;
    int segment = shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0640), secret = shmget(IPC_PRIVATE, PAGE, 0600);
    CHECK(segment >= 0 && secret >= 0);
    be(OTHER);
    CHECK_ERRNO(shmget(key, PAGE, 0600), EACCES);
    CHECK(shmget(key, PAGE, 0400) == segment);
    CHECK(shmat(segment, NULL, 0) == (void *)-1 && errno == EACCES);
    void *at = shmat(segment, NULL, SHM_RDONLY);
    CHECK(at != (void *)-1 && shmdt(at) == 0);
    CHECK_ERRNO(shmctl(segment, IPC_RMID, NULL), EPERM);
    CHECK_ERRNO(shmctl(segment, SHM_UNLOCK, NULL), EPERM);
    CHECK_ERRNO(shmctl(secret, IPC_STAT, &status), EACCES);
    be(0);
    CHECK(shmctl(segment, IPC_RMID, NULL) == 0 && shmctl(secret, IPC_RMID, NULL) == 0);
}

static void test_message_queues(void)
{
    struct stat status;
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0640, NULL), other;
    CHECK(queue >= 0);
    be(OTHER);
    CHECK_ERRNO(mq_open(name, O_RDWR), EACCES);
    other = mq_open(name, O_RDONLY);
    CHECK(other >= 0 && mq_close(other) == 0);
    CHECK_ERRNO(syscall(SYS_mq_unlink, name + 1), EPERM);
    be(0);
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
    be(OTHER);
    queue = mq_open(name, O_CREAT | O_EXCL | O_WRONLY, 0400, NULL);
    CHECK(queue >= 0 && fstat(queue, &status) == 0 && status.st_uid == OTHER);
    CHECK_ERRNO(mq_open(name, O_WRONLY), EACCES);
    CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0);
    be(0);
}

// The calls themselves: musl has no sched_setscheduler.
static long schedule(int policy, int priority)
{
    return syscall(SYS_sched_setscheduler, 0, policy, &priority);
}

static void test_priorities(void)
{
    int before = getpriority(PRIO_PROCESS, 0); // of whoever runs the tests, on Linux
    be(OTHER);
    CHECK(setpriority(PRIO_PROCESS, 0, before + 3) == 0);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, before + 2), EACCES);
    CHECK_ERRNO(schedule(SCHED_FIFO, 1), EPERM);
    CHECK_ERRNO(schedule(SCHED_FIFO, 1000), EINVAL);
    CHECK(schedule(SCHED_BATCH, 0) == 0 && schedule(SCHED_OTHER, 0) == 0);
    be(0);
    CHECK(setpriority(PRIO_PROCESS, 0, before) == 0);
}

// What may be locked is counted, whatever has been locked before.
static void test_locked(void)
{
    enum { ACCESS = PROT_READ | PROT_WRITE, OWN = MAP_PRIVATE | MAP_ANONYMOUS };
    CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){2 * PAGE, 2 * PAGE}) == 0);
    char *pages = mmap(NULL, 4 * PAGE, ACCESS, OWN, -1, 0);
    CHECK(pages != MAP_FAILED && mlock(pages + 1, PAGE) == 0 && mlock(pages, 2 * PAGE) == 0);
    CHECK_ERRNO(mlock(pages + 2 * PAGE, 1), ENOMEM);
    CHECK_ERRNO(mlock(pages, 3 * PAGE), ENOMEM);
    CHECK(mmap(NULL, PAGE, ACCESS, OWN | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EAGAIN);
    CHECK_ERRNO(msync(pages + PAGE, 3 * PAGE, MS_INVALIDATE | MS_ASYNC), EBUSY);
    CHECK(msync(pages + 2 * PAGE, 2 * PAGE, MS_INVALIDATE) == 0 && msync(pages, PAGE, MS_SYNC) == 0);
    CHECK(munlock(pages, PAGE) == 0 && mlock(pages + 3 * PAGE, PAGE) == 0);
    CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
    CHECK(munlockall() == 0 && mlockall(MCL_FUTURE) == 0);
    CHECK(mmap(NULL, 3 * PAGE, ACCESS, OWN, -1, 0) == MAP_FAILED && errno == EAGAIN);
    char *locked = mmap(NULL, 2 * PAGE, ACCESS, OWN, -1, 0);
    CHECK(locked != MAP_FAILED && munlockall() == 0 && mlock(pages, 2 * PAGE) == 0);
    CHECK(munmap(locked, 2 * PAGE) == 0 && munmap(pages, 4 * PAGE) == 0);
}

static void test_limits(void)
{
    struct rlimit before, less;
    CHECK(getrlimit(RLIMIT_DATA, &before) == 0);
    less = (struct rlimit){1ull << 39, 1ull << 39};
    be(OTHER);
    CHECK(setrlimit(RLIMIT_DATA, &less) == 0);
    CHECK_ERRNO(setrlimit(RLIMIT_DATA, &before), EPERM);
    test_locked();
    CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}) == 0);
    void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK_ERRNO(mlock(page, PAGE), EPERM);
    CHECK_ERRNO(mlockall(MCL_CURRENT), EPERM);
    CHECK_ERRNO(mlockall(77), EINVAL);
    CHECK(munlock(page, PAGE) == 0);
    be(0);
    if (getpid() == 1) { // in a container of Linux' root may not have it
        CHECK(mlock(page, PAGE) == 0 && munlock(page, PAGE) == 0);
        CHECK(setrlimit(RLIMIT_DATA, &before) == 0);
    }
    CHECK(munmap(page, PAGE) == 0);
}

// The bits by which a program runs as its owner or group, after somebody has written the file.
static unsigned mode_after(int file, unsigned mode, const char *how)
{
    struct stat status;
    CHECK(fchmod(file, mode) == 0);
    be(*how == 'r' ? 0 : OTHER);
    int again = open(name + 1, O_WRONLY | (how[1] == 'o' ? O_TRUNC : 0));
    CHECK(again >= 0);
    if (how[1] == 'w')
        CHECK(write(again, "x", 1) == 1);
    else if (how[1] == '0')
        CHECK(write(again, "x", 0) == 0);
    else if (how[1] == 't')
        CHECK(ftruncate(again, 10) == 0);
    CHECK(close(again) == 0 && fstat(file, &status) == 0);
    be(0);
    return status.st_mode & 07777;
}

static void test_bits(void)
{
    int file = open(name + 1, O_CREAT | O_EXCL | O_RDWR, 0666);
    CHECK(file >= 0 && fchown(file, 0, THIRD) == 0);
    CHECK(mode_after(file, 06777, "rw") == 06777 && mode_after(file, 06777, "rt") == 06777);
    CHECK(mode_after(file, 06777, "uw") == 0777 && mode_after(file, 06777, "ut") == 0777);
    CHECK(mode_after(file, 06777, "uo") == 0777 && mode_after(file, 06777, "u0") == 06777);
    CHECK(mode_after(file, 06767, "uw") == 02767); // the group's own, who may set it
    CHECK(close(file) == 0 && unlink(name + 1) == 0);
}

static void test_machine(void)
{
    struct timespec now;
    be(OTHER);
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &now), EPERM);
    CHECK_ERRNO(sethostname("x", 1), EPERM);
    CHECK_ERRNO(syscall(SYS_setdomainname, "x", 1), EPERM);
    CHECK_ERRNO(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL), EPERM);
    CHECK_ERRNO(syscall(SYS_syslog, 8, NULL, 1), EPERM);
    be(0);
}

// A Linux may be told to let everybody have low ports.
static int ports_are_free(void)
{
    unsigned first = 1024;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    if (file && fscanf(file, "%u", &first) != 1)
        first = 1024;
    if (file)
        fclose(file);
    return first < 1024;
}

static int bind_to(unsigned short port)
{
    struct sockaddr_in there = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int file = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(file >= 0);
    int result = bind(file, (const struct sockaddr *)&there, sizeof there), error = errno;
    CHECK(close(file) == 0);
    errno = error;
    return result;
}

static void test_ports(void)
{
    if (ports_are_free())
        return;
    CHECK(bind_to(81) == 0 && setresuid(KEEP, OTHER, 0) == 0);
    CHECK_ERRNO(bind_to(81), EACCES);
    CHECK_ERRNO(bind_to(1023), EACCES);
    CHECK(bind_to(0) == 0);
    CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
    CHECK(setresuid(KEEP, 0, KEEP) == 0);
}

int main(void)
{
    if (geteuid() != 0) // nobody but root can do it on Linux
        return passed();
    umask(0);
    key = 0x62000000 + getpid();
    snprintf(name, sizeof name, "/bm-privileges-%d", getpid());
    CHECK(syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, THIRD, THIRD, KEEP) == 0);
    test_queues();
    test_semaphores();
    test_segments();
    test_message_queues();
    test_priorities();
    test_limits();
    test_bits();
    test_machine();
    test_ports();
    return passed();
}
