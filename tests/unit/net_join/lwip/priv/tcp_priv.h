// Stand-in for lwIP: as much of TCP as net/tcp/join.c uses.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>

#define LWIP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PP_HTONS(x)    ((u16_t)(((x)&0xff) << 8 | ((x) >> 8 & 0xff)))
#define lwip_ntohl(x)  __builtin_bswap32(x)
#define lwip_htonl(x)  __builtin_bswap32(x)

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TF_NODELAY = 0x40, TF_FIN = 0x20 };
enum { TCP_HLEN = 20, IP6_HLEN = 40 };

struct tcp_hdr {
    u16_t src, dest;
    u32_t seqno, ackno;
    u16_t _hdrlen_rsvd_flags, wnd, chksum, urgp;
} __attribute__((packed));
#define TCPH_FLAGS(header)           (__builtin_bswap16((header)->_hdrlen_rsvd_flags) & 63)
#define TCPH_SET_FLAG(header, flags) ((header)->_hdrlen_rsvd_flags |= PP_HTONS(flags))

struct tcp_seg {
    struct tcp_seg *next;
    struct pbuf *p;
    u16_t len;
    u8_t flags;
    struct tcp_hdr *tcphdr;
};

struct tcp_pcb {
    u32_t snd_wnd, cwnd, snd_nxt, lastack;
    u16_t mss, flags, unsent_oversize;
    struct tcp_seg *unsent, *unacked;
};
struct raw_pcb;
err_t bm_net_lwip_output(struct tcp_pcb *connection);
