// How many connections each client address has: a table that neither grows nor needs an entry to be freed.
// SPDX-License-Identifier: MIT
#include "clients.h"

#include <baremetal/random.h>

#include <stdlib.h>

enum { WAYS = 4 }; // places for each hash

static struct client *table;
static uint32_t last_set; // number of sets - 1, a power of two - 1
static uint64_t secret;   // odd: nobody outside can tell which addresses fall together

bool clients_init(uint32_t connections)
{
    uint32_t sets = 1;
    while (sets * WAYS < 2 * connections)
        sets *= 2;
    if (table == NULL) {
        bm_random_fill(&secret, sizeof(secret));
        secret |= 1;
        table = calloc(sets, WAYS * sizeof(*table));
        last_set = sets - 1;
    }
    return table != NULL;
}

static uint64_t key_of(const ip_addr_t *address)
{
    if (IP_IS_V4(address))
        return ip4_addr_get_u32(ip_2_ip4(address));
    return (uint64_t)ip_2_ip6(address)->addr[0] << 32 | ip_2_ip6(address)->addr[1];
}

struct client *client_enter(const ip_addr_t *address)
{
    const uint32_t name = (uint32_t)(key_of(address) * secret >> 32);
    struct client *set = table + (size_t)(name >> 4 & last_set) * WAYS, *found = set;
    for (struct client *place = set; place < set + WAYS; place++) {
        if (place->connections > 0 && place->name == name) {
            found = place;
            break;
        }
        if (place->connections < found->connections)
            found = place;
    }
    if (found->connections == 0)
        found->name = name;
    found->connections++;
    return found;
}
