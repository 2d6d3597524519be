// What the files of the xHCI driver share. Section numbers are those of the eXtensible Host Controller
// Interface for USB, revision 1.2; "USB 2.0" and "HID" are the Universal Serial Bus Specification 2.0 and the
// Device Class Definition for Human Interface Devices 1.11.
// SPDX-License-Identifier: MIT
#pragma once

#include "xhci_registers.h"

#include <baremetal/pci.h>
#include <baremetal/wait.h>

#include <stdatomic.h>
#include <stddef.h>

enum {
    XHCI_DEVICES_MAX = 16,       // hubs and keyboards of a controller
    XHCI_EVENTS = 128,           // of the event ring
    XHCI_COMMANDS = 16,          // of the command ring
    XHCI_TRANSFERS = 16,         // of an endpoint's ring
    XHCI_BATCH = 64,             // events taken in a round
    XHCI_PORTS_MAX = 255,        // of a controller
    XHCI_HUB_PORTS_MAX = 15,     // of a hub: what a route has room for (section 8.9 of USB 3.2)
    XHCI_DEPTH_MAX = 5,          // hubs one behind the other
    XHCI_ATTEMPTS_MAX = 3,       // to take a device
    XHCI_DATA_SIZE = 1024,       // of what a device says of itself
    XHCI_REPORT_SIZE = 64,       // of what it says unasked
    XHCI_ERRORS_MAX = 3,         // of an endpoint, one after the other
    XHCI_RESTARTS_MAX = 3,       // of a controller
    XHCI_REGISTERS_MAX = 1 << 20 // bytes
};
#define XHCI_MILLISECOND 1000000ull
#define XHCI_ANSWER_MAX  (5000 * XHCI_MILLISECOND) // of controller and devices (USB 2.0, section 9.2.6.1)

// Transfer request block (section 6.4).
struct xhci_trb {
    uint64_t parameter;
    uint32_t status, control;
};

// A ring that the driver fills (section 4.9).
struct xhci_ring {
    struct xhci_trb *trbs; // the last one leads to the first
    uint64_t address;      // for the controller
    uint16_t count, next;
    uint8_t cycle;
};

// What the controller reads and writes of a device: one page.
struct xhci_device_memory {
    _Alignas(64) unsigned char context[2048]; // slot and 31 endpoints
    _Alignas(64) struct xhci_trb control[XHCI_TRANSFERS];
    _Alignas(64) struct xhci_trb interrupt[XHCI_TRANSFERS];
    _Alignas(64) unsigned char data[XHCI_DATA_SIZE];
    _Alignas(64) unsigned char report[XHCI_REPORT_SIZE];
};
_Static_assert(sizeof(struct xhci_device_memory) <= 4096, "no context lies in two pages");

// … and of the controller: the structures of one page each, or aligned so that none lies in two.
struct xhci_memory {
    _Alignas(4096) unsigned char input[4096]; // input context (section 6.2.5)
    _Alignas(4096) uint64_t contexts[256];    // addresses of the devices' (section 6.1)
    _Alignas(64) struct xhci_trb events[XHCI_EVENTS];
    _Alignas(4096) struct xhci_trb commands[XHCI_COMMANDS];
    struct {
        uint64_t address;
        uint32_t size, reserved;
    } segment; // of the event ring (section 6.5)
};

enum usb_speed { USB_SPEED_FULL = 1, USB_SPEED_LOW, USB_SPEED_HIGH, USB_SPEED_SUPER };
enum usb_kind { USB_OTHER, USB_KEYBOARD, USB_HUB };

// What a device is good for, by its descriptors.
struct usb_function {
    enum usb_kind kind;
    uint8_t configuration, interface;
    uint8_t endpoint; // number, of the one that tells of changes
    uint8_t interval; // as the descriptor has it
    uint16_t packet;  // bytes at most
};

// The ports of a hub, or of the controller itself. Numbers begin with 1.
struct usb_ports {
    uint8_t count;
    uint64_t changed[4]; // bit: somebody has to look
    uint8_t attempts[XHCI_PORTS_MAX + 1];
};

struct usb_keyboard {
    uint8_t report[8];
    uint8_t repeated; // usage of the key that is held; 0: none
    uint8_t lights;   // that the keyboard was told
    uint64_t repeat;  // when the key comes again
};

struct xhci;

struct usb_device {
    bool used, gone;
    bool live;              // its endpoint is asked for changes
    bool halted;            // … and has failed
    uint8_t errors;         // one after the other
    struct usb_device *hub; // that it hangs on; NULL: the controller
    uint8_t port;           // there
    uint8_t slot;           // 0: none
    uint8_t speed, root_port, depth;
    uint8_t translator, translator_port; // slot of the hub that translates to slow devices; 0: none
    uint32_t route;
    uint16_t packet; // of endpoint 0
    uint16_t length; // of what the last transfer of endpoint 0 brought
    struct xhci_device_memory *memory;
    uint64_t address; // of that, for the controller
    struct xhci_ring control, interrupt;
    uint64_t expected; // address of the interrupt ring's TRB that is under way; 0: none
    struct usb_function function;
    struct usb_keyboard keyboard;
    struct usb_ports ports;
    uint16_t power_time; // ms, of a hub
    uint8_t think_time;  // of its translator, as the descriptor has it
};

// A step of a task. `begin` starts something and returns STEP_WAIT, or has done it, or is to be called again
// in a millisecond; `end`, when what was started is over, looks at task.result (NULL: it has to be 0). Both
// return a negative error, too.
enum { STEP_DONE, STEP_WAIT, STEP_AGAIN };
struct usb_step {
    const char *name; // for the log; NULL: the task ends here
    int (*begin)(struct xhci *self, struct usb_device *device);
    int (*end)(struct xhci *self, struct usb_device *device);
};

enum usb_wait { WAIT_NOTHING, WAIT_COMMAND, WAIT_CONTROL, WAIT_TIME };

// What a port said when it was asked last.
struct usb_port_status {
    bool connected, enabled, resetting, reconnected;
    uint8_t speed;
    uint16_t changes; // that a hub has yet to be told of
};

// One thing at a time is done with the devices of a controller.
struct usb_task {
    const struct usb_step *step;    // NULL: there is nothing to do
    const struct usb_step *resumed; // when endpoint 0 works again
    bool begun, moved;              // the step was, and its end is looked at; another one is next
    struct usb_device *device;      // that it is about, or that is made
    struct usb_device *hub;         // of the port that it is about; NULL: the controller
    uint8_t port;
    struct usb_port_status status;
    struct usb_device *asked; // by a control transfer of this step
    enum usb_wait wait;
    uint64_t address;  // of the TRB whose end is awaited
    uint64_t data;     // … and of the one with data, whose length counts
    uint32_t residue;  // of that
    uint64_t deadline; // of what is under way
    uint64_t limit;    // of steps that are repeated
    unsigned count;    // … that somebody counts
    int result;
    uint8_t slot; // in the answer to a command
};

struct xhci {
    struct bm_pci_device *pci;
    volatile uint8_t *registers;
    size_t size;                                      // of the registers
    uint32_t operational, runtime, doorbells, legacy; // offsets; legacy 0: none
    uint8_t context_size;                             // 32 or 64 bytes
    uint8_t slots;                                    // that are used
    bool wide;                                        // addresses of 64 bits
    bool line, polled;                                // how it interrupts
    bool dead, restart;
    uint8_t restarts;
    atomic_bool running;
    uint64_t next_look; // without interrupts
    struct xhci_memory *memory;
    uint64_t address; // of that, for the controller
    struct xhci_ring commands;
    uint16_t event, event_cycle; // next one to take
    uint64_t *scratchpads;
    struct usb_task task;
    struct usb_ports ports;
    struct usb_device devices[XHCI_DEVICES_MAX];
    struct usb_device *by_slot[XHCI_DEVICES_MAX + 1];
    struct bm_poller poller;
};

#ifdef BM_HOST_TEST
uint32_t xhci_read(const struct xhci *self, uint32_t offset);
void xhci_write(struct xhci *self, uint32_t offset, uint32_t value);
#else
static inline uint32_t xhci_read(const struct xhci *self, uint32_t offset)
{
    return *(volatile uint32_t *)(self->registers + offset);
}
static inline void xhci_write(struct xhci *self, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}
#endif
// The low half first (section 5.1).
static inline void xhci_write64(struct xhci *self, uint32_t offset, uint64_t value)
{
    xhci_write(self, offset, (uint32_t)value);
    xhci_write(self, offset + 4, (uint32_t)(value >> 32));
}

// --- xhci.c ---

// A block of 2^order pages that the controller reaches, zeroed; NULL: there is none.
void *bm_xhci_memory(const struct xhci *self, unsigned order);
// The controller is at its end.
void bm_xhci_fail(struct xhci *self, const char *why);

// --- xhci_reset.c ---

// From whatever it was to running (section 4.2).
extern const struct usb_step bm_xhci_start_steps[];
// What the driver keeps in memory, before the first start. Returns NULL, or what is wrong.
const char *bm_xhci_prepare(struct xhci *self);

// --- xhci_ring.c ---

void bm_xhci_ring_begin(struct xhci_ring *ring, struct xhci_trb *trbs, uint64_t address, unsigned count);
// Hands a TRB over; returns its address.
uint64_t bm_xhci_ring_put(struct xhci_ring *ring, uint64_t parameter, uint32_t status, uint32_t control);
// Where the next one will be, with its cycle bit, as contexts and commands want it.
uint64_t bm_xhci_ring_next(const struct xhci_ring *ring);
void bm_xhci_events_begin(struct xhci *self);
bool bm_xhci_events_ready(const struct xhci *self);
// Takes what is there; returns whether there was anything.
bool bm_xhci_events_take(struct xhci *self);

// --- xhci_command.c: all but the last return STEP_WAIT ---

int bm_xhci_command(struct xhci *self, uint64_t parameter, uint32_t control);
int bm_xhci_slot_enable(struct xhci *self);
int bm_xhci_slot_disable(struct xhci *self, struct usb_device *device);
int bm_xhci_address(struct xhci *self, struct usb_device *device);
int bm_xhci_packet_size(struct xhci *self, struct usb_device *device);
int bm_xhci_endpoint_add(struct xhci *self, struct usb_device *device);
int bm_xhci_hub_tell(struct xhci *self, struct usb_device *device);
// Endpoint by its index in the context: 1 is endpoint 0.
int bm_xhci_endpoint_reset(struct xhci *self, struct usb_device *device, unsigned index);
int bm_xhci_endpoint_empty(struct xhci *self, struct usb_device *device, unsigned index);
void bm_xhci_command_event(struct xhci *self, const struct xhci_trb *event);

// --- xhci_transfer.c ---

// A control transfer of `length` bytes to or from device->memory->data; returns STEP_WAIT.
int bm_usb_control(struct xhci *self, struct usb_device *device, uint8_t type, uint8_t request,
                   uint16_t value, uint16_t index, uint16_t length);
// Asks the device's endpoint for the next change.
void bm_usb_interrupt_ask(struct xhci *self, struct usb_device *device);
void bm_xhci_transfer_event(struct xhci *self, const struct xhci_trb *event);

// --- xhci_task.c ---

// Waits; returns STEP_WAIT.
int bm_usb_delay(struct xhci *self, uint64_t time);
// Goes on with other steps; returns STEP_DONE.
int bm_usb_go(struct xhci *self, const struct usb_step *steps);
// What is under way has ended.
void bm_usb_over(struct xhci *self, int result);
// Goes on with what can be gone on with; returns whether anything was.
bool bm_usb_task_poll(struct xhci *self);
// Somebody has to look at the port; at all ports.
void bm_usb_port_mark(struct usb_ports *ports, unsigned port);
void bm_usb_ports_mark(struct usb_ports *ports);
// The task's device, and what hangs on it, has gone.
void bm_usb_gone(struct xhci *self, struct usb_device *device);
// All devices, which the controller has forgotten.
void bm_usb_forget(struct xhci *self);

// --- xhci_port.c ---

extern const struct usb_step bm_usb_port_steps[];
struct usb_ports *bm_usb_ports(struct xhci *self, struct usb_device *hub);
struct usb_device *bm_usb_child(struct xhci *self, const struct usb_device *hub, unsigned port);

// --- xhci_device.c ---

extern const struct usb_step bm_usb_device_steps[];  // from a port that was reset to a device that works
extern const struct usb_step bm_usb_release_steps[]; // it has gone
extern const struct usb_step bm_usb_recover_steps[]; // its endpoint has failed
extern const struct usb_step bm_usb_control_steps[]; // endpoint 0 has failed
int bm_usb_live(struct xhci *self, struct usb_device *device);

// --- xhci_describe.c: functions over memory ---

// What the device is good for, by the configuration descriptor at bytes[length]; a hub only if `may_hub`.
struct usb_function bm_usb_describe(const uint8_t *bytes, size_t length, bool may_hub);

// --- xhci_hub.c ---

extern const struct usb_step bm_usb_hub_steps[];
extern const struct usb_step bm_usb_hub_change_steps[]; // of the hub itself
void bm_usb_hub_report(struct usb_device *device, const uint8_t *bytes, size_t length);

// --- xhci_keyboard.c ---

extern const struct usb_step bm_usb_keyboard_steps[];
extern const struct usb_step bm_usb_lights_steps[];
void bm_usb_keyboard_report(struct usb_device *device, const uint8_t *bytes, size_t length);
void bm_usb_keyboard_release(struct usb_device *device);
// The key that is held, when it is time; returns whether it was.
bool bm_usb_keyboard_repeat(struct usb_device *device, uint64_t now);
bool bm_usb_keyboard_lights_differ(const struct usb_device *device);
