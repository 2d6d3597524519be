// One connection of a program, from 10.7.0.1:5000 to 10.7.0.2:80, and what lwIP does for it.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip_stand_in.h>

extern struct netif netif;
extern struct tcp_pcb connection;

// What was called.
extern unsigned outputs, freed_frames, given_segments, removed, aborted, errors;
extern u32_t sent_bytes;
extern struct pbuf *received;

// What the program's callbacks answer and do.
extern err_t receive_answer, sent_answer;
extern bool close_in_sent;
err_t on_sent(void *arg, struct tcp_pcb *c, u16_t length);
err_t on_received(void *arg, struct tcp_pcb *c, struct pbuf *p, err_t error);
void on_error(void *arg, err_t error);
