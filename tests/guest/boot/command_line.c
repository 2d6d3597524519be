// Each bad word of the command line is reported by name, and boot goes on with the default.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @run unknown key
// @append nonsense=1 log=warn
// @expect (?i)^warning: .*nonsense
// @run bare word
// @append frobnicate
// @expect (?i)^warning: .*frobnicate
// @run bad level
// @append log=loud
// @expect (?i)^warning: .*log.*loud
// @run bad console
// @append console=teletype
// @expect (?i)^warning: .*teletype
// @run several
// @append first=1 = =2 log= third
// @expect (?i)^warning: .*first
// @expect (?i)^warning: .*third
// @run no number of cores
// @append cores=many
// @expect ^error: option: cores=many is not a number from 1 to 255
// @run too few cores
// @append cores=0
// @expect ^error: option: cores=0 is not a number from 1 to 255
// @run good words
// @append log=warn console=serial cores=2
// @forbid ^warning: .*(option|command line|log=|console)

#include "check.h"

int main(void)
{
    return passed();
}
