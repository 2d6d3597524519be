// All calls by their numbers, for numbers that are not known when a program is linked.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

#include <baremetal/log.h>

#define BM_LINUX_ABSENT(name) long bm_linux_##name(void);
#include "absent.def"

// What programs may ask futex for; that function is weak. The linker drops the pointer itself.
static const char *const futex_pi_needed __attribute__((used)) = &bm_linux_futex_pi_linked;

// The arguments that a call does not take are not looked at.
const bm_linux_function bm_linux_table[BM_LINUX_TABLE] = {
#define BM_LINUX_NUMBER(number, name) [number] = (bm_linux_function)(void (*)(void))bm_linux_##name,
#include "numbers.def"
};

static long call_again(bm_linux_function function, const long arguments[6])
{
    long result;
    do
        result = function(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    while (bm_linux_again(&result));
    return result;
}

long bm_linux_call(long number, long a, long b, long c, long d, long e, long f)
{
    if (number >= 0 && number < BM_LINUX_TABLE && bm_linux_table[number])
        return call_again(bm_linux_table[number], (const long[]){a, b, c, d, e, f});
    static bool told[512];
    static bool told_other;
    bool *once = number >= 0 && number < 512 ? &told[number] : &told_other;
    if (!__atomic_exchange_n(once, true, __ATOMIC_RELAXED))
        bm_log_warn("linux", "the program called number %ld, which is not there", number);
    return -BM_ENOSYS;
}
