// bm_panic prints its text and a backtrace and ends the machine with a failing status.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^panic: the answer is 42, said deep thought$
// @expect (?i)backtrace
// @forbid ^exit:

#include <baremetal/panic.h>

int main(void)
{
    bm_panic("the answer is %d, said %s", 42, "deep thought");
}
