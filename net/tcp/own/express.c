// The way around lwIP's IP, both ways: frames of established IPv4 connections.
// SPDX-License-Identifier: MIT
//
// What is not plain, or not what the engine expects next, takes lwIP's way, which would have done the same.
#include "../../device/interface.h"
#include "../engine/plain.h"
#include "../express_plain.h"
#include "buffer.h"

#include "../../device/hooks.h"

#include <baremetal/compiler.h>
#include <baremetal/random.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"

enum { ECT_MASK = 3, CE = 3 }; // RFC 3168 section 5

bool bm_net_raw_used;
struct pbuf *own_gift;

// The engine's form of an IPv4 address (RFC 4291 section 2.5.5.2).
static inline void mapped_put(uint8_t to[16], u32_t address)
{
    const uint64_t halves[2] = {0, 0xffff0000 | (uint64_t)address << 32};
    memcpy(to, halves, sizeof halves);
}

// What belongs to a connection, a handshake or TIME-WAIT, and is not what was expected.
static BM_COLD bool input_known(const struct bm_tcp_packet *packet)
{
    const struct tcp_hdr *header = (const void *)packet->bytes;
    if (TCPH_FLAGS(header) & TCP_SYN || !bm_tcp_find(own_shard, &packet->tuple))
        return false;
    bm_tcp_input(own_shard, packet);
    return true;
}

BM_HOT bool bm_net_express_input(struct netif *netif, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    unsigned total;
    if (!bm_net_frame_is_plain(frame, &total) || bm_net_raw_used)
        return false;
    const struct bm_net_headers *headers = frame->payload;
    u32_t remote = ip4_addr_get_u32(&headers->ip.src), local = ip4_addr_get_u32(&headers->ip.dest);
    // No connection with oneself comes from outside (RFC 1122 section 3.2.1.3).
    if (!bm_net_ip_sum_is_right(&headers->ip) || remote == local || (u8_t)local == 127 ||
        (u8_t)remote == 127 || remote == ip4_addr_get_u32(netif_ip4_addr(netif)) || !netif_is_up(netif))
        return false;
    struct bm_tcp_packet packet = {
        .tuple = {.local_port = lwip_ntohs(headers->tcp.dest), .remote_port = lwip_ntohs(headers->tcp.src)},
        .bytes = (const uint8_t *)&headers->tcp,
        .size = total - IP_HLEN,
        .owner = frame,
        .congestion_experienced = (IPH_TOS(&headers->ip) & ECT_MASK) == CE,
        .interface = netif_get_index(netif)};
    mapped_put(packet.tuple.local, local);
    mapped_put(packet.tuple.remote, remote);
    frame->if_idx = (u8_t)packet.interface;
    own_gift = frame;
    static bool clock_is_read; // since the last doorbells: frames of one burst have one time
    if (bm_net_flushed)
        bm_net_flushed = clock_is_read = false;
    own_shard->inside = clock_is_read;
    bool taken = bm_tcp_input_predicted(own_shard, &packet) || input_known(&packet);
    own_shard->inside = false;
    clock_is_read |= taken;
    frame = own_gift;
    own_gift = NULL;
    if (!taken)
        return false;
    if (frame) // nobody has it now
        pbuf_free(frame);
    own_done();
    return true;
}

static uint64_t identifications; // four in one draw

static BM_COLD void identifications_draw(void)
{
    static uint64_t state;
    if (!state)
        bm_random_fill(&state, sizeof state);
    state += 0x9e3779b97f4a7c15; // SplitMix64
    uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    identifications = mixed ^ mixed >> 31;
}

// Not a counter, which would tell strangers how much the machine sends. Never 0 with "don't fragment" (RFC
// 6864).
u16_t bm_net_ip4_identification(void)
{
    while (!(u16_t)identifications)
        if (!(identifications >>= 16))
            identifications_draw();
    u16_t identification = (u16_t)identifications;
    identifications >>= 16;
    return identification;
}

static inline u16_t fold(u32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (u16_t)(sum + (sum >> 16));
}

static inline void ip_header_put(struct ip_hdr *ip, const struct bm_net_neighbour *neighbour, u8_t ttl,
                                 u8_t service, u16_t length)
{
    u16_t id = bm_net_ip4_identification();
    u32_t sum = neighbour->sum + lwip_htons(length) + id + ttl + ((u32_t)service << 8);
    *ip = (struct ip_hdr){._v_hl = 0x45,
                          ._tos = service,
                          ._len = lwip_htons(length),
                          ._id = id,
                          ._ttl = ttl,
                          ._proto = IP_PROTO_TCP,
                          ._chksum = (u16_t)~fold(sum),
                          .src.addr = neighbour->local,
                          .dest.addr = neighbour->remote};
}

// Behind TCP's header at `buffer->payload`: the others in front of it, and it is the device's, too.
static inline void frame_send(const struct bm_net_neighbour *neighbour, struct pbuf *buffer, unsigned length,
                              u8_t ttl, u8_t service)
{
    struct bm_net_headers *headers = (void *)((u8_t *)buffer->payload - offsetof(struct bm_net_headers, tcp));
    headers->tcp.chksum = fold(neighbour->pseudo_sum + lwip_htons((u16_t)length)); // the rest is the device's
    ip_header_put(&headers->ip, neighbour, ttl, service, (u16_t)(length + IP_HLEN));
    headers->ethernet = neighbour->ethernet;
    buffer->payload = headers;
    buffer->len = buffer->tot_len = (u16_t)(length + offsetof(struct bm_net_headers, tcp));
    bm_net_segment_output(neighbour->netif, buffer);
}

static inline u32_t ip4_of(const uint8_t address[16])
{
    u32_t ip4;
    memcpy(&ip4, address + 12, sizeof ip4);
    return ip4;
}

static inline const struct bm_net_neighbour *way_of(const struct bm_tcp_tuple *tuple, unsigned length)
{
    if (!bm_tcp_is_ip4(tuple))
        return NULL;
    const struct bm_net_neighbour *neighbour =
        bm_net_neighbour_find(ip4_of(tuple->remote), ip4_of(tuple->local));
    return neighbour && length + IP_HLEN <= neighbour->netif->mtu ? neighbour : NULL;
}

// As in output.c for what IP sends: no VLAN comes here, whose frames wait in another's queue.
static inline void mind_the_queue(const struct bm_net_neighbour *neighbour, struct bm_tcp_connection *c)
{
    const struct bm_net_interface *interface = neighbour->netif->state;
    if (c && interface->waiting >= INTERFACE_QUEUE_FULL)
        own_queue_full(c, neighbour->netif);
}

BM_HOT bool own_express_push(struct own_tcp *own)
{
    struct bm_tcp_connection *c = own->connection;
    uint32_t length = c->data_end - c->next;
    if (!length || own_waiting || !tcp_is_plain(c) || c->state < BM_TCP_ESTABLISHED || c->interface ||
        c->shard->now - c->last_sent > (uint64_t)c->rto_ms * 1000)
        return false;
    struct own_buffer *buffer = own_buffer_idle(c->unsent, c->unsent->data + c->unsent_offset, length);
    if (!buffer)
        return false;
    unsigned size = c->timestamps ? TCP_TIMED : TCP_PLAIN;
    const struct bm_net_neighbour *neighbour = way_of(&c->node.tuple, size + length);
    if (!neighbour || !tcp_plain_begin(c))
        return false;
    uint8_t *header = (uint8_t *)(buffer + 1) - size;
    tcp_plain_header(c, header);
    tcp_plain_end(c);
    buffer->pbuf.payload = header;
    frame_send(neighbour, &buffer->pbuf, size + length, own->pcb.ttl, own->pcb.tos);
    mind_the_queue(neighbour, c);
    return true;
}

BM_HOT bool own_express_output(const struct bm_tcp_frame *frame, u8_t ttl, u8_t service)
{
    unsigned length = frame->header_size + frame->length;
    const struct bm_net_neighbour *neighbour = way_of(frame->tuple, length);
    if (!neighbour)
        return false;
    struct pbuf *buffer = own_buffer_of(frame);
    if (buffer) { // else as if it were lost on its way
        frame_send(neighbour, buffer, length, ttl, service);
        own_buffer_sent(buffer);
        mind_the_queue(neighbour, frame->connection);
    }
    return true;
}

void own_express_learn(const struct bm_tcp_frame *frame)
{
    if (!frame->interface && bm_tcp_is_ip4(frame->tuple))
        bm_net_neighbour_learn(ip4_of(frame->tuple->remote), ip4_of(frame->tuple->local));
}
