// The image and the direct map lie at another address at each boot; so do random numbers.
// SPDX-License-Identifier: MIT
// @cpus max
// @differs ^image (0x\w+)$
// @differs ^direct map (0x\w+)$
// @differs ^random (\w+)$

#include <baremetal/memory.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    uint64_t number;
    printf("image %p\n", (void *)(uintptr_t)main);
    void *frame = bm_frame_allocate(0);
    CHECK(frame != NULL);
    printf("direct map %#lx\n", (unsigned long)((uintptr_t)frame - bm_memory_physical(frame)));
    CHECK(getentropy(&number, sizeof(number)) == 0);
    printf("random %016lx\n", (unsigned long)number);
    return passed();
}
