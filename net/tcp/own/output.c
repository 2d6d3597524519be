// Frames of the engine to IP; those that follow each other as one, which the device cuts up again.
// SPDX-License-Identifier: MIT
//
// A frame's data is copied: devices give buffers back without the core lock, which the engine's pieces need.
// Frames with data wait until the engine is done, or sends what does not follow them.
#include "../../device/interface.h"
#include "own.h"

#include "../../device/hooks.h"
#include "../../lwip/memory.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/tcp.h"

enum {
    ECT_0 = 2, // RFC 3168 section 5
    FLAGS_AT = 13,
    OPTIONS_AT = 20,
    IP4_LENGTH = 16, // behind Ethernet's header
    IP4_CHECKSUM = 24,
    IP6_LENGTH = 18,
    LENGTH_MAX = 65535 - 2 * JOINED_HEADER_MAX
};

// Frames of one connection, each with its headers from TCP's on, whose data follows.
static struct {
    const struct bm_tcp_connection *connection;
    struct netif *netif;
    ip_addr_t local, remote;
    struct pbuf *frames[JOINED_MAX];
    uint8_t header[BM_TCP_HEADER_MAX]; // of the first one
    unsigned header_size, payload, last, bytes;
    u8_t hops, service, flags;
} run;
unsigned own_waiting; // frames of it

struct pbuf *bm_net_join_first;

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void put16(u8_t *to, u32_t value)
{
    to[0] = (u8_t)(value >> 8);
    to[1] = (u8_t)value;
}

static u32_t get16(const u8_t *from)
{
    return (u32_t)from[0] << 8 | from[1];
}

static void frame_send(struct pbuf *frame)
{
    if (run.netif->chksum_flags & NETIF_CHECKSUM_GEN_TCP) {
        struct tcp_hdr *header = frame->payload;
        header->chksum = ip_chksum_pseudo(frame, IP_PROTO_TCP, frame->tot_len, &run.local, &run.remote);
    }
    ip_output_if(frame, &run.local, &run.remote, run.hops, run.service, IP_PROTO_TCP, run.netif);
}

void own_flush(void)
{
    if (!own_waiting)
        return;
    if (own_waiting > 1)
        bm_net_join_first = run.frames[0];
    frame_send(run.frames[0]);
    bool joined = own_waiting > 1 && !bm_net_join_first;
    bm_net_join_first = NULL;
    for (unsigned i = 1; i < own_waiting && !joined; i++)
        frame_send(run.frames[i]);
    for (unsigned i = 0; i < own_waiting; i++)
        pbuf_free(run.frames[i]);
    own_waiting = 0;
}

// The first frame's headers become those of all.
static void headers_extend(u8_t *bytes, unsigned header, bool is_ip6)
{
    u32_t length = header + run.bytes - SIZEOF_ETH_HDR;
    if (is_ip6) {
        put16(bytes + IP6_LENGTH, length - IP6_HLEN);
    } else {
        u32_t sum = (~get16(bytes + IP4_CHECKSUM) & 0xffff) + (~get16(bytes + IP4_LENGTH) & 0xffff) + length;
        sum = (sum & 0xffff) + (sum >> 16); // RFC 1624
        put16(bytes + IP4_CHECKSUM, ~((sum & 0xffff) + (sum >> 16)));
        put16(bytes + IP4_LENGTH, length);
    }
    bytes[header - run.header_size + FLAGS_AT] |= run.flags;
}

// The device's side passes over TCP_HLEN bytes of all frames but the first.
bool bm_net_join(struct bm_net_interface *interface, struct pbuf *frame)
{
    bool is_ip6 = IP_IS_V6_VAL(run.remote);
    if (!(interface->device->capabilities & (is_ip6 ? BM_NETDEV_TSO6 : BM_NETDEV_TSO4)) ||
        interface->waiting == INTERFACE_QUEUE_MAX)
        return false;
    struct bm_net_joined *joined = bm_net_allocate(sizeof *joined);
    if (!joined)
        return false;
    unsigned header = frame->tot_len - run.payload;
    headers_extend(frame->payload, header, is_ip6);
    joined->count = (uint16_t)own_waiting;
    joined->header = (uint16_t)header;
    joined->payload = (uint16_t)run.payload;
    joined->is_ip6 = is_ip6;
    for (unsigned i = 0; i < own_waiting; i++) {
        if (i)
            pbuf_remove_header(run.frames[i], run.header_size - TCP_HLEN);
        joined->segments[i] = run.frames[i];
        pbuf_ref(run.frames[i]);
    }
    bm_net_join_first = NULL;
    bm_net_frame_output(interface, (char *)joined + JOINED_TAG);
    return true;
}

static struct pbuf *pbuf_of(const struct bm_tcp_frame *frame)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_IP, (u16_t)(frame->header_size + frame->length), PBUF_RAM);
    if (!buffer)
        return NULL;
    u8_t *to = buffer->payload;
    memcpy(to, frame->header, frame->header_size);
    to += frame->header_size;
    for (unsigned i = 0; i < frame->count; i++) {
        MEMCPY(to, frame->pieces[i].data, frame->pieces[i].length);
        to += frame->pieces[i].length;
    }
    return buffer;
}

// The block of what a frame belongs to, for what IP's header takes from it; NULL: there is none (any more).
static const struct ip_pcb *block_of(const struct bm_tcp_frame *frame)
{
    if (frame->connection)
        return bm_tcp_user(frame->connection);
    return frame->listener ? frame->listener->user : NULL;
}

// The engine learns of it when the connection has begun, whose SYN goes out before.
static u8_t interface_of(const struct bm_tcp_frame *frame, const struct ip_pcb *block)
{
    return frame->interface || !block ? (u8_t)frame->interface : block->netif_idx;
}

static u8_t service_of(const struct bm_tcp_frame *frame, const struct ip_pcb *block)
{
    u8_t service = block ? block->tos : 0;
    return frame->ecn_capable ? (u8_t)((service & ~3) | ECT_0) : service;
}

// Data with no flag but ACK and PSH.
static bool may_wait(const struct bm_tcp_frame *frame)
{
    return frame->connection && frame->length && !(frame->header[FLAGS_AT] & ~(TCP_ACK | TCP_PSH));
}

// Whether its header is what a device would write for the next bytes of the run.
static bool follows(const struct bm_tcp_frame *frame)
{
    return own_waiting < JOINED_MAX && frame->connection == run.connection && may_wait(frame) &&
           frame->header_size == run.header_size && run.last == run.payload && frame->length <= run.payload &&
           run.bytes + frame->length <= LENGTH_MAX &&
           get32(frame->header + 4) == get32(run.header + 4) + run.bytes &&
           memcmp(frame->header + 8, run.header + 8, 4) == 0 &&   // acknowledgement
           memcmp(frame->header + 14, run.header + 14, 2) == 0 && // window
           memcmp(frame->header + OPTIONS_AT, run.header + OPTIONS_AT, run.header_size - OPTIONS_AT) == 0 &&
           service_of(frame, block_of(frame)) == run.service;
}

static void append(const struct bm_tcp_frame *frame, struct pbuf *buffer)
{
    run.frames[own_waiting++] = buffer;
    run.last = frame->length;
    run.bytes += frame->length;
    run.flags |= frame->header[FLAGS_AT];
}

// A frame begins a new run. False: there is no way for it.
static bool begin(const struct bm_tcp_frame *frame)
{
    const struct ip_pcb *block = block_of(frame);
    own_address_get(&run.local, frame->tuple->local, frame->tuple->zone);
    own_address_get(&run.remote, frame->tuple->remote, frame->tuple->zone);
    u8_t bound = interface_of(frame, block);
    run.netif = bound ? netif_get_by_index(bound) : ip_route(&run.local, &run.remote);
    run.hops = block ? block->ttl : TCP_TTL;
    run.service = service_of(frame, block);
    run.connection = frame->connection;
    run.header_size = frame->header_size;
    run.payload = frame->length;
    run.bytes = run.flags = 0;
    memcpy(run.header, frame->header, frame->header_size);
    return run.netif;
}

void own_queue_full(struct bm_tcp_connection *connection, const struct netif *netif)
{
    bm_tcp_full(connection, netif_get_index(netif) % BM_TCP_WAYS + 1);
}

// Before the queue of its interface drops frames: what is told here waits in the engine.
static void mind_the_queue(const struct bm_tcp_frame *frame)
{
    const struct bm_net_interface *interface = bm_net_interface_of(run.netif);
    if (frame->connection && interface && interface->waiting + own_waiting >= INTERFACE_QUEUE_FULL)
        own_queue_full(frame->connection, &interface->netif);
}

void bm_net_room(struct bm_net_interface *interface)
{
    if (!own_shard) // the network starts
        return;
    bm_tcp_room(own_shard, netif_get_index(&interface->netif) % BM_TCP_WAYS + 1);
    own_done();
}

void own_output(void *context, const struct bm_tcp_frame *frame)
{
    (void)context;
    BM_NET_ASSERT_LOCKED();
    bool next = own_waiting && follows(frame);
    if (!next && own_waiting)
        own_flush();
    if (!next && !frame->more) {
        const struct ip_pcb *block = block_of(frame);
        if (!interface_of(frame, block) &&
            own_express_output(frame, block ? block->ttl : TCP_TTL, service_of(frame, block)))
            return;
    }
    struct pbuf *buffer = next || begin(frame) ? pbuf_of(frame) : NULL;
    if (!buffer) { // as if it were lost on its way
        own_flush();
        return;
    }
    append(frame, buffer);
    mind_the_queue(frame);
    if (frame->more && may_wait(frame))
        return;
    own_flush();
    if (frame->connection) // not for whoever sends a SYN
        own_express_learn(frame);
}
