// The network of http_server's tests: lwIP's side of connections, and clients.
// SPDX-License-Identifier: MIT
#include "network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct site site;
char big[BIG];
struct altcp_pcb *listener, *newest;
struct altcp_pcb *clients[CLIENTS];
unsigned device_buffers;      // of the network device, held by the server
size_t copied_bytes;          // of received data
static uint32_t next_address; // each client has one of its own, unless a test says otherwise

void bm_random_fill(void *buffer, size_t size)
{
    memset(buffer, 0x5b, size);
}

bool site_make(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 2654435761u >> 13);
    return site_init(&site, 4) && site_add_file(&site, "/small", "small", 5, "a") &&
           site_add_file(&site, "/big", big, BIG, "b");
}

// ---- lwIP's side
// ------------------------------------------------------------------------------------------------

struct altcp_pcb *altcp_new_ip_type(void *allocator, int type)
{
    (void)allocator;
    assert_int_equal(type, IPADDR_TYPE_ANY);
    struct altcp_pcb *pcb = calloc(1, sizeof(*pcb));
    pcb->room = TCP_SND_BUF;
    pcb->largest = UINT16_MAX;
    pcb->address.addr[0] = ++next_address;
    pcb->snd_wnd_max = 65535;
    pcb->mss = TCP_MSS;
    newest = pcb;
    return pcb;
}

err_t altcp_bind(struct altcp_pcb *pcb, const void *address, uint16_t port)
{
    (void)pcb;
    (void)address;
    return port == 81 ? ERR_USE : ERR_OK;
}

struct altcp_pcb *altcp_listen_with_backlog_and_err(struct altcp_pcb *pcb, uint8_t backlog, err_t *error)
{
    (void)backlog;
    *error = ERR_OK;
    return pcb;
}

void altcp_accept(struct altcp_pcb *pcb, altcp_accept_fn accept)
{
    listener = pcb;
    pcb->accept = accept;
}

void altcp_arg(struct altcp_pcb *pcb, void *arg)
{
    pcb->arg = arg;
}

void altcp_recv(struct altcp_pcb *pcb, altcp_recv_fn recv)
{
    pcb->recv = recv;
}

void altcp_sent(struct altcp_pcb *pcb, altcp_sent_fn sent)
{
    pcb->sent = sent;
}

void altcp_err(struct altcp_pcb *pcb, altcp_err_fn err)
{
    pcb->err = err;
}

void altcp_recved(struct altcp_pcb *pcb, uint16_t length)
{
    pcb->recved += length;
}

void altcp_abort(struct altcp_pcb *pcb)
{
    assert_null(pcb->err); // else lwIP would call back for a connection that is gone
    pcb->aborted = true;
}

err_t altcp_close(struct altcp_pcb *pcb)
{
    assert_null(pcb->recv);
    pcb->closed = true;
    return ERR_OK;
}

err_t altcp_shutdown(struct altcp_pcb *pcb, int receive, int transmit)
{
    assert_int_equal(receive, 0);
    assert_int_equal(transmit, 1);
    pcb->ended = true;
    return ERR_OK;
}

err_t altcp_write(struct altcp_pcb *pcb, const void *data, uint16_t length, uint8_t flags)
{
    (void)flags;
    assert_false(pcb->closed || pcb->aborted || pcb->ended);
    assert_true(length > 0);
    if (length > pcb->room || length > pcb->largest)
        return ERR_MEM;
    assert_true(pcb->length + length <= sizeof(pcb->out));
    memcpy(pcb->out + pcb->length, data, length);
    pcb->length += length;
    pcb->room -= length;
    return ERR_OK;
}

err_t altcp_output(struct altcp_pcb *pcb)
{
    assert_false(pcb->closed || pcb->aborted);
    return ERR_OK;
}

uint16_t altcp_sndbuf(struct altcp_pcb *pcb)
{
    return (uint16_t)pcb->room;
}

uint16_t altcp_mss(struct altcp_pcb *pcb)
{
    return pcb->mss;
}

ip_addr_t *altcp_get_ip(struct altcp_pcb *pcb, int local)
{
    assert_int_equal(local, 0);
    return &pcb->address;
}

void altcp_setprio(struct altcp_pcb *pcb, uint8_t priority)
{
    (void)pcb;
    (void)priority;
}

void altcp_nagle_disable(struct altcp_pcb *pcb)
{
    (void)pcb;
}

static struct pbuf *pbuf_new(const char *data, size_t length, int type)
{
    struct pbuf *p = calloc(1, sizeof(*p));
    p->payload = malloc(length);
    memcpy(p->payload, data, length);
    p->len = p->tot_len = (uint16_t)length;
    p->type = type;
    device_buffers += type == PBUF_POOL;
    return p;
}

uint8_t pbuf_free(struct pbuf *p)
{
    while (p != NULL) {
        struct pbuf *next = p->next;
        device_buffers -= p->type == PBUF_POOL;
        free(p->payload);
        free(p);
        p = next;
    }
    return 1;
}

void pbuf_cat(struct pbuf *head, struct pbuf *tail)
{
    for (; head->next != NULL; head = head->next)
        head->tot_len = (uint16_t)(head->tot_len + tail->tot_len);
    head->tot_len = (uint16_t)(head->tot_len + tail->tot_len);
    head->next = tail;
}

uint16_t pbuf_clen(const struct pbuf *p)
{
    uint16_t count = 0;
    for (; p != NULL; p = p->next)
        count++;
    return count;
}

struct pbuf *pbuf_clone(int layer, int type, struct pbuf *p)
{
    (void)layer;
    assert_int_equal(type, PBUF_RAM);
    char *whole = malloc(p->tot_len);
    size_t length = 0;
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        memcpy(whole + length, q->payload, q->len);
        length += q->len;
    }
    assert_int_equal(length, p->tot_len);
    copied_bytes += length;
    struct pbuf *one = pbuf_new(whole, length, PBUF_RAM);
    free(whole);
    return one;
}

bool pbuf_match_type(const struct pbuf *p, int type)
{
    return p->type == type;
}

// ---- The clients' side
// ------------------------------------------------------------------------------------------

err_t arrive(struct altcp_pcb *pcb)
{
    return listener->accept(NULL, pcb, ERR_OK);
}

struct altcp_pcb *join(unsigned i)
{
    clients[i] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
    assert_int_equal(arrive(clients[i]), ERR_OK);
    return clients[i];
}

struct altcp_pcb *join_from(unsigned i, uint32_t address)
{
    clients[i] = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
    clients[i]->address.addr[0] = address;
    assert_int_equal(arrive(clients[i]), ERR_OK);
    return clients[i];
}

err_t say(struct altcp_pcb *pcb, const char *bytes)
{
    struct pbuf *p = pbuf_new(bytes, strlen(bytes), PBUF_POOL);
    const err_t error = pcb->recv(pcb->arg, pcb, p, ERR_OK);
    if (error == ERR_MEM)
        pbuf_free(p);
    return error;
}

err_t hang_up(struct altcp_pcb *pcb)
{
    return pcb->recv(pcb->arg, pcb, NULL, ERR_OK);
}

void take(struct altcp_pcb *pcb, size_t most)
{
    size_t length = pcb->length - pcb->acknowledged;
    if (length > most)
        length = most;
    if (length > UINT16_MAX)
        length = UINT16_MAX;
    pcb->acknowledged += length;
    pcb->room += length;
    if (pcb->sent != NULL)
        pcb->sent(pcb->arg, pcb, (uint16_t)length);
}

void take_all(struct altcp_pcb *pcb)
{
    while (pcb->acknowledged < pcb->length && !pcb->aborted)
        take(pcb, 5000);
}

bool is_gone(const struct altcp_pcb *pcb)
{
    return pcb->closed || pcb->aborted;
}

void pass(unsigned seconds)
{
    while (seconds-- > 0)
        server_sweep(784111777);
}

unsigned count_of(unsigned status)
{
    return (unsigned)server_counters_get()->requests[http_status_number(status)];
}

unsigned status_at(const char *bytes)
{
    unsigned status = 0;
    return sscanf(bytes, "HTTP/1.1 %u ", &status) == 1 ? status : 0;
}

bool ends_with_big(const struct altcp_pcb *pcb)
{
    return pcb->length > BIG && memcmp(pcb->out + pcb->length - BIG, big, BIG) == 0;
}

int start_with(unsigned connections, size_t send_memory)
{
    const struct server_options options = {.port = 80,
                                           .connections = connections,
                                           .idle_seconds = 60,
                                           .head_seconds = 10,
                                           .progress_seconds = 30,
                                           .rate = RATE,
                                           .send_memory = send_memory};
    free(listener);
    listener = NULL;
    return server_start(&site, &options, 784111777);
}

int start(void **state)
{
    (void)state;
    return start_with(3, 1 << 20);
}

int start_many(void **state)
{
    (void)state;
    return start_with(20, 1 << 20);
}

int stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i] == NULL)
            continue;
        if (!is_gone(clients[i]) && clients[i]->err != NULL)
            clients[i]->err(clients[i]->arg, ERR_RST);
        free(clients[i]);
        clients[i] = NULL;
    }
    free(listener);
    listener = NULL;
    return server_counters_get()->open == 0 ? 0 : -1;
}
