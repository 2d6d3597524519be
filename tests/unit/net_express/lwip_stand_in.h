// Stand-in for lwIP: as much of it as net/tcp/express_input.c uses.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef int8_t err_t;
typedef uint8_t u8_t;
typedef uint16_t u16_t;
typedef uint32_t u32_t;
typedef uint64_t u64_t;
typedef int16_t s16_t;
typedef int32_t s32_t;
enum { ERR_OK = 0, ERR_ABRT = -13, ERR_CLSD = -15, ERR_MEM = -1 };

#define LWIP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PP_HTONS(x)    ((u16_t)(((x)&0xff) << 8 | ((x) >> 8 & 0xff)))
#define lwip_ntohs(x)  __builtin_bswap16(x)
#define lwip_htons(x)  __builtin_bswap16(x)
#define lwip_ntohl(x)  __builtin_bswap32(x)
#define lwip_htonl(x)  __builtin_bswap32(x)

enum { PBUF_FLAG_PUSH = 1 };
struct pbuf {
    struct pbuf *next;
    void *payload;
    u16_t tot_len, len;
    u8_t flags, if_idx;
};
u16_t pbuf_clen(const struct pbuf *buffers);
u8_t pbuf_free(struct pbuf *buffer);

enum { NETIF_CHECKSUM_CHECK_TCP = 0x400, NETIF_NO_INDEX = 0 };
struct netif {
    u16_t chksum_flags;
    u8_t number;
    bool up;
};
#define netif_is_up(netif)     ((netif)->up)
#define netif_get_index(netif) ((netif)->number)

typedef struct {
    u32_t addr;
} __attribute__((packed)) ip4_addr_t; // as it lies in headers
typedef ip4_addr_t ip_addr_t;
typedef int raw_input_state_t;
struct igmp_group;
struct raw_pcb;
#define ip4_addr_get_u32(address) ((address)->addr)

enum {
    ETHTYPE_IP = 0x0800,
    IP_HLEN = 20,
    TCP_HLEN = 20,
    IP_PROTO_TCP = 6,
    IP_MF = 0x2000,
    IP_OFFMASK = 0x1fff
};
struct eth_addr {
    u8_t addr[6];
} __attribute__((packed));
struct eth_hdr {
    struct eth_addr dest, src;
    u16_t type;
} __attribute__((packed));
struct ip_hdr {
    u8_t _v_hl, _tos;
    u16_t _len, _id, _offset;
    u8_t _ttl, _proto;
    u16_t _chksum;
    ip4_addr_t src, dest;
} __attribute__((packed));
#define IPH_LEN(header)    ((header)->_len)
#define IPH_OFFSET(header) ((header)->_offset)
#define IPH_PROTO(header)  ((header)->_proto)

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };
struct tcp_hdr {
    u16_t src, dest;
    u32_t seqno, ackno;
    u16_t _hdrlen_rsvd_flags, wnd, chksum, urgp;
} __attribute__((packed));
#define TCP_SEQ_LT(a, b)  ((int32_t)((a) - (b)) < 0)
#define TCP_SEQ_LEQ(a, b) ((int32_t)((a) - (b)) <= 0)
#define TCP_SEQ_GEQ(a, b) ((int32_t)((a) - (b)) >= 0)
#define TCP_TCPLEN(seg)   ((seg)->len)

struct tcp_seg {
    struct tcp_seg *next;
    struct pbuf *p;
    u16_t len;
    u8_t flags;
    struct tcp_hdr *tcphdr;
};

enum { SYN_RCVD = 3, ESTABLISHED = 4, FIN_WAIT_1 = 5, TCP_MSS = 1460 };
enum {
    TF_ACK_DELAY = 1,
    TF_ACK_NOW = 2,
    TF_INFR = 4,
    TF_CLOSEPEND = 8,
    TF_RXCLOSED = 0x10,
    TF_FIN = 0x20,
    TF_NODELAY = 0x40,
    TF_RTO = 0x800
};

struct tcp_pcb;
typedef err_t (*tcp_sent_fn)(void *arg, struct tcp_pcb *c, u16_t length);
typedef err_t (*tcp_recv_fn)(void *arg, struct tcp_pcb *c, struct pbuf *p, err_t error);
typedef void (*tcp_err_fn)(void *arg, err_t error);

struct tcp_pcb {
    int state;
    u8_t netif_idx;
    u16_t flags, mss;
    u32_t rcv_nxt, rcv_wnd, rcv_ann_wnd, snd_nxt, lastack, snd_wnd, snd_wnd_max, snd_wl1, snd_wl2, cwnd,
        ssthresh;
    u32_t bytes_acked, snd_buf, rttest, rtseq, tmr;
    u16_t snd_queuelen, unsent_oversize;
    u8_t snd_scale, nrtx, dupacks, polltmr, keep_cnt_sent, persist_probe;
    s16_t rtime, sa, sv, rto;
    bool sack_valid;
    struct tcp_seg *unsent, *unacked, *ooseq;
    struct pbuf *refused_data;
    void *callback_arg;
    tcp_sent_fn sent;
    tcp_recv_fn recv;
    tcp_err_fn errf;
};
#define LWIP_TCP_SACK_VALID(c, number)          ((c)->sack_valid)
#define TCP_EVENT_ERR(state, errf, arg, result) ((void)(state), (errf) ? (errf)((arg), (result)) : (void)0)
#define tcp_ack(c)                                                                                           \
    ((c)->flags & TF_ACK_DELAY ? ((c)->flags = (u16_t)(((c)->flags & ~TF_ACK_DELAY) | TF_ACK_NOW))           \
                               : ((c)->flags |= TF_ACK_DELAY))

extern u32_t tcp_ticks;
extern struct tcp_pcb *tcp_input_pcb, *tcp_active_pcbs;
u32_t tcp_update_rcv_ann_wnd(struct tcp_pcb *c);
void tcp_trigger_input_pcb_close(void);
void bm_net_close_later(void);
void tcp_pcb_remove(struct tcp_pcb **list, struct tcp_pcb *c);
void tcp_free(struct tcp_pcb *c);
void tcp_abort(struct tcp_pcb *c);
err_t tcp_recv_null(void *arg, struct tcp_pcb *c, struct pbuf *p, err_t error);
err_t tcp_output(struct tcp_pcb *c);
