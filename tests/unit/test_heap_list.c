// malloc_list, under the address and undefined-behaviour sanitizers.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/heap/malloc_list.c libbaremetal/heap/list.c libbaremetal/heap/zeroed.c
#include "heap_host/checks.h"
