// Finding a segment's connection: the right one is put at the head of the list that lwIP searches.
// SPDX-License-Identifier: MIT
//
// A table from the ends of a connection to its control block, which may forget (a second connection in the
// same place) but never holds one that is gone: lwIP calls connection_gone. Each place also knows the place
// of its predecessor in the list. That may be out of date, which shows when it is used: a control block that
// lives and points here is the predecessor.
#include "express.h"
#include "segment.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

enum { PLACES = 1024, NOWHERE = PLACES };

static struct tcp_pcb *places[PLACES + 1]; // the last stays NULL
static u16_t predecessors[PLACES + 1];     // places; NOWHERE: not known
static u8_t argument; // number of the control blocks' extra argument: place + 1, 0 for none

static unsigned place_of(u16_t remote_port, u16_t local_port, u32_t remote)
{
    u32_t hash = (remote ^ remote >> 16) + (u32_t)(remote_port ^ local_port << 4);
    return (hash ^ hash >> 10) % PLACES;
}

static unsigned place_known(const struct tcp_pcb *connection)
{
    uintptr_t value = (uintptr_t)connection->ext_args[argument].data;
    return value ? (unsigned)value - 1 : NOWHERE;
}

static void connection_gone(u8_t id, void *data)
{
    (void)id;
    if (data)
        places[(uintptr_t)data - 1] = NULL;
}

static const struct tcp_ext_arg_callbacks callbacks = {.destroy = connection_gone};

void bm_net_tcp_lookup_start(void)
{
    argument = tcp_ext_arg_alloc_id();
}

static u32_t last_word(const ip_addr_t *address)
{
    return IP_IS_V6(address) ? ip_2_ip6(address)->addr[3] : ip4_addr_get_u32(ip_2_ip4(address));
}

// The head of the list is the connection of the last segment: worth to be known.
static void learn(struct tcp_pcb *connection)
{
    if (place_known(connection) != NOWHERE)
        return;
    unsigned place =
        place_of(connection->remote_port, connection->local_port, last_word(&connection->remote_ip));
    if (places[place])
        tcp_ext_arg_set(places[place], argument, NULL);
    places[place] = connection;
    predecessors[place] = NOWHERE;
    tcp_ext_arg_set_callbacks(connection, argument, &callbacks);
    tcp_ext_arg_set(connection, argument, (void *)(uintptr_t)(place + 1));
}

static struct tcp_pcb *predecessor_of(const struct tcp_pcb *connection, unsigned place)
{
    struct tcp_pcb *before = places[predecessors[place]];
    if (before && before->next == connection)
        return before;
    before = tcp_active_pcbs;
    while (before && before->next != connection)
        before = before->next;
    return before;
}

static void move_to_head(struct tcp_pcb *connection, unsigned place)
{
    struct tcp_pcb *before = predecessor_of(connection, place);
    if (!before)
        return;
    before->next = connection->next;
    if (connection->next)
        predecessors[place_known(connection->next)] = (u16_t)place_known(before);
    predecessors[place_known(tcp_active_pcbs)] = (u16_t)place;
    predecessors[NOWHERE] = NOWHERE;
    connection->next = tcp_active_pcbs;
    tcp_active_pcbs = connection;
}

static bool is_active(const struct tcp_pcb *connection)
{
    return connection->state >= SYN_SENT && connection->state != TIME_WAIT;
}

void bm_net_tcp_lookup(const struct bm_net_segment *segment)
{
    struct tcp_pcb *head = tcp_active_pcbs;
    if (!head || (head->remote_port == segment->remote_port && head->local_port == segment->local_port))
        return; // in all likelihood its own: one segment after the other
    learn(head);
    u32_t remote;
    memcpy(&remote, segment->source + (segment->is_ip6 ? 12 : 0), sizeof remote);
    unsigned place = place_of(segment->remote_port, segment->local_port, remote);
    struct tcp_pcb *connection = places[place];
    if (connection && connection != head && is_active(connection) &&
        bm_net_segment_matches(segment, connection))
        move_to_head(connection, place);
}

static bool ends_are(const struct tcp_pcb *connection, u32_t remote, u32_t local, u16_t remote_port,
                     u16_t local_port)
{
    return connection->remote_port == remote_port && connection->local_port == local_port &&
           IP_IS_V4_VAL(connection->remote_ip) &&
           ip4_addr_get_u32(ip_2_ip4(&connection->remote_ip)) == remote &&
           ip4_addr_get_u32(ip_2_ip4(&connection->local_ip)) == local;
}

struct tcp_pcb *bm_net_tcp_find(u32_t remote, u32_t local, u16_t remote_port, u16_t local_port)
{
    remote_port = lwip_ntohs(remote_port);
    local_port = lwip_ntohs(local_port);
    struct tcp_pcb *connection = places[place_of(remote_port, local_port, remote)];
    if (connection && ends_are(connection, remote, local, remote_port, local_port))
        return connection;
    connection = tcp_active_pcbs;
    if (connection && ends_are(connection, remote, local, remote_port, local_port))
        return connection;
    return NULL;
}
