// Breaks the rule that the command line names, and survives only where nothing checks.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/interrupt.h>
#include <baremetal/wait.h>
#include <stdio.h>
#include <string.h>

static void (*inner)(void);

static void handler(void *arg)
{
    (void)arg;
    inner();
}

void misuse_in_handler(void (*function)(void))
{
    inner = function;
    switch (bm_interrupt_allocate(handler, NULL)) {
#define RAISE(vector)                                                                                        \
    case vector:                                                                                             \
        __asm__ volatile("int %0" : : "i"(vector) : "memory");                                               \
        break
        RAISE(0x30);
        RAISE(0x31);
        RAISE(0x32);
        RAISE(0x33);
        RAISE(0x34);
        RAISE(0x35);
        RAISE(0x36);
        RAISE(0x37);
    default:
        puts("no vector among the first eight");
    }
}

static bool poll(void *arg)
{
    (void)arg;
    inner();
    return false;
}

void misuse_in_poller(void (*function)(void))
{
    static struct bm_poller poller = {.name = "misuse", .poll = poll};
    inner = function;
    bm_poller_add(&poller);
    bm_poll();
}

int main(int argc, char **argv)
{
    const struct misuse *const all[] = {misuse_wait,   misuse_work,    misuse_memory, misuse_kernel,
                                        misuse_device, misuse_console, misuse_net,    misuse_block,
                                        misuse_thread, misuse_file};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct misuse *misuse = all[i]; misuse && misuse->name; misuse++)
            if (argc > 1 && strcmp(misuse->name, argv[1]) == 0) {
                misuse->function();
                return 0;
            }
    printf("there is no case %s\n", argc > 1 ? argv[1] : "");
    return 1;
}
