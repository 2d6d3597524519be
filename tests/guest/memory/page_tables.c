// Waits, so that page_tables.py can read the page tables from outside through QEMU's monitor.
// SPDX-License-Identifier: MIT
// @append log=warn
// @script page_tables.py

#include <baremetal/memory.h>

#include "check.h"

int main(void)
{
    char line[16];
    char *stack = bm_memory_stack(16384);
    void *heap = malloc(100000);
    CHECK(stack != NULL && heap != NULL);
    printf("guard %p\n", (void *)(stack - 16384 - 4096));
    printf("text %p\n", hidden((unsigned long)main));
    puts("ready");
    CHECK(fgets(line, sizeof(line), stdin) != NULL);
    free(heap);
    return passed();
}
