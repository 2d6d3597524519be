// What the machine said of itself at boot, and what early boot decided.
// SPDX-License-Identifier: MIT
#include "early.h"

struct bm_boot_info bm_boot_info;
struct bm_boot_early bm_boot_early_state;

const struct bm_boot_info *bm_boot_info_get(void)
{
    return &bm_boot_info;
}
