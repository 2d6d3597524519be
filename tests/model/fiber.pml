// How a thread leaves its core to wait and is woken: bm_fiber_park, bm_fiber_wake and finish of libbaremetal/wait/fiber.c.
// SPDX-License-Identifier: MIT
//
// One thread waits ROUNDS times for a condition that WAKERS others make true, each then waking it; it may be woken in vain.
// Cores take it from the queue when it can run. Each statement is one access to memory that other cores see.
// Macros break a step (SWAP_…, EARLY_…, NO_…); `check` sees to it that each of those is found.

#ifndef CORES
#define CORES 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

mtype = { RUNNING, PARKED, WOKEN };
mtype state = RUNNING;
byte queued = 1;   // in the run queue: never more than once
byte standing = 0; // cores on its stack: never more than one
byte wanted = 0;   // rounds whose condition is true
byte passed = 0;   // rounds that it has waited
byte phase = 0;    // where it goes on: 0 before it looks, 1 behind the switch

// bm_fiber_wake
inline wake() {
    atomic { before = state; state = WOKEN };
    if
    :: before == PARKED -> atomic { queued++; assert(queued == 1) }
    :: else
    fi
}

active [ROUNDS] proctype waker() {
    mtype before;
    wanted++;
    wake()
}

active [1] proctype in_vain() {
    mtype before;
    wake()
}

// A core that takes the thread from the queue, runs it until it parks, and then does for it what has to be done.
active [CORES] proctype core() {
    mtype before;
    bool ended;
end:
    do
    :: atomic { queued > 0 -> queued-- };
       atomic { standing++; assert(standing == 1) };
       ended = false;
       do
       :: passed == ROUNDS -> ended = true; break
       :: else ->
#ifdef SWAP_CLEAR // looks, then says that it runs
          if
          :: wanted > passed -> passed++; goto next
          :: else
          fi;
          state = RUNNING;
#else
          state = RUNNING;
          if
          :: wanted > passed -> passed++; goto next
          :: else
          fi;
#endif
          if
          :: state == WOKEN -> goto next
          :: else
          fi;
          break;
next:     skip
       od;
       if
       :: ended -> standing--; break
       :: else
       fi;
#ifdef EARLY_PARK // before the registers are saved
       atomic { if :: state == RUNNING -> state = PARKED; before = PARKED :: else -> before = WOKEN fi };
       standing--;
#else
       standing--;
#ifdef NO_TOKEN // whatever came meanwhile
       state = PARKED; before = PARKED;
#else
       atomic { if :: state == RUNNING -> state = PARKED; before = PARKED :: else -> before = WOKEN fi };
#endif
#endif
       if
       :: before == WOKEN -> atomic { queued++; assert(queued == 1) }
       :: else
       fi
    od
}

// When nobody can go on, the thread must have ended.
active proctype judge() {
    timeout -> assert(passed == ROUNDS)
}
