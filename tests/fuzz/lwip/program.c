// The program over the network.
// SPDX-License-Identifier: MIT
#include "program.h"

#include "machine.h"
#include "neighbours.h"
#include "script.h"

#include <string.h>

#include "lwip/dns.h"
#include "lwip/icmp.h"
#include "lwip/igmp.h"
#include "lwip/mld6.h"
#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

enum { SOCKETS = 12, DATAGRAMS = 4, TEXT = 4096, LISTENERS = 2 };

static struct socket {
    struct tcp_pcb *c; // NULL: free
    struct pbuf *unread;
    uint8_t manner;  // what it does when called
    uint8_t answers; // still to be given: two ends on this machine would answer each other for ever
} sockets[SOCKETS];
static struct tcp_pcb *listeners[LISTENERS];
static struct udp_pcb *datagrams[DATAGRAMS];
static struct raw_pcb *raw;
static unsigned echoes; // of datagrams that the program may still send
static uint8_t text[TEXT];

enum manner { READS = 1, ANSWERS = 2, REFUSES = 4, CLOSES = 8, ABORTS = 16 };

static ip_addr_t address_of(unsigned choice)
{
    ip_addr_t address;
    memset(&address, 0, sizeof address);
    if (choice & 1) {
        IP_SET_TYPE_VAL(address, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(&address)->addr, hosts6[choice / 2 % HOSTS], 16);
        if (ip6_addr_has_scope(ip_2_ip6(&address), IP6_UNICAST))
            ip6_addr_assign_zone(ip_2_ip6(&address), IP6_UNICAST, machine_netif);
    } else {
        memcpy(ip_2_ip4(&address), hosts4[choice / 2 % HOSTS], 4);
    }
    return address;
}

// --- TCP ---

static void read_some(struct socket *s)
{
    if (!s->unread)
        return;
    unsigned bytes = s->unread->tot_len;
    pbuf_free(s->unread);
    s->unread = NULL;
    for (; s->c && bytes; bytes -= LWIP_MIN(bytes, 0xffffu))
        tcp_recved(s->c, (u16_t)LWIP_MIN(bytes, 0xffffu));
}

static void forget(struct socket *s)
{
    if (s->unread)
        pbuf_free(s->unread);
    s->unread = NULL;
    s->c = NULL;
}

static err_t leave(struct socket *s, bool abort)
{
    struct tcp_pcb *c = s->c;
    if (abort) {
        forget(s);
        tcp_arg(c, NULL);
        tcp_abort(c);
        return ERR_ABRT;
    }
    tcp_arg(c, NULL);
    tcp_recv(c, NULL);
    tcp_sent(c, NULL);
    tcp_poll(c, NULL, 0);
    tcp_err(c, NULL);
    if (tcp_close(c) != ERR_OK) {
        forget(s);
        tcp_abort(c);
        return ERR_ABRT;
    }
    forget(s);
    return ERR_OK;
}

static err_t end_by_manner(struct socket *s)
{
    if (s->manner & ABORTS)
        return leave(s, true);
    if (s->manner & CLOSES)
        return leave(s, false);
    return ERR_OK;
}

static void chain_check(const struct pbuf *buffers)
{
    unsigned left = buffers->tot_len;
    for (; buffers; left -= buffers->len, buffers = buffers->next)
        if (buffers->tot_len != left || buffers->len > left)
            fail("the program gets data whose lengths contradict each other");
    if (left)
        fail("the program gets data whose lengths contradict each other");
}

static void answer(struct socket *s, unsigned length)
{
    if (s->manner & ANSWERS && s->answers) {
        s->answers--;
        tcp_write(s->c, text, (u16_t)length, s->answers & 1 ? TCP_WRITE_FLAG_COPY : 0);
    }
}

static err_t on_received(void *arg, struct tcp_pcb *c, struct pbuf *buffers, err_t error)
{
    struct socket *s = arg;
    (void)error;
    if (!s || s->c != c)
        fail("the program is called for a connection that it has left");
    if (!buffers) // the peer has closed
        return leave(s, s->manner & ABORTS);
    chain_check(buffers);
    if (s->manner & REFUSES) {
        s->manner &= (uint8_t)~REFUSES;
        return ERR_MEM;
    }
    if (s->unread && s->unread->tot_len + buffers->tot_len > 0xffff)
        read_some(s);
    if (s->unread)
        pbuf_cat(s->unread, buffers);
    else
        s->unread = buffers;
    if (s->manner & READS)
        read_some(s);
    answer(s, s->manner * 5u);
    return end_by_manner(s);
}

static err_t on_sent(void *arg, struct tcp_pcb *c, u16_t length)
{
    struct socket *s = arg;
    (void)length;
    if (!s || s->c != c)
        fail("the program is called for a connection that it has left");
    answer(s, 100);
    return ERR_OK;
}

static err_t on_poll(void *arg, struct tcp_pcb *c)
{
    struct socket *s = arg;
    if (s->c != c)
        fail("the program is called for a connection that it has left");
    return end_by_manner(s);
}

static void on_error(void *arg, err_t error)
{
    (void)error;
    if (arg)
        forget(arg);
}

static struct socket *socket_take(struct tcp_pcb *c)
{
    for (struct socket *s = sockets; s < sockets + SOCKETS; s++) {
        if (s->c)
            continue;
        *s = (struct socket){.c = c, .manner = (uint8_t)(script_byte() ^ READS), .answers = 100};
        if (s->manner & 0xc0) // seldom an end at the first byte
            s->manner &= (uint8_t) ~(ABORTS | CLOSES);
        tcp_arg(c, s);
        tcp_recv(c, on_received);
        tcp_sent(c, on_sent);
        tcp_err(c, on_error);
        if (s->manner & 0x20)
            tcp_poll(c, on_poll, 4);
        return s;
    }
    return NULL;
}

static err_t on_accept(void *arg, struct tcp_pcb *c, err_t error)
{
    (void)arg;
    if (error != ERR_OK || !c)
        return ERR_VAL;
    return socket_take(c) ? ERR_OK : ERR_MEM;
}

static err_t on_connected(void *arg, struct tcp_pcb *c, err_t error)
{
    (void)error;
    struct socket *s = arg;
    if (s->c != c)
        fail("the program is called for a connection that it has left");
    answer(s, 600);
    return ERR_OK;
}

static void connect_one(void)
{
    ip_addr_t address = address_of(script_byte());
    unsigned port = script_odd(64) ? OTHER_PORT : LISTEN_PORT;
    struct tcp_pcb *c = tcp_new_ip_type(IP_GET_TYPE(&address));
    if (!c)
        return;
    struct socket *s = socket_take(c);
    if (!s) {
        tcp_abort(c);
        return;
    }
    if (tcp_connect(c, &address, (u16_t)port, on_connected) != ERR_OK && s->c == c)
        leave(s, true);
}

static void write_some(struct socket *s)
{
    unsigned kind = script_byte(), length = script_byte() * (kind & 4 ? 16u : 1u);
    u8_t flags = (kind & 1 ? TCP_WRITE_FLAG_COPY : 0) | (kind & 2 ? TCP_WRITE_FLAG_MORE : 0);
    for (unsigned i = 0; i <= (kind >> 3 & 15); i++)
        tcp_write(s->c, text, (u16_t)length, flags);
    if (s->c)
        tcp_output(s->c);
}

static void set(struct socket *s)
{
    unsigned value = script_byte();
    if (value & 1)
        tcp_nagle_disable(s->c);
    if (value & 2)
        ip_set_option(s->c, SOF_KEEPALIVE);
    if (value & 4)
        s->c->keep_idle = s->c->keep_intvl = value * 20u;
    s->manner = (uint8_t)script_byte();
}

static void act_on(struct socket *s)
{
    switch (script_below(8)) {
    default:
        write_some(s);
        break;
    case 3:
        read_some(s);
        break;
    case 4:
        set(s);
        break;
    case 5:
        tcp_shutdown(s->c, 0, 1);
        break;
    case 6:
        leave(s, false);
        break;
    case 7:
        leave(s, script_odd(128));
    }
}

// --- UDP, names, groups, raw sockets ---

static void on_datagram(void *arg, struct udp_pcb *c, struct pbuf *buffers, const ip_addr_t *from, u16_t port)
{
    (void)arg;
    chain_check(buffers);
    if (machine_receives && IP_IS_V4(from) && ip4_addr_eq(ip_2_ip4(from), netif_ip4_addr(machine_netif)))
        fail("a datagram from the wire claims to be the machine's own");
    if (buffers->tot_len & 1 && echoes) { // two of them would echo each other for ever
        echoes--;
        udp_sendto(c, buffers, from, port);
    }
    pbuf_free(buffers);
}

static void datagram_send(struct udp_pcb *c)
{
    ip_addr_t address = address_of(script_byte());
    unsigned length = script_byte() * (script_odd(64) ? 32u : 2u);
    struct pbuf *buffers = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
    if (!buffers)
        return;
    memset(buffers->payload, 'd', length);
    udp_sendto(c, buffers, &address, (u16_t)(script_odd(64) ? script_word() : UDP_PORT));
    pbuf_free(buffers);
}

static void datagrams_act(void)
{
    unsigned number = script_below(DATAGRAMS);
    if (!datagrams[number]) {
        datagrams[number] = udp_new_ip_type(IPADDR_TYPE_ANY);
        if (!datagrams[number])
            return;
        udp_bind(datagrams[number], IP_ANY_TYPE, (u16_t)(UDP_PORT + number));
        udp_recv(datagrams[number], on_datagram, NULL);
    }
    if (script_odd(24)) {
        udp_remove(datagrams[number]);
        datagrams[number] = NULL;
        return;
    }
    datagram_send(datagrams[number]);
}

static void on_found(const char *name, const ip_addr_t *address, void *arg)
{
    (void)arg;
    if (address && !IP_IS_V4(address) && !IP_IS_V6(address))
        fail("a name has an address that is none");
    if (strlen(name) > 255)
        fail("a name comes back that is longer than any");
}

static void ask(void)
{
    static const char *const names[] = {"a.example", "b.example", "www.a-longer-name.example", "x", "c.", ""};
    ip_addr_t address;
    dns_gethostbyname_addrtype(names[script_below(6)], &address, on_found, NULL, (u8_t)script_below(4));
}

static void group_act(void)
{
    ip4_addr_t group4 = {PP_HTONL(0xe0000005u)};
    ip6_addr_t group6;
    IP6_ADDR(&group6, PP_HTONL(0xff020000u), 0, 0, PP_HTONL(script_below(4) + 0x10u));
    ip6_addr_assign_zone(&group6, IP6_MULTICAST, machine_netif);
    switch (script_below(4)) {
    case 0:
        igmp_joingroup_netif(machine_netif, &group4);
        break;
    case 1:
        igmp_leavegroup_netif(machine_netif, &group4);
        break;
    case 2:
        mld6_joingroup_netif(machine_netif, &group6);
        break;
    default:
        mld6_leavegroup_netif(machine_netif, &group6);
    }
}

static u8_t on_raw(void *arg, struct raw_pcb *c, struct pbuf *packet, const ip_addr_t *from)
{
    (void)arg, (void)c, (void)from;
    chain_check(packet);
    if (!(packet->tot_len & 3))
        return 0;
    pbuf_free(packet);
    return 1;
}

static void raw_act(void)
{
    if (raw) {
        raw_remove(raw);
        raw = NULL;
        return;
    }
    raw = raw_new_ip_type(IPADDR_TYPE_ANY, (u8_t)(script_odd(64) ? script_byte() : 1));
    if (raw)
        raw_recv(raw, on_raw, NULL);
}

void program_act(void)
{
    struct socket *s = &sockets[script_below(SOCKETS)];
    switch (script_below(16)) {
    default:
        for (unsigned i = 0; i < SOCKETS && !s->c; i++) // the next one that is open
            s = s == sockets + SOCKETS - 1 ? sockets : s + 1;
        if (s->c)
            act_on(s);
        break;
    case 10:
    case 11:
        connect_one();
        break;
    case 12:
        datagrams_act();
        break;
    case 13:
        ask();
        break;
    case 14:
        group_act();
        break;
    case 15:
        if (script_odd(32))
            raw_act();
    }
}

// --- Start and end ---

static void listen_at(unsigned number, u16_t port, u8_t type, u8_t backlog)
{
    struct tcp_pcb *c = tcp_new_ip_type(type);
    if (!c || tcp_bind(c, type == IPADDR_TYPE_V4 ? IP4_ADDR_ANY : IP_ANY_TYPE, port) != ERR_OK ||
        !(c = tcp_listen_with_backlog(c, backlog)))
        fail("the program cannot listen");
    tcp_accept(c, on_accept);
    listeners[number] = c;
}

void program_start(void)
{
    memset(sockets, 0, sizeof sockets);
    memset(datagrams, 0, sizeof datagrams);
    raw = NULL;
    echoes = 1000;
    listen_at(0, LISTEN_PORT, IPADDR_TYPE_ANY, 255);
    listen_at(1, OTHER_PORT, IPADDR_TYPE_V4, 2);
}

void program_end(void)
{
    for (unsigned i = 0; i < SOCKETS; i++)
        if (sockets[i].c)
            leave(&sockets[i], i & 1);
    for (unsigned i = 0; i < LISTENERS; i++)
        tcp_close(listeners[i]);
    for (unsigned i = 0; i < DATAGRAMS; i++)
        if (datagrams[i])
            udp_remove(datagrams[i]);
    if (raw)
        raw_remove(raw);
}
