// bm_panic prints its text and a backtrace and ends the machine with a failing status.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^panic: the answer is 42, said deep thought\b
// @expect ^  at image\+0x[0-9a-f]+
// @forbid ^exit:

#include <baremetal/panic.h>

int main(void)
{
    bm_panic("the answer is %d, said %s", 42, "deep thought");
}
