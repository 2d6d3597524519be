// Numbers from text, for lwIP's names of interfaces.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

int atoi(const char *text);
