// The project's configuration of lwIP, with its assertions.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../../net/port/lwipopts.h"
#undef LWIP_NOASSERT
