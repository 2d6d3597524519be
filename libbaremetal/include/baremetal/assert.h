// Assertions: the rules that headers state, checked while the machine runs.
// SPDX-License-Identifier: MIT
//
// They exist in the checked build alone (CMake: -DBAREMETAL_CHECKS=ON, which defines BM_CHECKS); in any other
// build the conditions are compiled, but never evaluated, and leave nothing in the image. Programs may use
// them, too: a failure ends the machine by bm_panic with one sentence, `FUNCTION: RULE; called at image+0x…`,
// and the usual report. baremetal-symbolize names the caller.
#pragma once

#include <baremetal/switch.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef BM_CHECKS
// Whether this is the checked build: 1 or 0.
#define BM_CHECKED 1
#else
// Whether this is the checked build: 1 or 0.
#define BM_CHECKED 0
#endif

// Ends the machine unless `condition` holds, in the name of `function` and of the place `caller`, a return
// address; NULL: where it stands. `rule` is the sentence that is printed.
#define BM_ASSERT_OF(function, condition, rule, caller)                                                      \
    (BM_CHECKED && !(condition) ? bm_assert_failed(function, rule, caller) : (void)0)

// Makes a call in the checked build alone: `call` reports to what watches there.
#define BM_CHECK(call) (BM_CHECKED ? (void)(call) : (void)0)

// What callers of the function that it stands in have to observe: arguments, order, context. `rule` is the
// sentence that is printed where `condition` does not hold. The caller is named, so it stands in the function
// that programs call.
#define BM_ASSERT(condition, rule) BM_ASSERT_OF(__func__, condition, rule, __builtin_return_address(0))

// What must hold here whoever called, and what callers of an inline function have to observe: `condition`,
// `rule` as above, but the place where it stands is named.
#define BM_ASSERT_HERE(condition, rule) BM_ASSERT_OF(__func__, condition, rule, (const void *)0)

// The same `condition` and `rule` with a `caller` that is known from further up.
#define BM_ASSERT_BY(condition, rule, caller) BM_ASSERT_OF(__func__, condition, rule, caller)

// Contexts that a header forbids. The second one is for functions that wait: they are for main and for work
// items, with no lock held.
#define BM_ASSERT_NO_HANDLER()                                                                               \
    BM_ASSERT(!bm_check_in_handler(), "it must not be called in an interrupt handler")
#define BM_ASSERT_MAY_WAIT()                                                                                 \
    do {                                                                                                     \
        BM_ASSERT_NO_HANDLER();                                                                              \
        BM_ASSERT(!bm_check_in_poller(), "it must not be called in a poller");                               \
        BM_ASSERT(!bm_check_lock_held(), "it must not be called with a spinlock held");                      \
        BM_ASSERT(!bm_switch_forbidden(), "it must not be called where bm_switch_forbid keeps the core");    \
    } while (0)

// Ends the machine with the sentence `function`: `rule`. `caller` is a return address; NULL: where this was
// called. Any core, any context. In the checked build alone, like all that follows.
void bm_assert_failed(const char *function, const char *rule, const void *caller)
    __attribute__((noreturn, cold));

// The same for an assertion of a library that has its own words for them: `panic: LIBRARY: MESSAGE
// (FILE:LINE)`, from `library`, `message`, `file` and `line`.
void bm_assert_foreign(const char *library, const char *message, const char *file, int line)
    __attribute__((noreturn, cold));

// Whether this core runs an interrupt handler, or a poller's function, or holds a spinlock. Any context.
bool bm_check_in_handler(void);
bool bm_check_in_poller(void);
bool bm_check_lock_held(void);

// For allocators: fills memory that is given back, so that who still reads it finds out; and whether it is as
// it was filled: `size` bytes from `begin` on. Any context.
void bm_check_poison(void *begin, size_t size);
bool bm_check_poisoned(const void *begin, size_t size);

#ifdef __cplusplus
}
#endif
