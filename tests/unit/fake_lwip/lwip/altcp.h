// Stand-in for lwIP's altcp API: connections whose other end is the test. Only what http_server uses.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_SND_BUF 16384
#define TCP_MSS     1460

enum { ERR_OK = 0, ERR_MEM = -1, ERR_VAL = -6, ERR_USE = -8, ERR_ABRT = -13, ERR_RST = -14 };
enum { TCP_WRITE_FLAG_COPY = 1, TCP_WRITE_FLAG_MORE = 2 };
enum { TCP_PRIO_MIN = 1, IPADDR_TYPE_ANY = 46 };
enum { PBUF_RAW = 0, PBUF_RAM = 1, PBUF_POOL = 2 };
#define IP_ANY_TYPE ((const void *)0)

typedef int8_t err_t;

typedef struct {
    uint32_t addr[4]; // IPv4: the first
    bool is_ip6;
} ip_addr_t;
#define IP_IS_V4(address)         (!(address)->is_ip6)
#define ip_2_ip4(address)         (address)
#define ip_2_ip6(address)         (address)
#define ip4_addr_get_u32(address) ((address)->addr[0])

struct pbuf {
    struct pbuf *next;
    void *payload;
    uint16_t tot_len, len;
    int type;
};

struct altcp_pcb;
typedef err_t (*altcp_accept_fn)(void *arg, struct altcp_pcb *pcb, err_t error);
typedef err_t (*altcp_recv_fn)(void *arg, struct altcp_pcb *pcb, struct pbuf *p, err_t error);
typedef err_t (*altcp_sent_fn)(void *arg, struct altcp_pcb *pcb, uint16_t length);
typedef void (*altcp_err_fn)(void *arg, err_t error);

// What the server has done to its end of a connection, for the test to look at.
struct altcp_pcb {
    void *arg;
    altcp_accept_fn accept;
    altcp_recv_fn recv;
    altcp_sent_fn sent;
    altcp_err_fn err;
    size_t room;         // of the send buffer
    size_t largest;      // longest write that is taken (the queue of segments is short), 0: none
    size_t acknowledged; // bytes of `out` that the client has taken
    size_t length;
    size_t recved;
    ip_addr_t address;    // of the client
    uint32_t snd_wnd_max; // its largest window
    uint16_t mss;
    bool closed, aborted, ended; // ended: our FIN
    char out[1 << 20];
};

struct altcp_pcb *altcp_new_ip_type(void *allocator, int type);
err_t altcp_bind(struct altcp_pcb *pcb, const void *address, uint16_t port);
struct altcp_pcb *altcp_listen_with_backlog_and_err(struct altcp_pcb *pcb, uint8_t backlog, err_t *error);
void altcp_accept(struct altcp_pcb *pcb, altcp_accept_fn accept);
void altcp_arg(struct altcp_pcb *pcb, void *arg);
void altcp_recv(struct altcp_pcb *pcb, altcp_recv_fn recv);
void altcp_sent(struct altcp_pcb *pcb, altcp_sent_fn sent);
void altcp_err(struct altcp_pcb *pcb, altcp_err_fn err);
void altcp_recved(struct altcp_pcb *pcb, uint16_t length);
void altcp_abort(struct altcp_pcb *pcb);
err_t altcp_close(struct altcp_pcb *pcb);
err_t altcp_shutdown(struct altcp_pcb *pcb, int receive, int transmit);
err_t altcp_write(struct altcp_pcb *pcb, const void *data, uint16_t length, uint8_t flags);
err_t altcp_output(struct altcp_pcb *pcb);
uint16_t altcp_sndbuf(struct altcp_pcb *pcb);
uint16_t altcp_mss(struct altcp_pcb *pcb);
ip_addr_t *altcp_get_ip(struct altcp_pcb *pcb, int local);
void altcp_setprio(struct altcp_pcb *pcb, uint8_t priority);
void altcp_nagle_disable(struct altcp_pcb *pcb);

uint8_t pbuf_free(struct pbuf *p);
void pbuf_cat(struct pbuf *head, struct pbuf *tail);
struct pbuf *pbuf_clone(int layer, int type, struct pbuf *p);
uint16_t pbuf_clen(const struct pbuf *p);
bool pbuf_match_type(const struct pbuf *p, int type);
