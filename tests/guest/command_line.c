// Each bad word of the command line is reported by name, and boot goes on with the default.
// SPDX-License-Identifier: MIT
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
// @run bad number
// @append cores=many
// @expect (?i)^warning: .*cores.*many
// @run number out of range
// @append cores=0
// @expect (?i)^warning: .*cores.*0
// @run several
// @append first=1 = =2 log= third
// @expect (?i)^warning: .*first
// @expect (?i)^warning: .*third
// @run good words
// @append log=warn console=serial cores=1
// @forbid ^warning: .*(option|command line|log=|console|cores)

#include "check.h"

int main(void)
{
    return passed();
}
