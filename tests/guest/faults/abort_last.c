// abort as the last call of a function: the report names that function and not the next one.
// SPDX-License-Identifier: MIT
// @script fault_command.py
// @calls abort gives_up outermost main

#include "check.h"

static OPAQUE _Noreturn void gives_up(void)
{
    abort();
}

static OPAQUE void comes_next(void)
{
    puts("not this one");
}

static OPAQUE int outermost(int number)
{
    if (number)
        gives_up();
    comes_next();
    return number + 1;
}

int main(void)
{
    printf("survived: %d\n", outermost(16));
    return 0;
}
