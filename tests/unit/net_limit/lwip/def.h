// Stand-in for lwIP: see ip_addr.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include "ip_addr.h"
