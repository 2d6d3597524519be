// Host programs run threads from the beginning: locks are shared.
// SPDX-License-Identifier: MIT
#include <baremetal/lock.h>

__attribute__((constructor)) static void lock_share(void)
{
    bm_lock_shared = true;
}
