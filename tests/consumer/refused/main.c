// A program for the projects that do something wrong.
// SPDX-License-Identifier: MIT
#define END_exit      1
#define END_fault     2
#define END_reset     3
#define END_never     4
#define END_assertion 5
#define END_part      6
#define END_network   7

#include <assert.h>
#include <stdio.h>

int value = 33;

int main(void)
{
#if defined(ABSOLUTE)
    const char *address;
    __asm__("movabs $value, %0" : "=r"(address));
    return *address == 33 ? 0 : 1;
#elif END == END_exit
    return 7;
#elif END == END_fault
    return *(volatile int *)8;
#elif END == END_assertion
    extern void made(void);
    made();
    assert(value == 33);
    return 0;
#elif END == END_part
    extern void part(void);
    part();
    return 0;
#elif END == END_network
    extern int socket(int, int, int), pthread_create(void);
    return socket(2, 1, 0) + pthread_create();
#elif END == END_never
    puts("never ends");
    for (;;)
        __asm__ volatile("pause");
#elif END == END_reset
    static const unsigned short no_table[5];
    __asm__ volatile("lidt %0; int3" : : "m"(no_table)); // nothing handles it: a triple fault
    return 0;
#else
    return 0;
#endif
}
