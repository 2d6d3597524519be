// The project's view of the compiler; an assertion that fails ends the fuzzer with its sentence.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../../../net/port/arch/cc.h"
#undef LWIP_PLATFORM_ASSERT
#define LWIP_PLATFORM_ASSERT(sentence) fail(sentence)
_Noreturn void fail(const char *sentence);
