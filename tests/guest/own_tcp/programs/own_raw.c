// Our own TCP below the raw API: what callbacks may do, and what nobody takes holds little.
// SPDX-License-Identifier: MIT
// @memory 32

#include <baremetal/memory.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>

#include <stdbool.h>

#include "check.h"

enum { PORT = 7, BACKLOG = 3, PIECES = 8000 };
static const uint64_t SECOND = 1000000000;

static struct tcp_pcb *listening, *client, *server, *other;
static unsigned accepted, errors, received, sent;
static bool delays;

static void until(bool (*holds)(void *arg))
{
    CHECK(bm_wait_until(holds, NULL, bm_time_monotonic() + 20 * SECOND));
}

static bool are_connected(void *arg)
{
    (void)arg;
    return client && server && client->state == ESTABLISHED;
}

static bool are_gone(void *arg)
{
    (void)arg;
    return !client && !server;
}

static bool is_acknowledged(void *arg)
{
    (void)arg;
    return !client->unsent && !client->unacked;
}

static bool was_received(void *arg)
{
    (void)arg;
    return received;
}

static bool was_sent(void *arg)
{
    (void)arg;
    return sent;
}

static void on_error(void *arg, err_t error)
{
    (void)error;
    *(struct tcp_pcb **)arg = NULL;
    errors++;
}

static err_t end_with(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    CHECK(!buffer && error == ERR_OK);
    *(struct tcp_pcb **)arg = NULL;
    return tcp_close(pcb);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
    (void)arg;
    CHECK(error == ERR_OK);
    accepted++;
    server = pcb;
    tcp_arg(pcb, &server);
    tcp_err(pcb, on_error);
    tcp_recv(pcb, end_with);
    if (delays)
        tcp_backlog_delayed(pcb);
    return ERR_OK;
}

static void listen_begin(void)
{
    LOCK_TCPIP_CORE();
    struct tcp_pcb *pcb = tcp_new();
    CHECK(pcb);
    ip_set_option(pcb, SOF_REUSEADDR); // connections of the port before are in TIME-WAIT
    CHECK(tcp_bind(pcb, IP_ADDR_ANY, PORT) == ERR_OK);
    listening = tcp_listen_with_backlog(pcb, BACKLOG);
    CHECK(listening);
    tcp_accept(listening, on_accept);
    UNLOCK_TCPIP_CORE();
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t error)
{
    (void)arg, (void)pcb;
    return error;
}

static struct tcp_pcb *connect_begin(struct tcp_pcb **place)
{
    ip_addr_t here = IPADDR4_INIT_BYTES(127, 0, 0, 1);
    LOCK_TCPIP_CORE();
    struct tcp_pcb *pcb = tcp_new();
    CHECK(pcb);
    tcp_arg(pcb, place);
    tcp_err(pcb, on_error);
    tcp_recv(pcb, end_with);
    tcp_nagle_disable(pcb);
    CHECK(tcp_connect(pcb, &here, PORT, on_connected) == ERR_OK);
    UNLOCK_TCPIP_CORE();
    return pcb;
}

// Both ends of a new connection.
static void pair_begin(void)
{
    server = NULL;
    errors = received = sent = 0;
    client = connect_begin(&client);
    until(are_connected);
}

static void client_abort(void)
{
    LOCK_TCPIP_CORE();
    tcp_abort(client);
    UNLOCK_TCPIP_CORE();
    until(are_gone);
}

static void client_write(const void *data, unsigned length)
{
    LOCK_TCPIP_CORE();
    CHECK(tcp_write(client, data, (u16_t)length, TCP_WRITE_FLAG_COPY) == ERR_OK &&
          tcp_output(client) == ERR_OK);
    UNLOCK_TCPIP_CORE();
}

// Connections that wait in the backlog and are reset make room for others.
static void test_backlog(void)
{
    delays = true;
    accepted = 0;
    for (unsigned i = 0; i < 3 * BACKLOG; i++) {
        pair_begin();
        client_abort();
    }
    CHECK(accepted == 3 * BACKLOG);
    delays = false;
}

static bool all_received(void *arg)
{
    (void)arg;
    return received == PIECES;
}

static bool takes;
static u8_t next;

static err_t take_later(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    (void)arg, (void)error;
    if (!buffer || !takes)
        return buffer ? ERR_MEM : ERR_OK;
    for (unsigned i = 0; i < buffer->tot_len; i++)
        CHECK(pbuf_get_at(buffer, (u16_t)i) == next++);
    received += buffer->tot_len;
    tcp_recved(pcb, buffer->tot_len);
    pbuf_free(buffer);
    return ERR_OK;
}

// Data that is refused comes later, whole; many small pieces of it take hardly more memory than bytes.
static void test_refused(void)
{
    pair_begin();
    LOCK_TCPIP_CORE();
    tcp_recv(server, take_later);
    UNLOCK_TCPIP_CORE();
    takes = false;
    next = 0;
    uint64_t before = bm_memory_statistics_get().free;
    for (unsigned i = 0; i < PIECES; i++) {
        u8_t byte = (u8_t)i;
        client_write(&byte, 1);
        if (i % 16 == 15)
            bm_poll();
    }
    until(is_acknowledged);
    CHECK(received == 0);
    CHECK(before - bm_memory_statistics_get().free < 40 * PIECES);
    takes = true;
    until(all_received);
    client_abort();
}

static err_t abort_received(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    (void)arg, (void)error;
    received++;
    if (buffer)
        pbuf_free(buffer);
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t close_received(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    (void)arg, (void)error;
    CHECK(buffer);
    received++;
    tcp_recved(pcb, buffer->tot_len);
    pbuf_free(buffer);
    server = NULL;
    CHECK(tcp_close(pcb) == ERR_OK);
    return ERR_OK;
}

// The peer of the same machine, and whoever listens.
static err_t end_others(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    (void)arg, (void)error;
    received++;
    tcp_recved(pcb, buffer->tot_len);
    pbuf_free(buffer);
    tcp_abort(client);
    tcp_close(listening);
    return ERR_OK;
}

static void receive_by(tcp_recv_fn what)
{
    pair_begin();
    LOCK_TCPIP_CORE();
    tcp_recv(server, what);
    UNLOCK_TCPIP_CORE();
    client_write("text", 4);
    until(was_received);
}

static err_t abort_sent(void *arg, struct tcp_pcb *pcb, u16_t length)
{
    (void)arg, (void)length;
    sent++;
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t close_sent(void *arg, struct tcp_pcb *pcb, u16_t length)
{
    (void)arg, (void)length;
    sent++;
    client = NULL;
    CHECK(tcp_close(pcb) == ERR_OK);
    return ERR_OK;
}

static err_t take_all(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    if (!buffer)
        return end_with(arg, pcb, buffer, error);
    tcp_recved(pcb, buffer->tot_len);
    pbuf_free(buffer);
    return ERR_OK;
}

static void send_by(tcp_sent_fn what)
{
    pair_begin();
    LOCK_TCPIP_CORE();
    tcp_sent(client, what);
    tcp_recv(server, take_all);
    UNLOCK_TCPIP_CORE();
    client_write("text", 4);
    until(was_sent);
    CHECK(sent == 1 && !client);
}

static void server_end(void)
{
    LOCK_TCPIP_CORE();
    if (server)
        tcp_abort(server);
    UNLOCK_TCPIP_CORE();
    CHECK(!server);
}

static void test_callbacks(void)
{
    receive_by(abort_received);
    until(are_gone);
    CHECK(received == 1);
    receive_by(close_received);
    until(are_gone);
    CHECK(received == 1);
    send_by(abort_sent);
    until(are_gone);
    send_by(close_sent);
    until(are_gone);
    receive_by(end_others);
    CHECK(received == 1 && !client);
    server_end();
    listen_begin();
}

static void end_both(void *arg, err_t error)
{
    struct tcp_pcb **place = arg, **others[] = {&client, &server, &other};
    (void)error;
    errors++;
    *place = NULL;
    for (unsigned i = 0; i < 3; i++) {
        struct tcp_pcb *pcb = *others[i];
        *others[i] = NULL;
        if (pcb) {
            tcp_err(pcb, NULL);
            tcp_abort(pcb);
        }
    }
}

void tcp_netif_ip_addr_changed(const ip_addr_t *from, const ip_addr_t *to);

// An address goes, and whose connection ends so ends the others that the list has next.
static void test_address(void)
{
    ip_addr_t here = IPADDR4_INIT_BYTES(127, 0, 0, 1);
    pair_begin();
    other = connect_begin(&other);
    LOCK_TCPIP_CORE();
    tcp_err(client, end_both);
    tcp_err(server, end_both);
    tcp_err(other, end_both);
    tcp_netif_ip_addr_changed(&here, NULL);
    UNLOCK_TCPIP_CORE();
    CHECK(errors == 1 && !client && !server && !other);
}

int main(void)
{
    listen_begin();
    test_backlog();
    test_refused();
    test_callbacks();
    test_address();
    return passed();
}
