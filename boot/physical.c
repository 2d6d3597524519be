// Reading what a loader left in memory, while physical addresses are addresses.
// SPDX-License-Identifier: MIT
#include "protocol.h"

const void *bm_boot_physical(uint64_t physical, uint64_t length)
{
    if (!physical || physical >= BM_BOOT_REACH || length > BM_BOOT_REACH - physical)
        return 0;
    return (const void *)physical;
}
