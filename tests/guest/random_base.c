// Image and direct map lie elsewhere at each boot; random numbers and the stack canary differ, too.
// SPDX-License-Identifier: MIT
// @cpus max
// @differs ^image (0x\w+)$
// @differs ^direct map (0x\w+)$
// @differs ^random (\w+)$
// @differs ^canary (\w+)$

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
    uint64_t canary;
    __asm__("mov %%fs:0x28, %0" : "=r"(canary));
    CHECK(canary != 0);
    printf("canary %lx\n", (unsigned long)canary);
    return passed();
}
