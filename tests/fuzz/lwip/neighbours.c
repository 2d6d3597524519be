// The other hosts on the link.
// SPDX-License-Identifier: MIT
#include "neighbours.h"

#include "frame.h"
#include "machine.h"

#include <string.h>

const uint8_t neighbour_mac[6] = {0x52, 0x54, 0, 0, 0, 1};
const uint8_t hosts4[HOSTS][4] = {{10, 7, 0, 1},  {10, 7, 0, 1},     {10, 7, 0, 9},
                                  {192, 0, 2, 9}, {198, 51, 100, 4}, {10, 7, 0, 2}};
const uint8_t hosts6[HOSTS][16] = {
    {0xfe, 0x80, [15] = 1},
    {0xfe, 0x80, [15] = 1},
    {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
    {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 0x66},
    {0xfe, 0x80, [15] = 9},
    {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xfe, [15] = 0x67},
};
bool neighbours_silent;
struct question question;

enum { ASKED_MAX = 8, IP = 14 };
static struct asked {
    bool ip6;
    uint8_t address[16];
} asked[ASKED_MAX];
static unsigned asked_count;

void neighbours_start(void)
{
    neighbours_silent = false;
    asked_count = 0;
    memset(&question, 0, sizeof question);
}

static void ask(const uint8_t *address, bool ip6)
{
    if (neighbours_silent || asked_count == ASKED_MAX)
        return;
    asked[asked_count].ip6 = ip6;
    memcpy(asked[asked_count++].address, address, ip6 ? 16 : 4);
}

static void see_udp(const uint8_t *udp, unsigned length, const uint8_t *server, bool ip6)
{
    if (length < 8 + 12 || udp[2] != 0 || udp[3] != 53)
        return;
    question.length = length - 8 < sizeof question.bytes ? length - 8 : sizeof question.bytes;
    memcpy(question.bytes, udp + 8, question.length);
    memcpy(question.server, server, ip6 ? 16 : 4);
    question.ip6 = ip6;
    question.port = (unsigned)udp[0] << 8 | udp[1];
}

void neighbours_see(const uint8_t *frame, unsigned length)
{
    if (frame[12] == 8 && frame[13] == 6 && length >= IP + 28 && frame[IP + 7] == 1 &&
        memcmp(frame + IP + 24, hosts4[HOSTS - 1], 4) != 0)
        ask(frame + IP + 24, false);
    if (frame[12] == 8 && frame[13] == 0 && frame[IP + 9] == 17 && length > IP + 28)
        see_udp(frame + IP + 20, length - IP - 20, frame + IP + 16, false);
    if (frame[12] != 0x86 || length < IP + 48)
        return;
    if (frame[IP + 6] == 58 && frame[IP + 40] == 135 && length >= IP + 64 &&
        (frame[IP + 8] || frame[IP + 23]))
        ask(frame + IP + 48, true);
    if (frame[IP + 6] == 17)
        see_udp(frame + IP + 40, length - IP - 40, frame + IP + 24, true);
}

static void answer4(const uint8_t address[4])
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 2};
    frame_begin();
    frame_put_ethernet(machine_mac, 0x0806);
    frame_put(head, sizeof head);
    frame_put(neighbour_mac, 6);
    frame_put(address, 4);
    frame_put(machine_mac, 6);
    frame_put(hosts4[HOSTS - 1], 4);
    frame_deliver(false);
}

static void answer6(const uint8_t address[16])
{
    struct ends ends = {.ip6 = true, .hops = 255};
    memcpy(ends.from, address, 16);
    memcpy(ends.to, netif_ip6_addr(machine_netif, 0)->addr, 16);
    frame_begin();
    frame_put32(136u << 24);
    frame_put32(0x60000000); // solicited, override
    frame_put(address, 16);
    frame_put16(0x0201);
    frame_put(neighbour_mac, 6);
    frame_send_exactly(&ends, 58);
}

void neighbours_answer(void)
{
    while (asked_count) {
        struct asked last = asked[--asked_count];
        if (last.ip6)
            answer6(last.address);
        else
            answer4(last.address);
    }
}
