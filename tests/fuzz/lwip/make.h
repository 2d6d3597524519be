// Frames of each kind, by grammar: right in most things, with fields that the script changes.
// SPDX-License-Identifier: MIT
#pragma once

#include "frame.h"

struct ends ends_usual(void); // from one of the hosts to the machine

void make_tcp(void);
void make_tcp_burst(void);
void make_udp(void);
void make_dhcp(void);
void make_dns(void);
void make_arp(void);
void make_igmp(void);
void make_mld(void);
void make_icmp4(void);
void make_icmp6(void);
void make_nd(void);
void make_fragments(void);
void make_anything(void);
