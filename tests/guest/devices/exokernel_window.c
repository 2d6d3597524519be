// What BareMetal's programs find at fixed addresses: nobody's memory, on all cores at once, and calls.
// SPDX-License-Identifier: MIT
// @link exokernel_window
// @variants newlib-checked picolibc
// @machines q35
// @run window and calls
// @smp 3,maxcpus=4
// @expect ^by a call from assembly$
// @run behind the window
// @append -- beyond
// @status 37
// @expect ^fault: .*writing address 0xffff800020000000
// @forbid PASS
#include "check.h"

#include <baremetal/core.h>
#include <baremetal/memory.h>
#include <baremetal/work.h>
#include <libBareMetal.h>
#include <stdint.h>

enum { PAGE_WORDS = 512, PAGES = 64 };
static volatile uint64_t *const window = (volatile uint64_t *)0xffff800000f00000;

// All cores touch each page, in other orders.
static void touch(size_t begin, size_t end, void *arg)
{
    (void)arg;
    for (size_t i = begin; i < end; i++)
        for (size_t page = 0; page < PAGES; page++) {
            volatile uint64_t *word = window + (page + i * 7) % PAGES * PAGE_WORDS + i;
            CHECK(*word == 0);
            *word = i + 1;
        }
}

static void check_window(void)
{
    uint64_t before = bm_memory_statistics_get().free;
    bm_parallel_for(0, PAGE_WORDS, 1, touch, NULL);
    for (size_t page = 0; page < PAGES; page++)
        for (size_t i = 0; i < PAGE_WORDS; i++)
            CHECK(window[page * PAGE_WORDS + i] == i + 1);
    // Not a page more than were touched, but for tables and what the cores keep at hand.
    CHECK(before - bm_memory_statistics_get().free < (PAGES + 64) * BM_PAGE_SIZE);
}

static void check_calls(void)
{
    static const char text[] = "by a call from assembly\n";
    uint64_t cores = 0, where = (uintptr_t)text, length = sizeof text - 1;
    double number = 1.5;
    fflush(stdout);
    register uint64_t kept __asm__("r8") = 0x123456789abcdef; // no call follows but that one
    __asm__ volatile("movq %[number], %%xmm7\n\t"
                     "call *0x100018\n\t"
                     "movq %%xmm7, %[number]"
                     : [number] "+r"(number), "+r"(kept)
                     : "S"(where), "c"(length)
                     : "xmm7", "memory");
    CHECK(number == 1.5 && kept == 0x123456789abcdef);
    __asm__ volatile("call *0x100040"
                     : "=a"(cores)
                     : "c"((uint64_t)SMP_NUMCORES), "a"(0ull), "d"(0ull)
                     : "memory");
    CHECK(cores == bm_core_count());
    __asm__ volatile("call *0x100048"
                     : "=a"(cores)
                     : "c"((uint64_t)SMP_NUMCORES), "a"(0ull), "d"(0ull)
                     : "memory");
    CHECK(cores == bm_core_count());
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        *(volatile char *)0xffff800020000000 = 1;
    check_window();
    check_calls();
    return passed();
}
