// Calls of queues, semaphores, limits and scheduling classes, as calls.h has the others.
// SPDX-License-Identifier: MIT
#pragma once

#include "abi.h"

struct bm_linux_event; // calls.h

// A soft and a hard limit of resources.
struct bm_linux_limit {
    uint64_t soft, hard;
};

// What message queues are told and tell: struct mq_attr.
struct bm_linux_queue_attributes {
    int64_t flags, max, size, count, unused[4];
};

// mq.c: Message queues of POSIX.
// part: cannot be read as a file
long bm_linux_mq_open(const char *name, int flags, unsigned mode,
                      const struct bm_linux_queue_attributes *wanted);
// complete
long bm_linux_mq_unlink(const char *name);
// complete
long bm_linux_mq_timedsend(int descriptor, const void *data, size_t size, unsigned priority,
                           const struct linux_timespec *timeout);
// complete
long bm_linux_mq_timedreceive(int descriptor, void *buffer, size_t size, unsigned *priority,
                              const struct linux_timespec *timeout);
// complete
long bm_linux_mq_notify(int descriptor, const struct bm_linux_event *event);
// complete
long bm_linux_mq_getsetattr(int descriptor, const struct bm_linux_queue_attributes *wanted,
                            struct bm_linux_queue_attributes *old);

// sysv_msg.c: Message queues of System V; sysv.c has what they share with the next ones.
// complete
long bm_linux_msgget(int key, int flags);
// complete
long bm_linux_msgsnd(int number, const void *message, size_t size, int flags);
// complete
long bm_linux_msgrcv(int number, void *message, size_t size, long type, int flags);
// complete
long bm_linux_msgctl(int number, int command, void *buffer);

// sysv_sem.c: Semaphores of System V.
// complete
long bm_linux_semget(int key, int count, int flags);
// complete
long bm_linux_semop(int number, const void *operations, unsigned count);
// complete
long bm_linux_semtimedop(int number, const void *operations, unsigned count,
                         const struct linux_timespec *timeout);
// complete
long bm_linux_semctl(int number, int which, int command, unsigned long argument);

// sysv_shm.c: Shared memory of System V.
// part: no huge pages
long bm_linux_shmget(int key, size_t size, int flags);
// part: who attaches a segment again gets the same address, and can write there
long bm_linux_shmat(int number, uint64_t address, int flags);
// complete
long bm_linux_shmdt(uint64_t address);
// complete
long bm_linux_shmctl(int number, int command, void *buffer);

// limits.c: Limits of resources.
// part: kept to: RLIMIT_FSIZE, RLIMIT_MSGQUEUE, RLIMIT_NOFILE (65,536 at most), RLIMIT_SIGPENDING; others are
// kept and told
long bm_linux_prlimit64(int process, unsigned resource, const struct bm_linux_limit *wanted,
                        struct bm_linux_limit *old);
// complete
long bm_linux_getrlimit(unsigned resource, struct bm_linux_limit *limit);
// part: as prlimit64
long bm_linux_setrlimit(unsigned resource, const struct bm_linux_limit *limit);

// sched.c: Scheduling classes and priorities. Threads run by turns, one time slice each, whatever they are.
// complete
long bm_linux_sched_getscheduler(int thread);
// part: SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH and SCHED_IDLE are kept and told, without effect
long bm_linux_sched_setscheduler(int thread, int policy, const int *priority);
// complete
long bm_linux_sched_getparam(int thread, int *priority);
// part: kept and told, without effect
long bm_linux_sched_setparam(int thread, const int *priority);
// complete
long bm_linux_sched_get_priority_max(int policy);
// complete
long bm_linux_sched_get_priority_min(int policy);
// complete
long bm_linux_sched_rr_get_interval(int thread, struct linux_timespec *interval);
// complete
long bm_linux_sched_getattr(int thread, void *attributes, unsigned size, unsigned flags);
// part: as sched_setscheduler
long bm_linux_sched_setattr(int thread, const void *attributes, unsigned flags);
// complete
long bm_linux_getpriority(int which, int who);
// part: kept and told, without effect
long bm_linux_setpriority(int which, int who, int nice);
