// Which frames may take a fast path around IP.
// SPDX-License-Identifier: MIT
#pragma once

#include "express.h"

static inline bool bm_net_ip_sum_is_right(const struct ip_hdr *ip)
{
    struct words {
        u32_t word[5];
    } __attribute__((packed, may_alias));
    const struct words *words = (const void *)ip;
    u64_t sum = (u64_t)words->word[0] + words->word[1] + words->word[2] + words->word[3] + words->word[4];
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    return (u16_t)((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

// TCP in IPv4 without options and fragments, by Ethernet to one machine; *total: bytes from IP's header on.
static inline bool bm_net_frame_is_plain(const struct pbuf *frame, unsigned *total)
{
    const struct bm_net_headers *headers = frame->payload;
    if (frame->len < sizeof *headers || frame->next)
        return false;
    *total = lwip_ntohs(IPH_LEN(&headers->ip));
    return headers->ethernet.type == PP_HTONS(ETHTYPE_IP) && !(headers->ethernet.dest.addr[0] & 1) &&
           headers->ip._v_hl == 0x45 && IPH_PROTO(&headers->ip) == IP_PROTO_TCP &&
           !(IPH_OFFSET(&headers->ip) & PP_HTONS(IP_MF | IP_OFFMASK)) && *total >= IP_HLEN + TCP_HLEN &&
           *total <= frame->len - sizeof headers->ethernet;
}
