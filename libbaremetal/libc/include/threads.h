// Threads of C (ISO/IEC 9899:2011 section 7.26) over <baremetal/thread.h> and <baremetal/futex.h>.
// SPDX-License-Identifier: MIT
//
// Functions may be called by main and by threads on any core; by items of work, too, but thrd_exit.
#pragma once

#include <baremetal/compiler.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __cplusplus
#define thread_local _Thread_local // a variable of which each thread has its own
#endif
#define ONCE_FLAG_INIT                                                                                       \
    {                                                                                                        \
        0                                                                                                    \
    }                         // a flag of which call_once has not been called
#define TSS_DTOR_ITERATIONS 4 // rounds of destructors when a thread ends

struct bm_thread;
typedef struct bm_thread *thrd_t;        // a thread
typedef int (*thrd_start_t)(void *arg);  // what a thread begins with
typedef unsigned tss_t;                  // a key of thread-specific storage
typedef void (*tss_dtor_t)(void *value); // its destructor

// A mutex.
typedef struct {
    BM_ATOMIC(uint32_t) state; // free, taken, taken and waited for
    uint32_t recursive, depth; // whether it is, and how often its owner took it
    BM_ATOMIC(uint32_t) owner; // a context's number, of recursive ones
} mtx_t;

// A condition.
typedef struct {
    BM_ATOMIC(uint32_t) sequence; // changes whenever somebody is woken
} cnd_t;

// Whether a function has been called (call_once).
typedef struct {
    BM_ATOMIC(uint32_t) state; // not yet, being called, called
} once_flag;

enum { thrd_success, thrd_busy, thrd_error, thrd_nomem, thrd_timedout }; // results
enum { mtx_plain, mtx_recursive, mtx_timed };                            // kinds of mutexes, to be ORed

// Makes a thread that calls function(arg). Returns thrd_success, thrd_nomem, or thrd_error when there are too
// many (7.26.5.1).
int thrd_create(thrd_t *thread, thrd_start_t function, void *arg);

// The calling thread; NULL in an item of work that a core runs by itself (7.26.5.2).
thrd_t thrd_current(void);

// Nobody will join the thread. Returns thrd_success or thrd_error (7.26.5.3).
int thrd_detach(thrd_t thread);

// Whether two are the same thread (7.26.5.4).
int thrd_equal(thrd_t a, thrd_t b);

// Ends the calling thread with `result`, behind the destructors of its values; of main, the thread alone. The
// last one ends the program as by exit(EXIT_SUCCESS) (7.26.5.5).
_Noreturn void thrd_exit(int result);

// Waits until a thread has ended; *result, if not NULL, gets its result. Returns thrd_success or thrd_error
// (7.26.5.6).
int thrd_join(thrd_t thread, int *result);

// Waits for a time; nothing interrupts it, so *remaining stays as it is. Returns 0, or -2 when the duration
// is none (7.26.5.7).
int thrd_sleep(const struct timespec *duration, struct timespec *remaining);

// Lets other threads run (7.26.5.8).
void thrd_yield(void);

// Calls a function unless a call with this flag has been made; returns when that has ended (7.26.2.1).
void call_once(once_flag *flag, void (*function)(void));

// Makes a mutex of `type`: mtx_plain or mtx_timed, with mtx_recursive or without. Returns thrd_success or
// thrd_error (7.26.4.2); ends one that nobody holds (7.26.4.1).
int mtx_init(mtx_t *mutex, int type);
void mtx_destroy(mtx_t *mutex);

// Takes the mutex: waits until it is free; until the time `when` (TIME_UTC); not at all. Returns
// thrd_success, thrd_timedout, thrd_busy, or thrd_error for a time that is none (7.26.4.3 to 7.26.4.5).
int mtx_lock(mtx_t *mutex);
int mtx_timedlock(mtx_t *mutex, const struct timespec *when);
int mtx_trylock(mtx_t *mutex);

// Gives the mutex back. By its holder. Returns thrd_success (7.26.4.6).
int mtx_unlock(mtx_t *mutex);

// Makes a condition, always with success; ends one that nobody waits for (7.26.3.3, 7.26.3.2).
int cnd_init(cnd_t *condition);
void cnd_destroy(cnd_t *condition);

// Gives the mutex back and waits until somebody wakes the condition, or until the time `when` (TIME_UTC), and
// takes the mutex again. May return without a reason. Returns thrd_success, thrd_timedout or thrd_error
// (7.26.3.6, 7.26.3.5).
int cnd_wait(cnd_t *condition, mtx_t *mutex);
int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *when);

// Wakes one that waits, or all. Returns thrd_success (7.26.3.4, 7.26.3.1).
int cnd_signal(cnd_t *condition);
int cnd_broadcast(cnd_t *condition);

// Makes a key of which each thread has a value, NULL at first; the destructor, if not NULL, is called with
// what is not NULL when a thread ends that thrd_create made, or by thrd_exit. There are 64 keys. Returns
// thrd_success or thrd_error (7.26.6.1). tss_delete calls no destructors (7.26.6.2).
int tss_create(tss_t *key, tss_dtor_t destructor);
void tss_delete(tss_t key);

// The calling thread's value of a key (7.26.6.3); sets it, returns thrd_success or thrd_error (7.26.6.4).
void *tss_get(tss_t key);
int tss_set(tss_t key, void *value);

#ifdef __cplusplus
}
#endif
