// For tests that have one core.
// SPDX-License-Identifier: MIT
#include <baremetal/core.h>

unsigned bm_core_id(void)
{
    return 0;
}

unsigned bm_core_called(void)
{
    return 1;
}
