// An invented xHCI controller with hubs and keyboards, and the kernel around the driver, for test_xhci.c and
// fuzz_xhci.c.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/usb/xhci/xhci.h"

#include <stdbool.h>
#include <stdint.h>

enum { PORTS = 4, HUB_PORTS = 4, GADGETS = 24, REPORTS = 8 };

// A USB device. All zeros but what gadget_plug sets: an honest one.
struct gadget {
    enum usb_kind kind;
    uint8_t speed, packet, class;
    uint8_t refuses; // request that is stalled; 0: none
    bool mute;       // answers to nothing
    bool asleep;     // a port's reset does not enable it
    bool addressed, configured, halted;
    struct gadget *ports[HUB_PORTS + 1]; // of a hub
    uint16_t status[HUB_PORTS + 1], changes[HUB_PORTS + 1];
    uint8_t reports[REPORTS][8]; // that wait
    unsigned report_count;
    uint64_t told; // ms, when a hub has told of changes: it does so again and again
    // What happened:
    uint8_t lights, slot;
    unsigned idle, protocol, cleared_halts;
};

struct controller {
    uint32_t hcsparams1, hcsparams2, hccparams1, doorbells_at, pagesize, legacy, caplength;
    bool gone, never_reset, mute; // mute: no command is answered
    bool deaf;                    // nothing that is written changes anything
    bool firmware_stays;
    bool no_messages, no_line;
    // Changes what is read, an event before it is posted (returns whether it is posted at all), what a device
    // answers.
    uint32_t (*lie_of_register)(uint32_t offset, uint32_t value);
    bool (*lie)(struct xhci_trb *event);
    void (*lie_of_data)(uint8_t *data, unsigned length);
    // What happened:
    unsigned resets, commands[64], disabled;
    uint32_t command, status, portsc[PORTS + 1];
    struct gadget *ports[PORTS + 1];
};
extern struct controller controller;
extern struct gadget gadgets[GADGETS];
extern unsigned log_errors, log_warnings, keys_down, key_repeats;
extern uint8_t keys[256]; // that are down
extern unsigned keyboard_modifiers;
extern uint64_t controller_now;
extern struct bm_pci_device controller_device;

void controller_clear(void);
void controller_free(void);
int controller_attach(void);
struct xhci *controller_driver(void);
// Serves the poller until it has no work; lets that many milliseconds go by, serving it each.
void controller_poll(void);
void controller_run(unsigned milliseconds);
unsigned controller_blocks(void);   // that the driver has
uint64_t controller_deadline(void); // when it wants to be served

// A device comes to a port of the controller, or of a hub; or goes.
struct gadget *gadget_plug(struct gadget *hub, unsigned port, enum usb_kind kind, uint8_t speed);
void gadget_unplug(struct gadget *hub, unsigned port);
void gadget_report(struct gadget *gadget, const uint8_t *report);

// --- Between the two files ---

// A request; returns how many bytes of data[length] it brought, or -1: refused, -2: no answer.
int gadget_control(struct gadget *gadget, const uint8_t *setup, uint8_t *data, unsigned length);
// What the endpoint tells; the same numbers, -3: nothing.
int gadget_interrupt(struct gadget *gadget, uint8_t *data, unsigned length);
// The device at a route behind a port.
struct gadget *gadget_find(unsigned port, uint32_t route);
void controller_port_changed(unsigned port);
void controller_endpoints(void); // there may be something to tell
