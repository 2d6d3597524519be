// The PHY of Intel's gigabit controllers.
// SPDX-License-Identifier: MIT
#pragma once

#include "../advanced/advanced.h"

// Lets a copper port's PHY negotiate, which after power-on, or when an operating system before has put it to
// sleep, it may not do by itself. One that has a link is left alone, as is one that the firmware does not let
// go.
void bm_igb_phy_wake(struct advanced *self);
