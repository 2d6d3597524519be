// malloc_list, as threads see it, under ThreadSanitizer.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/heap/malloc_list.c libbaremetal/heap/list.c libbaremetal/heap/zeroed.c
// @sanitize thread
#include "heap_host/checks.h"
