// Completes the C library's <stdatomic.h>, which uses the types of <stdint.h> without including it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#include_next <stdatomic.h>
