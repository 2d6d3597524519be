// The instructions that halt a core; apart from the protocol in halt.c, which host tests run, too.
// SPDX-License-Identifier: MIT
#include "halt.h"

#include <stdatomic.h>

void bm_halt(struct bm_core *core)
{
    __asm__ volatile("cli" ::: "memory");
    if (atomic_load(&core->wake))
        __asm__ volatile("sti" ::: "memory");
    else
        __asm__ volatile("sti; hlt" ::: "memory"); // no interrupt is taken between the two
}
