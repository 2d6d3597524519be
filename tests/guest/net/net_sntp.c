// Waits for a time server's answer and says the date; net_sntp.py is the server.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net sntp virtio_net virtio_rng
// @script net_sntp.py

#include <baremetal/net.h>
#include <baremetal/sntp.h>
#include <baremetal/time.h>
#include <stdint.h>

#include "check.h"

int main(void)
{
    CHECK(!bm_sntp_wait(0) && bm_sntp_last() == 0);
    CHECK(bm_net_wait(UINT64_MAX));
    printf("ready\n");
    CHECK(bm_sntp_wait(UINT64_MAX));
    uint64_t now = bm_time_wall(), since = bm_time_monotonic() - bm_sntp_last();
    CHECK(bm_sntp_last() != 0 && since < 60 * 1000000000ull);
    printf("date %lu, %lu ms after\n", (unsigned long)(now / 1000000), (unsigned long)(since / 1000000));
    return passed();
}
