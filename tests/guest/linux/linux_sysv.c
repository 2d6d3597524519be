// Message queues, semaphores and memory of System V: keys, order, limits, waiting and removal.
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

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { KEY = 0x626d6971, TEXT = 64 };
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct text {
    long type;
    char text[TEXT];
};

union argument {
    int value;
    void *buffer;
    unsigned short *array;
};

static void send(int queue, long type, const char *text)
{
    struct text message = {.type = type};
    strcpy(message.text, text);
    CHECK(msgsnd(queue, &message, strlen(text) + 1, 0) == 0);
}

static void receive(int queue, long type, int flags, long found, const char *text)
{
    struct text message;
    CHECK(msgrcv(queue, &message, TEXT, type, flags | IPC_NOWAIT) == (ssize_t)strlen(text) + 1);
    CHECK(message.type == found && strcmp(message.text, text) == 0);
}

static void test_keys(void)
{
    CHECK_ERRNO(msgget(KEY, 0600), ENOENT);
    int queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0640), private = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0 && private >= 0 && queue != private && msgget(KEY, 0) == queue);
    CHECK_ERRNO(msgget(KEY, IPC_CREAT | IPC_EXCL | 0640), EEXIST);
    CHECK(msgget(IPC_PRIVATE, 0600) != private);
    struct msqid_ds status;
    CHECK(msgctl(queue, IPC_STAT, &status) == 0);
    CHECK(status.msg_perm.mode == 0640 && status.msg_qnum == 0 && status.msg_qbytes == 16384);
    CHECK(status.msg_stime == 0 && status.msg_ctime != 0 && status.msg_perm.uid == getuid());
    status.msg_perm.mode = 0600;
    CHECK(msgctl(queue, IPC_SET, &status) == 0 && msgctl(queue, IPC_STAT, &status) == 0);
    CHECK(status.msg_perm.mode == 0600);
    CHECK_ERRNO(msgctl(queue, 77, &status), EINVAL);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    CHECK_ERRNO(msgctl(queue, IPC_RMID, NULL), EINVAL);
    CHECK_ERRNO(msgctl(-1, IPC_STAT, &status), EINVAL);
    int again = msgget(KEY, IPC_CREAT | 0600);
    CHECK(again >= 0 && again != queue); // its number is another one
    CHECK(msgctl(again, IPC_RMID, NULL) == 0 && msgctl(private, IPC_RMID, NULL) == 0);
}

static void test_messages(void)
{
    static struct text message = {.type = 1};
    static char large[16 + 9000];
    int queue = msgget(IPC_PRIVATE, 0600);
    struct msqid_ds status;
    send(queue, 3, "three");
    send(queue, 1, "one");
    send(queue, 2, "two");
    send(queue, 1, "one again");
    receive(queue, 2, MSG_COPY, 2, "two"); // the third
    receive(queue, -2, 0, 1, "one");
    receive(queue, 3, MSG_EXCEPT, 2, "two");
    receive(queue, 0, 0, 3, "three");
    CHECK_ERRNO(msgrcv(queue, &message, TEXT, 7, IPC_NOWAIT), ENOMSG);
    CHECK_ERRNO(msgrcv(queue, &message, 4, 1, 0), E2BIG);
    CHECK(msgrcv(queue, &message, 4, 1, MSG_NOERROR) == 4 && memcmp(message.text, "one ", 4) == 0);
    CHECK_ERRNO(msgrcv(queue, &message, TEXT, 0, MSG_COPY), EINVAL);
    message.type = 0;
    CHECK_ERRNO(msgsnd(queue, &message, 1, 0), EINVAL);
    *(long *)large = 1;
    CHECK_ERRNO(msgsnd(queue, large, 8193, 0), EINVAL);
    CHECK(msgsnd(queue, large, 8192, 0) == 0 && msgsnd(queue, large, 8192, IPC_NOWAIT) == 0);
    CHECK_ERRNO(msgsnd(queue, large, 1, IPC_NOWAIT), EAGAIN);
    CHECK(msgctl(queue, IPC_STAT, &status) == 0 && status.msg_qnum == 2 && status.msg_lspid == getpid());
    CHECK(status.msg_stime != 0 && status.msg_rtime != 0);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    CHECK_ERRNO(msgsnd(queue, large, 1, 0), EINVAL);
}

// Threads that pass numbers on, more than fit, each of a type of its own.
enum { THREADS = 3, MESSAGES = 3000 };
static int busy;

struct number {
    long type, number;
};

static void *sender(void *arg)
{
    struct number message = {.type = (long)arg};
    for (message.number = 0; message.number < MESSAGES; message.number++)
        CHECK(msgsnd(busy, &message, sizeof message.number, 0) == 0);
    return NULL;
}

static void *receiver(void *arg)
{
    struct number message;
    for (long i = 0; i < MESSAGES; i++) {
        CHECK(msgrcv(busy, &message, sizeof message.number, (long)arg, 0) == sizeof message.number);
        CHECK(message.number == i);
    }
    return NULL;
}

static void run_pairs(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t threads[2 * THREADS];
    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[2 * i], NULL, first, (void *)(i + 1)) == 0);
        CHECK(pthread_create(&threads[2 * i + 1], NULL, second, (void *)(i + 1)) == 0);
    }
    for (int i = 0; i < 2 * THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void test_message_threads(void)
{
    struct msqid_ds status;
    busy = msgget(IPC_PRIVATE, 0600);
    run_pairs(receiver, sender);
    CHECK(msgctl(busy, IPC_STAT, &status) == 0 && status.msg_qnum == 0 && status.__msg_cbytes == 0);
    CHECK(msgctl(busy, IPC_RMID, NULL) == 0);
}

static void note(int signal)
{
    (void)signal;
}

static void alarms(bool set)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART}; // which these calls do not do
    const struct itimerval again = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, set ? &again : &never, NULL) == 0);
}

static void test_interrupted(void)
{
    struct text message;
    struct sembuf down = {0, -1, 0};
    const struct timespec hour = {3600, 0};
    int queue = msgget(IPC_PRIVATE, 0600), set = semget(IPC_PRIVATE, 1, 0600);
    alarms(true);
    CHECK_ERRNO(msgrcv(queue, &message, TEXT, 0, 0), EINTR);
    CHECK_ERRNO(semop(set, &down, 1), EINTR);
    CHECK_ERRNO(semtimedop(set, &down, 1, &hour), EINTR);
    alarms(false);
    CHECK(semctl(set, 0, GETNCNT) == 0);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0);
}

static int removed;

static void *waits_for_semaphore(void *arg)
{
    struct sembuf down = {1, -1, 0};
    CHECK_ERRNO(semop(removed, &down, 1), EIDRM);
    return arg;
}

// It ends waits, of which semaphores tell that they have begun.
static void test_removal(void)
{
    pthread_t thread;
    removed = semget(IPC_PRIVATE, 2, 0600);
    CHECK(pthread_create(&thread, NULL, waits_for_semaphore, NULL) == 0);
    while (semctl(removed, 1, GETNCNT) != 1)
        sched_yield();
    CHECK(semctl(removed, 0, IPC_RMID) == 0 && pthread_join(thread, NULL) == 0);
}

static void test_semaphores(void)
{
    unsigned short values[3] = {1, 2, 0}, told[3];
    struct semid_ds status;
    CHECK_ERRNO(semget(KEY, 3, 0600), ENOENT);
    CHECK_ERRNO(semget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(semget(KEY, 32001, IPC_CREAT | 0600), EINVAL);
    int set = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(set >= 0 && semget(KEY, 0, 0) == set && semget(KEY, 3, IPC_CREAT) == set);
    CHECK_ERRNO(semget(KEY, 4, 0), EINVAL);
    CHECK_ERRNO(semget(KEY, 3, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK(semctl(set, 0, IPC_STAT, (union argument){.buffer = &status}) == 0);
    CHECK(status.sem_nsems == 3 && status.sem_otime == 0 && status.sem_ctime != 0);
    CHECK(semctl(set, 0, SETALL, (union argument){.array = values}) == 0);
    CHECK(semctl(set, 0, GETALL, (union argument){.array = told}) == 0);
    CHECK(memcmp(values, told, sizeof values) == 0);
    CHECK(semctl(set, 1, GETVAL) == 2 && semctl(set, 2, SETVAL, (union argument){.value = 9}) == 0);
    CHECK(semctl(set, 2, GETVAL) == 9);
    CHECK_ERRNO(semctl(set, 2, SETVAL, (union argument){.value = 32768}), ERANGE);
    CHECK_ERRNO(semctl(set, 3, GETVAL), EINVAL);

    // All at once, or none.
    struct sembuf some[3] = {{0, -1, 0}, {1, -3, IPC_NOWAIT}, {2, 1, 0}};
    CHECK_ERRNO(semop(set, some, 3), EAGAIN);
    CHECK(semctl(set, 0, GETVAL) == 1 && semctl(set, 2, GETVAL) == 9);
    some[1].sem_op = -2;
    CHECK(semop(set, some, 3) == 0);
    CHECK(semctl(set, 0, GETVAL) == 0 && semctl(set, 1, GETVAL) == 0 && semctl(set, 2, GETVAL) == 10);
    CHECK(semctl(set, 0, GETPID) == getpid());
    struct sembuf wrong[2] = {{0, 32767, 0}, {0, 1, 0}}, zero = {0, 0, IPC_NOWAIT}, far = {3, 1, 0};
    CHECK_ERRNO(semop(set, wrong, 2), ERANGE);
    CHECK(semctl(set, 0, GETVAL) == 0 && semop(set, &zero, 1) == 0);
    zero.sem_num = 2;
    CHECK_ERRNO(semop(set, &zero, 1), EAGAIN);
    CHECK_ERRNO(semop(set, &far, 1), EFBIG);
    CHECK_ERRNO(semop(set, wrong, 0), EINVAL);
    static struct sembuf many[501];
    CHECK_ERRNO(semop(set, many, 501), E2BIG);
    const struct timespec soon = {0, 1000000}, never = {0, -1};
    struct sembuf down = {0, -1, 0};
    CHECK_ERRNO(semtimedop(set, &down, 1, &soon), EAGAIN);
    CHECK_ERRNO(semtimedop(set, &down, 1, &never), EINVAL);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
    CHECK_ERRNO(semop(set, &down, 1), EINVAL);
}

// A counter under a semaphore, and pairs that wait for each other.
static int shared, counter;

static void *counts(void *arg)
{
    struct sembuf down = {0, -1, SEM_UNDO}, up = {0, 1, SEM_UNDO};
    for (int i = 0; i < MESSAGES; i++) {
        CHECK(semop(shared, &down, 1) == 0);
        counter++;
        CHECK(semop(shared, &up, 1) == 0);
    }
    return arg;
}

static void *waits_for_zero(void *arg)
{
    struct sembuf zero = {1, 0, 0}, taken = {2, 1, 0};
    CHECK(semop(shared, &zero, 1) == 0 && semop(shared, &taken, 1) == 0);
    return arg;
}

static void test_semaphore_threads(void)
{
    pthread_t threads[THREADS];
    struct sembuf down = {1, -1, 0}, all = {2, -THREADS, 0};
    shared = semget(IPC_PRIVATE, 3, 0600);
    CHECK(semctl(shared, 0, SETVAL, (union argument){.value = 1}) == 0);
    run_pairs(counts, counts);
    CHECK(counter == 2 * THREADS * MESSAGES && semctl(shared, 0, GETVAL) == 1);
    CHECK(semctl(shared, 1, SETVAL, (union argument){.value = 1}) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, waits_for_zero, NULL) == 0);
    while (semctl(shared, 1, GETZCNT) != THREADS)
        sched_yield();
    CHECK(semop(shared, &down, 1) == 0 && semop(shared, &all, 1) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(semctl(shared, 0, IPC_RMID) == 0);
}

static void test_memory(void)
{
    struct shmid_ds status;
    CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, 100, 0600), ENOENT);
    int number = shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(number >= 0 && shmget(KEY, 0, 0) == number && shmget(KEY, 10000, IPC_CREAT) == number);
    CHECK_ERRNO(shmget(KEY, 10001, 0), EINVAL);
    CHECK_ERRNO(shmget(KEY, 100, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK(shmat(number, (void *)1, 0) == (void *)-1 && errno == EINVAL);
    char *first = shmat(number, NULL, 0), *second = shmat(number, NULL, 0);
    CHECK(first != (void *)-1 && second != (void *)-1 && (unsigned long)first % 4096 == 0);
    CHECK(first[0] == 0 && first[9999] == 0);
    strcpy(first + 5000, "shared");
    CHECK(strcmp(second + 5000, "shared") == 0);
    CHECK(shmctl(number, IPC_STAT, &status) == 0 && status.shm_nattch == 2 && status.shm_segsz == 10000);
    CHECK(status.shm_cpid == getpid() && status.shm_atime != 0 && status.shm_dtime == 0);
    CHECK(shmdt(second) == 0);
    CHECK_ERRNO(shmdt(first + 4096), EINVAL);

    // It stays as long as it is attached, without its key.
    CHECK(shmctl(number, IPC_RMID, NULL) == 0 && strcmp(first + 5000, "shared") == 0);
    CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
    CHECK(shmctl(number, IPC_STAT, &status) == 0 && status.shm_perm.mode == (01000 | 0600));
    CHECK(shmdt(first) == 0);
    CHECK_ERRNO(shmctl(number, IPC_STAT, &status), EINVAL);
    CHECK_ERRNO(shmdt(first), EINVAL);

    // Detached, it keeps what it has.
    number = shmget(IPC_PRIVATE, 1, 0600);
    first = shmat(number, NULL, 0);
    *first = 'k';
    CHECK(shmdt(first) == 0 && *(first = shmat(number, NULL, 0)) == 'k' && shmdt(first) == 0);
    CHECK(shmctl(number, IPC_RMID, NULL) == 0);
    CHECK(shmat(number, NULL, 0) == (void *)-1 && errno == EINVAL);
}

static void test_information(void)
{
    struct msginfo messages;
    struct seminfo semaphores;
    struct msqid_ds status;
    int queue = msgget(IPC_PRIVATE, 0600), found = 0;
    send(queue, 1, "there");
    CHECK(msgctl(0, IPC_INFO, (struct msqid_ds *)&messages) >= 0);
    CHECK(messages.msgmax == 8192 && messages.msgmnb == 16384);
    int highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&messages);
    CHECK(highest >= 0 && messages.msgpool >= 1 && messages.msgmap >= 1 && messages.msgtql >= 6);
    for (int i = 0; i <= highest; i++)
        found += msgctl(i, MSG_STAT, &status) == queue && status.msg_qnum == 1;
    CHECK(found == 1);
    CHECK(semctl(0, 0, IPC_INFO, (union argument){.buffer = &semaphores}) >= 0);
    CHECK(semaphores.semvmx == 32767 && semaphores.semopm == 500 && semaphores.semmsl == 32000);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
}

int main(void)
{
    test_keys();
    test_messages();
    test_message_threads();
    test_semaphores();
    test_semaphore_threads();
    test_interrupted();
    test_removal();
    test_memory();
    test_information();
    return passed();
}
