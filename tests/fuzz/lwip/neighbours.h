// The other hosts: they answer ARP requests and neighbour solicitations, and remember what they were asked.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// 10.7.0.1 is the router, DHCP and name server. Behind it: everything that is not 10.7.0.0/24.
extern const uint8_t hosts4[][4], hosts6[][16];
enum { HOSTS = 6 };
extern const uint8_t neighbour_mac[6];

// The last question to a name server, for its answer.
struct question {
    uint8_t bytes[300]; // UDP's payload
    unsigned length;
    uint8_t server[16];
    bool ip6;
    unsigned port; // of the asking side
};
extern struct question question;

extern bool neighbours_silent;
void neighbours_start(void);
void neighbours_see(const uint8_t *frame, unsigned length); // one that the machine sends
void neighbours_answer(void);                               // what they have to say to what they saw
