// A command line longer than the kernel keeps is cut with a warning, and boot goes on.
// SPDX-License-Identifier: MIT
// @append x={a*1700}
// @expect (?i)^warning: .*command line.*(cut|long|lost)

#include "check.h"

int main(void)
{
    return passed();
}
