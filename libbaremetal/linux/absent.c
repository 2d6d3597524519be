// Calls that are not there: each says so once.
// SPDX-License-Identifier: MIT
// @optimize size
#include "linux.h"

#include <baremetal/log.h>

long bm_linux_absent(const char *name, bool *told)
{
    if (!__atomic_exchange_n(told, true, __ATOMIC_RELAXED))
        bm_log_warn("linux", "the program called %s, which is not there", name);
    return -BM_ENOSYS;
}

#define BM_LINUX_ABSENT(name)                                                                                \
    long bm_linux_##name(void);                                                                              \
    long bm_linux_##name(void)                                                                               \
    {                                                                                                        \
        static bool told;                                                                                    \
        return bm_linux_absent(#name, &told);                                                                \
    }
#include "absent.def"
