// The words behind ` -- ` become argv[1...]; the kernel's own words do not. argv[0] is the target's name.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @run words
// @append log=warn -- one two=2 --three -- four
// @expect ^argc 6$
// @expect ^argv\[0\] <arguments>$
// @expect ^argv\[1\] <one>$
// @expect ^argv\[2\] <two=2>$
// @expect ^argv\[3\] <--three>$
// @expect ^argv\[4\] <-->$
// @expect ^argv\[5\] <four>$
// @run none
// @append log=warn
// @expect ^argc 1$
// @run empty
// @append --
// @expect ^argc 1$
// @run only words
// @append -- a
// @expect ^argc 2$
// @expect ^argv\[1\] <a>$

#include "check.h"

int main(int argc, char **argv)
{
    printf("argc %d\n", argc);
    CHECK(argv[0] != NULL);
    CHECK(argv[argc] == NULL);
    for (int i = 0; i < argc; i++) {
        printf("argv[%d] <%s>\n", i, argv[i]);
    }
    return passed();
}
