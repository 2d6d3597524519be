// How idle cores halt, are woken for items, and hand the devices to each other: halt.c, wait.c and the queue.
// SPDX-License-Identifier: MIT
//
// Each statement is one access to memory that other cores see, in program order: the full fences of the source are
// what makes that true. Items are counted, not named; one that a core takes may never end, so an item that is left in
// the queue must not depend on the cores that run.
//
// Macros choose what there is: WAITS (core WAITER also waits for something else), DEVICES (idle cores have a watcher),
// EVENT (of a device), SHARED (who takes an item takes the whole list and gives back the rest), MWAIT (a write ends a halt, no
// interrupt is sent). Others break a step (SWAP_…, NO_…); `check` sees to it that each of those is found.

#ifndef CORES
#define CORES 3 // at most
#endif
#ifndef ITEMS
#define ITEMS 2
#endif
#ifndef WAITER
#define WAITER 0
#endif
#define NOBODY 255

byte items;            // in the queue, where all cores look
byte submitted;
bool asleep[CORES];    // bm_core.asleep
byte listed;           // `sleepers`: a bit for each core
byte count;            // bm_halt_sleepers
bool wake[CORES];      // bm_core.wake
bool interrupt[CORES]; // pending at a core that halts
bool halted[CORES];
bool busy[CORES];      // runs an item that does not end
#ifdef MWAIT
bool monitored[CORES]; // MONITOR has named `wake`, and nobody has written it since
#endif
#ifdef DEVICES
byte watcher = NOBODY;
bool event;            // waits for a poll
bool armed;            // the device will interrupt
bool raised;
#endif

// What one core waits for, besides for items, as in bm_work_wait.
bool waited_done;
#define over (me == WAITER && waited_done)

// A write to `wake`.
inline write_wake(target) {
#ifdef MWAIT
    d_step { wake[target] = true; monitored[target] = false }
#else
    wake[target] = true
#endif
}

// An interrupt: its handler sets `wake`. None is kept for a later halt.
inline deliver(target) {
    atomic {
        write_wake(target);
        interrupt[target] = halted[target]
    }
}

// bm_core_wake
inline wake_core(target) {
    write_wake(target);
    if
#if defined(NO_INTERRUPT) || defined(MWAIT)
    :: false -> skip
#else
    :: asleep[target] -> deliver(target)
#endif
    :: else -> skip
    fi
}

// claim(): atomic_fetch_and, then the count.
inline claim(target) {
    atomic { claimed = (listed & (1 << target)) != 0; listed = listed & ~(1 << target) }
    if
    :: claimed -> d_step { assert(count > 0); count--; claimed = false; target_claimed = true }
    :: else -> skip
    fi
}

// bm_halt_wake_any: goes through the bits as they were at the beginning.
inline wake_any() {
    bits = listed;
    do
    :: bits == 0 -> break
    :: else ->
        d_step {
            other = (bits & 1 -> 0 : (bits & 2 -> 1 : 2)); // the lowest
            bits = bits & ~(1 << other)
        }
        claim(other);
        if
        :: target_claimed -> wake_core(other); break
        :: else -> skip
        fi
    od;
    atomic { other = 0; bits = 0; target_claimed = false }
}

inline submit() {
#ifdef SWAP_SUBMIT
    someone = count > 0;
    atomic { items++; submitted++ }
#else
    atomic { items++; submitted++ }
#ifdef NO_WAKE
    someone = false;
#else
    someone = count > 0;
#endif
#endif
    if
    :: someone -> wake_any()
    :: else -> skip
    fi
}

inline announce() {
    asleep[me] = true;
#ifdef SWAP_COUNT
    listed = listed | (1 << me);
    count++
#else
    count++;
    listed = listed | (1 << me)
#endif
}

inline withdraw() {
    asleep[me] = false;
    claim(me);
    target_claimed = false
}

#ifdef MWAIT
// bm_halt with MONITOR and MWAIT: what is written between the two keeps the core from halting.
inline halt() {
#ifndef SWAP_MONITOR
    monitored[me] = true;
#endif
    if
    :: wake[me] -> skip
    :: else ->
#ifdef SWAP_MONITOR
        monitored[me] = true;
#endif
        halted[me] = true;
        atomic { (interrupt[me] || !monitored[me]) -> interrupt[me] = false; halted[me] = false }
    fi;
    monitored[me] = false
}
#else
// bm_halt: no interrupt is taken between the look at `wake` and the halt.
inline halt() {
    atomic {
        if
        :: wake[me] -> skip
        :: else -> halted[me] = true
        fi
    }
    if
    :: halted[me] -> atomic { interrupt[me] -> interrupt[me] = false; halted[me] = false }
    :: else -> skip
    fi
}
#endif

#ifdef SHARED
// take_shared: between the two steps nobody sees the items that are given back.
inline take() {
    atomic {
        took = (items > 0 && !over);
        if
        :: took -> rest = items - 1; items = 0
        :: else -> skip
        fi
    }
    items = items + rest;
    if
#ifndef NO_SHARED_WAKE
    :: rest > 0 && count > 0 -> wake_any()
#endif
    :: else -> skip
    fi;
    rest = 0
}
#else
inline take() {
    atomic {
        took = (items > 0 && !over);
        if
        :: took -> items--
        :: else -> skip
        fi
    }
}
#endif

#ifdef DEVICES
inline serve_or_halt() {
    atomic {
        serves = (watcher == NOBODY || watcher == me);
        if
        :: serves -> watcher = me
        :: else -> skip
        fi
    }
    wake[me] = false;
    if
    :: serves -> event = false // bm_poll
    :: else -> skip
    fi;
    announce();
    if
    :: serves ->
        armed = true; // arm_and_halt
        if
        :: event || items > 0 || over -> skip
        :: else -> halt()
        fi
    :: else ->
        if
        :: items > 0 || over || watcher == NOBODY -> skip
        :: else -> halt()
        fi
    fi;
    withdraw();
    serves = false
}

// idle_leave
inline leave() {
    if
    :: watcher == me -> watcher = NOBODY; pass_on = true
    :: watcher == NOBODY -> pass_on = true
    :: else -> skip
    fi;
#ifdef NO_SUCCESSOR
    pass_on = false;
#endif
    if
    :: pass_on && count > 0 -> wake_any()
    :: else -> skip
    fi;
    pass_on = false
}
#else
inline serve_or_halt() {
    wake[me] = false;
#ifdef SWAP_ANNOUNCE
    ready = items > 0 || over;
    announce();
#else
    announce();
    ready = items > 0 || over;
#endif
    if
    :: ready -> skip
    :: else -> halt()
    fi;
    withdraw();
    ready = false
}
inline leave() { skip }
#endif

proctype core(byte me) {
    byte other, bits;
    bool claimed, target_claimed, serves, pass_on, ready, took;
#ifdef SHARED
    byte rest;
#endif
    do
    :: over -> busy[me] = true; break // returns from the wait, and computes
#ifdef SHARED
    :: items > 0 -> // bm_work_run_one, of a core that has not halted
        take();
        if
        :: took -> busy[me] = true; break
        :: else -> skip
        fi
#endif
    :: else ->
        // Spinning and stealing.
        do
        :: items > 0 || over -> break
        :: else -> serve_or_halt()
        od;
        leave();
        take();
#ifndef NO_PASS_ON
        // The end of work.c's idle().
        if
        :: count > 0 && items > 0 -> wake_any()
        :: else -> skip
        fi;
#endif
        if
        :: took -> busy[me] = true; break // an item that does not end
        :: took -> skip
        :: else -> skip
        fi;
    od
}

// Submits from outside: a core that computes, or an interrupt handler.
proctype submitter(byte number) {
    byte other, bits;
    bool claimed, target_claimed, someone;
    do
    :: submitted < ITEMS -> submit()
    :: else -> break
    od
}

// What that core waits for is done.
proctype finisher() {
    waited_done = true;
    wake_core(WAITER)
}

#ifdef EVENT
// An event, and its interrupt, which comes to core 0.
proctype device() {
    byte serves;
    event = true;
    atomic { raised = armed; armed = false }
    if
    :: raised ->
        serves = watcher;
#ifdef NO_FORWARD
        if
        :: asleep[0] -> skip
        :: !asleep[0] && serves != NOBODY -> wake_core(serves)
        :: else -> skip
        fi;
#else
        if
        :: serves != NOBODY -> wake_core(serves)
        :: else -> skip
        fi;
#endif
        deliver(0)
    :: else -> skip
    fi
}
#endif

// When nothing moves any more, every core halts or computes.
init {
    byte i;
    atomic {
        for (i : 0 .. CORES - 1) { run core(i) }
        run submitter(0);
#ifdef WAITS
        run finisher();
#endif
#ifdef EVENT
        run device();
#endif
    }
    timeout;
    bool idle = false;
    for (i : 0 .. CORES - 1) {
        assert(halted[i] || busy[i]);
        idle = idle || halted[i]
    }
    assert(submitted == ITEMS);
    assert(!idle || items == 0);       // no item is left while a core halts
    assert(!(halted[WAITER] && waited_done)); // nor one that waits for what is done
#ifdef DEVICES
    assert(!idle || !event);             // nor an event of a device
    assert(!idle || (watcher != NOBODY && !busy[watcher])); // and somebody will see the next one
#endif
}
