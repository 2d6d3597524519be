// A program for the projects that do something wrong.
// SPDX-License-Identifier: MIT
int value = 33;

int main(void)
{
#ifdef ABSOLUTE
    const char *address;
    __asm__("movabs $value, %0" : "=r"(address));
    return *address == 33 ? 0 : 1;
#else
    return 0;
#endif
}
