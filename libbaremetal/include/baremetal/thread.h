// Threads: functions with stacks of their own, which all cores run.
// SPDX-License-Identifier: MIT
//
// What C libraries build <threads.h> and pthreads on; no C library's type is in it. A thread that waits
// (wait.h) leaves its core to others and goes on at whichever core is free. So does one that computes for
// longer than a time slice, wherever it is in the program's own functions, unless bm_switch_forbid (switch.h)
// keeps it or it holds a spinlock (lock.h): bm_core_id() is good up to there. That takes 4 KiB of its stack;
// a thread that has less left is not interrupted, which of a stack of the caller's its size tells, or an
// unmapped page below it. Cores run items of work (work.h) before threads.
// docs/threads.md has the whole.
//
// Errors: 0 or a negative number of error.h. Functions may be called by main and by threads on any core; by
// items of work, too, unless said otherwise.
#pragma once

#include <baremetal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_thread;

enum { BM_THREAD_NAME_SIZE = 16 };           // with its end, as Linux has it
enum { BM_THREAD_SLICE = 10 * 1000 * 1000 }; // nanoseconds
enum { BM_THREAD_STACK_DEFAULT = 64 << 10 }; // bytes
enum { BM_THREAD_STACK_MIN = 4 << 10 };      // of a stack that bm_thread_create makes

// How a thread is to be. All zeros is a good choice.
struct bm_thread_options {
    const char *name;  // for reports; copied and cut; NULL: none
    size_t stack_size; // bytes, rounded up to pages; 0: BM_THREAD_STACK_DEFAULT. Ends of the stack are the
                       // thread's local variables, as many as the program has
    void *stack; // the end of a stack of the caller's, who keeps it until the thread has left it (below);
                 // NULL: one is made, with a guard page. Of that of an ended thread the next one is made
    void *thread_pointer; // %fs, with its block of thread-local variables, made by the caller; NULL: the
                          // C library's is made on the stack
    bool detached;        // nobody will join it
    BM_ATOMIC(uint32_t) * clear; // NULL, or: set to 0 and woken as a futex (futex.h) once the thread has left
                                 // its stack; Linux' CLONE_CHILD_CLEARTID
    uint32_t *number;            // NULL, or: set to the thread's number (bm_thread_id) before it runs;
                                 // CLONE_PARENT_SETTID
};

// Makes a thread that calls function(arg) and ends with what that returns. *thread is set before it runs.
// Whatever was written before is seen by the thread. options may be NULL. Returns 0, -BM_EAGAIN when there
// are 2^18 threads already, -BM_ENOMEM, or -BM_EINVAL when the stack is too small.
int bm_thread_create(struct bm_thread **thread, void *(*function)(void *arg), void *arg,
                     const struct bm_thread_options *options);

// Ends the calling thread with `result`, for who joins it. Of main it ends only the thread: the machine goes
// on until the program calls exit. By no item of work.
void bm_thread_exit(void *result) __attribute__((noreturn));

// Waits until a thread has ended and takes its result (result may be NULL). Each thread that is not detached
// is joined once; after that `thread` means nothing. Whatever the thread wrote is seen afterwards. Returns 0,
// -BM_ETIMEDOUT when `deadline` (nanoseconds of bm_time_monotonic(); UINT64_MAX: no limit) has come first,
// -BM_EDEADLK for the calling thread itself, or -BM_EINVAL for one that is detached.
int bm_thread_join(struct bm_thread *thread, void **result, uint64_t deadline);

// Nobody will join the thread. Returns 0, or -BM_EINVAL when it is detached already.
int bm_thread_detach(struct bm_thread *thread);

// The calling thread; main is one, too. NULL in an item of work that a core runs by itself, and when there is
// no memory to make a thread of main.
struct bm_thread *bm_thread_self(void);

// The number of a thread's context (wait.h): 1 for main; 258 and more for others, which may come again when a
// thread has been joined. What Linux calls its tid.
unsigned bm_thread_id(const struct bm_thread *thread);

// Lets the other threads that can run on this core run first, and now and then serves the devices.
void bm_thread_yield(void);

// Waits until the time has come (nanoseconds of bm_time_monotonic()).
void bm_thread_sleep(uint64_t until);

// Sets a thread's name, cut to what fits; copies it into name[BM_THREAD_NAME_SIZE].
void bm_thread_name_set(struct bm_thread *thread, const char *name);
void bm_thread_name_get(const struct bm_thread *thread, char *name);

// Sets the calling thread's %fs to `pointer`: what Linux' arch_prctl(ARCH_SET_FS) does. The C library's own
// block, if it made one, is not used any more then.
void bm_thread_pointer_set(void *pointer);

// Has *word set to 0 and woken when the calling thread has left its stack: Linux' set_tid_address. NULL:
// nothing.
void bm_thread_clear_set(BM_ATOMIC(uint32_t) * word);

// Has function(stack, size) called once the calling thread has left its stack, before the word above is set:
// for a stack of the caller's that nobody else will give back. It must not wait.
void bm_thread_left_set(void (*function)(void *stack, size_t size), void *stack, size_t size);

// Threads that there are, with main. Of no use but for reports: it may change at once.
unsigned bm_thread_count(void);

#ifdef __cplusplus
}
#endif
