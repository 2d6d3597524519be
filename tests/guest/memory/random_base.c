// Image and direct map lie elsewhere at each boot; random numbers and the stack canaries differ, too. The
// kernel's canary is its own: its code runs whatever %fs is.
// SPDX-License-Identifier: MIT
// @cpus max
// @expect ^warning: test: without a thread$
// @differs ^image (0x\w+)$
// @differs ^direct map (0x\w+)$
// @differs ^random (\w+)$
// @differs ^canary (\w+)$
// @differs ^the kernel's (\w+)$

#include "../../../libbaremetal/base/core.h"
#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

// Kernel functions that have arrays on the stack, while %fs leads to an address that is not mapped.
__attribute__((no_stack_protector)) static void without_thread(void)
{
    enum { FS_BASE = (int)0xc0000100 };
    char text[64];
    uint64_t thread = bm_msr_read((uint32_t)FS_BASE), number;
    bm_msr_write((uint32_t)FS_BASE, 0);
    bm_format(text, sizeof text, "%lu", 12345ul);
    bm_random_fill(&number, sizeof number);
    bm_log_warn("test", "without %s", "a thread");
    bm_msr_write((uint32_t)FS_BASE, thread);
    CHECK(memcmp(text, "12345", 6) == 0);
}

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
    CHECK((canary & 0xff) == 0);
    CHECK((bm_core_self()->canary & 0xff) == 0 && bm_core_self()->canary != 0);
    CHECK(canary != bm_core_self()->canary);
    printf("canary %lx\n", (unsigned long)canary);
    printf("the kernel's %lx\n", (unsigned long)bm_core_self()->canary);
    without_thread();
    return passed();
}
