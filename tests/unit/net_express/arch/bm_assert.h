// The assertions of the network, as the sources of net include them.
// SPDX-License-Identifier: MIT
#include "../../../../net/port/arch/bm_assert.h"
