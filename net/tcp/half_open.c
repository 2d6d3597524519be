// Half-open connections: many, by shares of the networks they come from, and when they become too many, the
// eldest of the largest share goes.
// SPDX-License-Identifier: MIT
//
// A flood of SYNs from addresses that never answer must not lock out those that do: the flood's own shares
// are the largest, and from however many networks it comes, a client has as much time as that many SYNs take.
// lwIP would count half-open connections together with those that wait for accept, at most 255, and drop each
// SYN beyond. Here only the latter count: a program that is slow to accept gets no more than its backlog.
// Nothing here walks.
#include "half_open.h"
#include "../lwip/private.h"

#include <baremetal/memory.h>
#include <baremetal/random.h>
#include <string.h>

enum {
    SHARES = 1024, // networks whose hashes fall together have one
    COST = 640,    // bytes: control block, SYN-ACK
    MEMORY_PART = 16,
    HALF_OPEN_MIN = 512,
    HALF_OPEN_MAX = 16384,
    LOOKS = 8
};

static struct tcp_pcb *eldest[SHARES]; // each a ring
static u16_t sizes[SHARES];
static unsigned count, max, largest;

static unsigned share_of(const ip_addr_t *remote)
{
    static uint64_t keys[2];
    while (!keys[1])
        bm_random_fill(keys, sizeof keys);
    uint64_t network = 0;
    if (IP_IS_V6(remote))
        // RFC 4291: a subnet is a /64; on the link, all hosts have the same one.
        memcpy(&network, ip_2_ip6(remote)->addr + (ip6_addr_islinklocal(ip_2_ip6(remote)) ? 2 : 0), 8);
    else
        network = ip4_addr_get_u32(ip_2_ip4(remote)) & PP_HTONL(0xffffff00);
    return (unsigned)((network ^ keys[0]) * (keys[1] | 1) >> 54);
}

void bm_net_half_open_remove(struct tcp_pcb *c)
{
    unsigned share = share_of(&c->remote_ip);
    c->older->newer = c->newer;
    c->newer->older = c->older;
    if (eldest[share] == c)
        eldest[share] = c->newer == c ? NULL : c->newer;
    c->older = NULL;
    sizes[share]--;
    count--;
}

// One share is known that is large; others are looked at in turn, a few each time.
static void make_room(void)
{
    static unsigned turn;
    for (unsigned i = 0; i < LOOKS || !sizes[largest]; i++) {
        turn = (turn + 1) % SHARES;
        if (sizes[turn] > sizes[largest])
            largest = turn;
    }
    tcp_abandon(eldest[largest], 0);
}

void bm_net_half_open_add(struct tcp_pcb *c)
{
    if (!max) {
        uint64_t room = bm_memory_statistics_get().total / MEMORY_PART / COST;
        max = (unsigned)LWIP_MAX(HALF_OPEN_MIN, LWIP_MIN(room, HALF_OPEN_MAX));
    }
    if (count >= max)
        make_room();
    tcp_backlog_accepted(c);
    unsigned share = share_of(&c->remote_ip);
    if (!eldest[share]) {
        eldest[share] = c->older = c->newer = c;
    } else {
        c->newer = eldest[share];
        c->older = c->newer->older;
        c->older->newer = c->newer->older = c;
    }
    count++;
    if (++sizes[share] > sizes[largest])
        largest = share;
}
