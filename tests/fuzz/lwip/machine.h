// The machine around the network: its clock, its device, its start and end.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwip/netif.h"

struct bm_packet;
extern const uint8_t machine_mac[6];
extern struct netif *machine_netif;

_Noreturn void fail(const char *sentence);

// All as at boot, with these words on the command line and such a device.
void machine_start(const char *words, unsigned capabilities, unsigned mtu);
void machine_clock(unsigned milliseconds); // goes on, with the timers that are due
void machine_poll(void);                   // what a waiting core does
void machine_receive(const uint8_t *bytes, unsigned length, bool vouched); // a frame
void machine_check(void);      // what must hold whatever came before
void machine_end(bool slowly); // everything is closed; fails when something stays behind

// The device: whether it has room for one frame only, whether it keeps those that it took.
extern bool device_small, device_holds;
void device_done(void); // gives back what it holds
void device_link(bool up);
void device_start(unsigned capabilities, unsigned mtu);
void device_input(struct bm_packet *packets);

extern uint64_t frames_received, frames_sent;
extern bool machine_receives; // a frame from the wire, just now
