// A fault in a leaf of the C library, which a callback of the C library called: every call is named by the
// command that the report names, though neither has frame pointers.
// SPDX-License-Identifier: MIT
// @script fault_command.py
// @calls strcmp compare qsort outermost main

#include "check.h"

static OPAQUE int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b) + 1;
}

static OPAQUE int outermost(unsigned long address)
{
    const char *texts[] = {"a", hidden(address), "b"};
    qsort(texts, 3, sizeof *texts, compare);
    return texts[0] != NULL;
}

int main(void)
{
    printf("survived: %d\n", outermost(16));
    return 0;
}
