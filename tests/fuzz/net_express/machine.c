// The machine around lwIP: memory, the device, received frames.
// SPDX-License-Identifier: MIT
#include "machine.h"

#include "../../../net/device/checksum.h"
#include "../../../net/device/hooks.h"
#include "../../../net/device/interface.h"
#include "../../../net/lwip/memory.h"
#include "../../../net/lwip/timer.h"
#include "../../../net/tcp/express.h"
#include "../../../net/tcp/tcp.h"
#include "diary.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip4_frag.h"
#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/raw.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

const ip4_addr_t machine_address = {PP_HTONL(0x0a070002)}, peer_address = {PP_HTONL(0x0a070001)};
const uint8_t machine_mac[6] = {0x52, 0x54, 0, 0, 0, 2}, peer_mac[6] = {0x52, 0x54, 0, 0, 0, 1};
struct netif machine_netif;
bool short_way, device_refuses, device_holds;
uint32_t isn_next;

// --- What lwIP and the files of net/ ask for ---

unsigned bm_net_interface_count = 1;
static unsigned allocations;

void *bm_net_allocate(size_t size)
{
    allocations++;
    return malloc(size);
}

void *bm_net_allocate_zeroed(size_t count, size_t size)
{
    allocations++;
    return calloc(count, size);
}

void bm_net_free(void *memory)
{
    free(memory);
}

size_t bm_net_memory_size(void *memory)
{
    return malloc_usable_size(memory);
}

// Raw sockets are part of the program, as they are in one for which bm_net_raw_used is true.
static struct raw_pcb *(*const with_raw_sockets)(u8_t protocol) __attribute__((used)) = raw_new;

struct bm_spinlock bm_net_short_lock;

void bm_net_short_acquire(void)
{
}

void bm_net_short_release(void)
{
}

uint32_t bm_net_random(void)
{
    return 4;
}

void bm_random_fill(void *bytes, size_t size)
{
    memset(bytes, 7, size);
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = 1 << 26};
}

u16_t bm_net_mss = TCP_MSS;

u32_t sys_now(void)
{
    return tcp_ticks * TCP_SLOW_INTERVAL;
}

u32_t bm_net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port)
{
    (void)local, (void)local_port, (void)remote, (void)remote_port;
    return isn_next;
}

struct netif *bm_net_ip4_route(const ip4_addr_t *source, const ip4_addr_t *destination)
{
    (void)source, (void)destination;
    return NULL;
}

const ip4_addr_t *bm_net_ip4_gateway(const struct netif *netif, const ip4_addr_t *destination)
{
    (void)netif, (void)destination;
    return NULL;
}

const ip6_addr_t *bm_net_ip6_gateway(const struct netif *netif)
{
    (void)netif;
    return NULL;
}

void bm_net_dhcp6_advice(struct netif *netif, bool addresses, bool others)
{
    (void)netif, (void)addresses, (void)others;
}

void bm_net_address_conflict(const struct netif *netif, const u8_t *mac)
{
    (void)netif;
    (void)mac;
}

bool bm_net_icmp_error_allowed(u32_t source)
{
    (void)source;
    return true;
}

bool bm_net_icmp_echo_allowed(u32_t source)
{
    (void)source;
    return true;
}

void bm_net_dns_learn(u8_t number, const ip_addr_t *server)
{
    (void)number, (void)server;
}

void bm_net_dns_router(const ip_addr_t *server, u32_t lifetime)
{
    (void)server, (void)lifetime;
}

void bm_net_dns_age(void)
{
}

void bm_net_timers_look(void)
{
}

// Of the loopback interface and of pbufs from a pool: neither is there.
int8_t tcpip_input(struct pbuf *packet, struct netif *input)
{
    (void)packet, (void)input;
    abort();
}

err_t tcpip_try_callback(tcpip_callback_fn function, void *arg)
{
    (void)function, (void)arg;
    return ERR_MEM;
}

err_t bm_net_frame_output(struct bm_net_interface *interface, void *frame)
{
    (void)interface, (void)frame;
    abort(); // this device cuts nothing up
}

// --- The device ---

enum { HELD_MAX = 1 << 14, ETHERNET = 14, IP_ID = ETHERNET + 4, IP_SUM = ETHERNET + 10, TCP = ETHERNET + 20 };

static struct pbuf *held[HELD_MAX];
static unsigned held_count;
static bool noted; // whether frames go into the diary

static unsigned get16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static uint32_t get32(const uint8_t *bytes)
{
    return get16(bytes) << 16 | get16(bytes + 2);
}

static void segment_note(const uint8_t *frame, unsigned length)
{
    unsigned whom = get16(frame + TCP + 2) - PEER_PORT;
    if (whom >= CONNECTIONS)
        whom = NOBODY;
    diary_note(whom, "the sequence number of a segment that goes out", get32(frame + TCP + 4));
    diary_note(whom, "the acknowledgement in a segment that goes out", get32(frame + TCP + 8));
    diary_note(whom, "the flags of a segment that goes out", get16(frame + TCP + 12));
    diary_note(whom, "the window in a segment that goes out", get16(frame + TCP + 14));
    diary_note(whom, "the length of a frame that goes out", length);
    diary_note(whom, "a frame that goes out", diary_hash(0, frame, length));
}

static void frame_note(uint8_t *frame, unsigned length)
{
    if (get16(frame + 12) != ETHTYPE_IP) {
        diary_note(NOBODY, "another frame that goes out", diary_hash(0, frame, length));
        return;
    }
    if (length < TCP || inet_chksum(frame + ETHERNET, IP_HLEN) != 0)
        diary_fail("an IP header goes out that is short or has a wrong sum");
    // Each way counts its packets itself.
    memset(frame + IP_ID, 0, 2);
    memset(frame + IP_SUM, 0, 2);
    if (frame[ETHERNET + 9] == IP_PROTO_TCP && length >= TCP + TCP_HLEN)
        segment_note(frame, length);
    else
        diary_note(NOBODY, "another packet that goes out", diary_hash(0, frame, length));
}

static err_t device_send(struct pbuf *buffers)
{
    uint8_t frame[FRAME_MAX];
    if (device_refuses || held_count == HELD_MAX)
        return ERR_MEM;
    if (buffers->tot_len > sizeof frame ||
        pbuf_copy_partial(buffers, frame, sizeof frame, 0) != buffers->tot_len)
        diary_fail("a frame goes out whose lengths contradict each other");
    if (noted)
        frame_note(frame, buffers->tot_len);
    if (device_holds) {
        pbuf_ref(buffers);
        held[held_count++] = buffers;
    }
    return ERR_OK;
}

// Stand-ins for transmit.c.
err_t bm_net_link_output(struct netif *netif, struct pbuf *buffers)
{
    uint16_t start, offset;
    (void)netif;
    bm_net_checksum_prepare(buffers->payload, buffers->len, &start, &offset);
    return device_send(buffers);
}

err_t bm_net_segment_output(struct netif *netif, struct pbuf *buffers)
{
    (void)netif;
    return device_send(buffers);
}

void device_done(void)
{
    while (held_count)
        pbuf_free(held[--held_count]);
}

// --- Received frames ---

struct frame {
    struct pbuf_custom pbuf;
    struct frame *next, **link;
    void *memory;
};
static struct frame *frames;

static void frame_free(struct pbuf *pbuf)
{
    struct frame *frame = (struct frame *)pbuf;
    *frame->link = frame->next;
    if (frame->next)
        frame->next->link = frame->link;
    free(frame->memory);
    free(frame);
}

static struct pbuf *piece_make(const uint8_t *bytes, unsigned length)
{
    struct frame *frame = malloc(sizeof *frame);
    // lwIP looks at some of IP's header before it knows that it is there; a driver's buffer has room for
    // that.
    unsigned room = LWIP_MAX(length, TCP);
    frame->memory = calloc(1, room + 2); // so that what follows Ethernet's header is aligned
    uint8_t *start = (uint8_t *)frame->memory + 2;
    memcpy(start, bytes, length);
    frame->next = frames;
    frame->link = &frames;
    if (frames)
        frames->link = &frame->next;
    frames = frame;
    frame->pbuf.custom_free_function = frame_free;
    return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_REF, &frame->pbuf, start, (u16_t)length);
}

struct pbuf *frame_make(const uint8_t *bytes, unsigned length, unsigned split)
{
    if (split == 0 || split >= length)
        return piece_make(bytes, length);
    struct pbuf *first = piece_make(bytes, split);
    pbuf_cat(first, piece_make(bytes + split, length - split));
    return first;
}

unsigned frames_kept(void)
{
    unsigned count = 0;
    for (const struct frame *frame = frames; frame; frame = frame->next)
        count++;
    return count;
}

// --- Start and end ---

static err_t netif_init_hook(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof machine_mac;
    memcpy(netif->hwaddr, machine_mac, sizeof machine_mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = bm_net_link_output;
    netif->chksum_flags &= (u16_t) ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_CHECK_TCP);
    return ERR_OK;
}

// The peer tells its Ethernet address; nothing makes it grow old.
static void neighbour_teach(void)
{
    struct {
        struct eth_hdr ethernet;
        struct etharp_hdr arp;
    } __attribute__((packed))
    reply = {.ethernet.type = PP_HTONS(ETHTYPE_ARP),
             .arp = {PP_HTONS(1), PP_HTONS(ETHTYPE_IP), 6, 4, PP_HTONS(ARP_REPLY), .dipaddr = {{0}}}};
    memcpy(&reply.ethernet.dest, machine_mac, 6);
    memcpy(&reply.ethernet.src, peer_mac, 6);
    memcpy(&reply.arp.shwaddr, peer_mac, 6);
    memcpy(&reply.arp.dhwaddr, machine_mac, 6);
    memcpy(&reply.arp.sipaddr, &peer_address, 4);
    memcpy(&reply.arp.dipaddr, &machine_address, 4);
    struct pbuf *request = pbuf_alloc(PBUF_LINK, 1, PBUF_RAM); // lwIP learns only whom it looks for
    etharp_output(&machine_netif, request, &peer_address);
    pbuf_free(request);
    ethernet_input(frame_make((const uint8_t *)&reply, sizeof reply, 0), &machine_netif);
}

void machine_start(void)
{
    ip4_addr_t netmask = {PP_HTONL(0xffffff00)}, gateway = {PP_HTONL(0x0a0700fe)};
    mem_init();
    memp_init();
    netif_add(&machine_netif, &machine_address, &netmask, &gateway, NULL, netif_init_hook, ethernet_input);
    netif_set_default(&machine_netif);
    netif_set_up(&machine_netif);
    bm_net_tcp_lookup_start();
}

static void spares_free(void)
{
    unsigned before;
    do {
        before = allocations;
        tcp_seg_free(bm_net_segment_take(0));
    } while (allocations == before);
}

void machine_end(void)
{
    noted = false;
    device_refuses = device_holds = bm_net_raw_used = false;
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    for (unsigned i = 0; i <= IP_REASS_MAXAGE; i++)
        ip_reass_tmr();
    device_done();
    spares_free();
}

void machine_reset(void)
{
    machine_end();
    bm_net_neighbour_find(peer_address.addr, 0); // a stranger in the peer's place: the peer is forgotten
    etharp_cleanup_netif(&machine_netif);
    neighbour_teach();
    tcp_ticks = 1000;
    bm_net_tcp_answers = 1000;
    noted = true;
}
