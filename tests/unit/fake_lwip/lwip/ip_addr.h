// Stand-in for lwIP: see altcp.h beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/altcp.h>
