// Sizes that may be errors.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

typedef long ssize_t;
