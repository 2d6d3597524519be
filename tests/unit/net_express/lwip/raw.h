// Stand-in for lwIP.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip_stand_in.h>
