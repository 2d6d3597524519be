// A program for the projects that do something wrong.
// SPDX-License-Identifier: MIT
#define END_exit  1
#define END_fault 2
#define END_reset 3

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
#elif END == END_reset
    static const unsigned short no_table[5];
    __asm__ volatile("lidt %0; int3" : : "m"(no_table)); // nothing handles it: a triple fault
    return 0;
#else
    return 0;
#endif
}
