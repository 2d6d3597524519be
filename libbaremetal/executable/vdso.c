// Where a program finds the shared object of vdso.S.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "executable.h"

#include <baremetal/memory.h>
#include <baremetal/time.h>

extern const char bm_executable_vdso[] __attribute__((visibility("hidden")));

// What its second page has.
struct functions {
    uint64_t (*monotonic)(void), (*wall)(void);
};

uint64_t bm_executable_vdso_map(void)
{
    int64_t base = bm_space_map(0, 2 * BM_PAGE_SIZE, BM_SPACE_NONE, false);
    if (base < 0 || bm_space_unmap((uint64_t)base, BM_PAGE_SIZE) ||
        bm_space_map_image((uint64_t)base, bm_executable_vdso, BM_PAGE_SIZE, true))
        return 0;
    uint64_t second = (uint64_t)base + BM_PAGE_SIZE;
    if (bm_space_protect(second, BM_PAGE_SIZE, BM_SPACE_READ | BM_SPACE_WRITE))
        return 0;
    *(struct functions *)second = (struct functions){bm_time_monotonic, bm_time_wall};
    bm_time_wall(); // the first one looks at the clock chip, which is more than a small stack is for
    return bm_space_protect(second, BM_PAGE_SIZE, BM_SPACE_READ) ? 0 : (uint64_t)base;
}
