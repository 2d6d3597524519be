// Completes the C library's <signal.h>.
// SPDX-License-Identifier: MIT
#pragma once

#include_next <signal.h>

#ifndef NSIG
#define NSIG _NSIG
#endif
