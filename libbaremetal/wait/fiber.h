// Fibers: contexts with a stack of their own that cores run in turn. Private to wait/ and thread/.
// SPDX-License-Identifier: MIT
//
// A core by itself is a fiber, too: its loop, which runs items of work, serves devices and halts. Threads run
// from there when there are some, and one gives the core to the next without passing the loop.
#pragma once

#include "hooks.h"

#include <stdatomic.h>
#include <stddef.h>

// Numbers of contexts: main has 1, the loop of core N (from 1 on) N + 1; BM_CORES_MAX + 1 is no context's.
enum {
    BM_CONTEXT_MAIN = 1,
    BM_CONTEXT_LOOP_0 = 257,
    BM_CONTEXT_FIRST = 258,
    BM_CONTEXT_LAST = BM_CONTEXT_FIRST + (1 << 18) - 1
};

// A time at which a fiber is to be woken (timeout.c).
struct bm_timeout {
    uint64_t deadline;
    struct bm_timeout *child, *next, *previous; // of the heap; `previous` of a first child is its parent
    bool armed;
};

struct bm_fiber {
    uint64_t stack_pointer;  // first, for switch.S: saved while it does not run
    uint64_t thread_pointer; // %fs
    uint64_t kernel_stack; // third, for executable/entry.S: where calls of a Linux program begin; 0: of none
    unsigned context;      // its number
    unsigned core;         // that ran it last
    unsigned pins;         // while not 0 only that core may run it
    unsigned keeps;        // while not 0 its time slice does not end
    uint64_t stack_bottom; // 0: below the stack is a page that is not mapped
    _Atomic(unsigned) state; // enum bm_fiber_state
    unsigned char after;     // enum of fiber.c: what the next one on its core does for it
    bool is_loop;            // a core by itself
    bool polled;             // in the list of those that look again after a poller had work
    struct bm_fiber *next;   // of a run queue
    struct bm_fiber *polled_next, *polled_previous;
    struct bm_timeout timeout;
    void (*gone)(struct bm_fiber *fiber); // called when it has left its stack for good
    const char *name;                     // for reports; NULL: none
};

// How a wake-up is never lost: who wakes sets WOKEN, and makes the fiber run if that replaced PARKED. The
// fiber sets RUNNING before it looks at its condition. Only when its registers are saved and its stack is
// free does the next fiber on its core turn RUNNING into PARKED, or find WOKEN and make it run at once.
// tests/model/fiber.pml goes through every order.
enum bm_fiber_state { BM_FIBER_RUNNING, BM_FIBER_PARKED, BM_FIBER_WOKEN };

// switch.S: saves the registers that a function keeps in `from` and goes on where `to` was. Returns, there,
// the fiber that ran before. A new fiber begins at bm_fiber_entry with what bm_fiber_prepare put on its
// stack.
struct bm_fiber *bm_fiber_switch(struct bm_fiber *from, struct bm_fiber *to);
extern const char bm_fiber_entry[];

// The fiber that runs here; NULL where none does yet: main before the first thread, a core by itself that has
// run none.
struct bm_fiber *bm_fiber_self(void);

// Sets the calling fiber's %fs.
void bm_fiber_pointer_set(uint64_t pointer);

// Makes a fiber begin at function(arg), which never returns, on the stack that ends at `top`.
void bm_fiber_prepare(struct bm_fiber *fiber, void *top, void (*function)(void *arg), void *arg);

// Makes a fiber run that was prepared.
void bm_fiber_start(struct bm_fiber *fiber);

// switch.S calls it when a new fiber begins.
void bm_fiber_begin(struct bm_fiber *before, void (*function)(void *arg), void *arg)
    __attribute__((noreturn));

// Leaves the calling fiber's stack for good; `gone` is called then, on another stack, where nothing may wait.
void bm_fiber_leave(void) __attribute__((noreturn));

// First of all by the loop that bm_fiber_adopt has prepared.
void bm_fiber_loop_back(void);

// Before the first thread is made, on whichever core: from now on every core runs threads.
void bm_fiber_begin_all(void);

// Makes what runs here now a fiber: main, with the loop that core 0 has from now on, which is prepared.
void bm_fiber_adopt(struct bm_fiber *main, struct bm_fiber *loop);

// Waits until somebody wakes it, or returns at once if somebody did so since the state became RUNNING.
void bm_fiber_park(void);

// Wakes a fiber. Any core, not in handlers.
void bm_fiber_wake(struct bm_fiber *fiber);

// Whether any core has a fiber for this one.
bool bm_fiber_runnable(void);

// By a core's loop: runs fibers until there is none, or the devices want to be served. Returns whether there
// was one.
bool bm_fiber_run(struct bm_fiber *loop);

// The calling core's loop as a fiber; NULL before main was adopted, or when memory ended.
struct bm_fiber *bm_fiber_loop(void);

// Whether the calling core's loop has nothing to do but to run fibers.
void bm_fiber_loop_idles(bool idle);

// fiber_wait.c: what a handler of this core did since may be what a thread waits for. (The rest of that file
// is called weakly only: this is what links it.)
void bm_fiber_interrupts_look(void);

// fiber_wait.c: in a handler: this interrupt is none that a thread could wait for.
void bm_fiber_interrupts_pass(void);

// table.c: the fiber with a number, NULL when none was made. Memory of fibers is never given back, only
// used again: who wakes one that ended wakes another one in vain.
struct bm_fiber *bm_fiber_get(unsigned context);

// table.c: gives a fiber its number; false when there are too many, or memory ends.
bool bm_fiber_number(struct bm_fiber *fiber);

// timeout.c: wakes the fiber at that time unless it is disarmed before. Its own fiber arms and disarms it.
void bm_timeout_arm(struct bm_fiber *fiber, uint64_t deadline);
void bm_timeout_disarm(struct bm_fiber *fiber);

// thread/thread.c: makes main a fiber when it waits first. Returns false when there is no memory for that.
bool bm_thread_adopt(void) BM_FIBER_OPTIONAL;
