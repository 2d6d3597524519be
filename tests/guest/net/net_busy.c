// With two cores and main busy computing, the network is still served: ping and UDP are answered meanwhile.
// SPDX-License-Identifier: MIT
// @link net drivers
// @script net_busy.py

#include <baremetal/net.h>
#include <baremetal/time.h>
#include <baremetal/work.h>
#include <lwip/tcpip.h>
#include <lwip/udp.h>

#include "check.h"

enum { ECHO_PORT = 7, SECONDS_MAX = 250 };

static volatile unsigned answered;
static volatile bool ended;

static void echo(void *arg, struct udp_pcb *pcb, struct pbuf *data, const ip_addr_t *from, u16_t port)
{
    (void)arg;
    if (pbuf_memcmp(data, 0, "end", 3) == 0) {
        ended = true;
    } else {
        udp_sendto(pcb, data, from, port);
        answered++;
    }
    pbuf_free(data);
}

int main(void)
{
    LOCK_TCPIP_CORE();
    struct udp_pcb *pcb = udp_new();
    CHECK(pcb && udp_bind(pcb, IP_ANY_TYPE, ECHO_PORT) == ERR_OK);
    udp_recv(pcb, echo, NULL);
    UNLOCK_TCPIP_CORE();
    CHECK(bm_net_wait(10000000000ul));
    printf("%u cores\n", bm_core_count());
    puts("ready");
    fflush(stdout);
    uint64_t end = bm_time_monotonic() + SECONDS_MAX * 1000000000ul;
    while (!ended && bm_time_monotonic() < end)
        ;
    CHECK(ended);
    printf("%u answered\n", answered);
    return passed();
}
