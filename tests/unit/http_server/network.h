// The network of http_server's tests: lwIP's side of connections, and clients.
// SPDX-License-Identifier: MIT
#pragma once

#include "http_protocol.h"
#include "server_raw.h"

#include <lwip/altcp.h>

enum { BIG = 300000, CLIENTS = 40, RATE = 100 };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

extern struct site site; // with the pages /small and /big
extern struct altcp_pcb *listener, *newest;
extern struct altcp_pcb *clients[CLIENTS];
extern unsigned device_buffers; // of the network device, held by the server
extern size_t copied_bytes;     // of received data

// Fills the site; once.
bool site_make(void);

// The server with 3 connections (20: start_many) at most, and the end of all that a test left.
int start_with(unsigned connections, size_t send_memory);
int start(void **state);
int start_many(void **state);
int stop(void **state);

// A client comes; from an address of its own, or that one.
err_t arrive(struct altcp_pcb *pcb);
struct altcp_pcb *join(unsigned i);
struct altcp_pcb *join_from(unsigned i, uint32_t address);
// It sends, or ends its side.
err_t say(struct altcp_pcb *pcb, const char *bytes);
err_t hang_up(struct altcp_pcb *pcb);
// It takes `most` bytes more, or all.
void take(struct altcp_pcb *pcb, size_t most);
void take_all(struct altcp_pcb *pcb);
// Whether the server has closed or reset it.
bool is_gone(const struct altcp_pcb *pcb);
// Whether what the server sent ends with the big page, whole.
bool ends_with_big(const struct altcp_pcb *pcb);

void pass(unsigned seconds);
unsigned count_of(unsigned status); // answers
unsigned status_at(const char *bytes);
