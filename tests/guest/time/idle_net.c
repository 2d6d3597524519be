// A sleeping program halts its cores while a network device is served.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @link net drivers
// @script idle.py

#include <baremetal/net.h>

#include "idle.h"

int main(void)
{
    CHECK(bm_net_wait(10000000000ul));
    sleep_watched();
    return passed();
}
