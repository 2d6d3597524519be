// Asks for a name once there is an address, and stays; net_dhcp6.py is router, DHCPv6 server and name server.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net dhcp6 virtio_net virtio_rng
// @script net_dhcp6.py

#include <baremetal/net.h>
#include <netdb.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    struct addrinfo *found;
    CHECK(bm_net_wait(UINT64_MAX));
    CHECK(getaddrinfo("name.test", NULL, NULL, &found) == 0);
    puts("name found");
    fflush(stdout);
    for (;;)
        sleep(1000);
}
