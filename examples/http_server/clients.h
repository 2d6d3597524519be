// How many connections each client address has.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/ip_addr.h>
#include <stdbool.h>
#include <stdint.h>

// A client: an IPv4 address or, of IPv6, a network of 64 bits, in which one machine may have any address.
struct client {
    uint32_t name; // hash of the address
    uint32_t connections;
};

// Makes room to count that many connections, once. Returns false when memory is short.
bool clients_init(uint32_t connections);

// The client with that address, which has one connection more now. When very many clients share a place in
// the table, two of them may count as one.
struct client *client_enter(const ip_addr_t *address);

static inline void client_leave(struct client *client)
{
    client->connections--;
}
