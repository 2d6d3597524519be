// malloc_bump, under the address and undefined-behaviour sanitizers.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/heap/malloc_bump.c libbaremetal/heap/list.c libbaremetal/heap/zeroed.c
#include "heap_host/checks.h"
