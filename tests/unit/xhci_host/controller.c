// An invented xHCI controller: registers, rings, commands.
// SPDX-License-Identifier: MIT
#include "controller.h"

#include "kernel.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPERATIONAL = 0x20,
    RUNTIME = 0x1000,
    DOORBELLS = 0x2000,
    LEGACY = 0x3000,
    SLOTS = 32,
    HCCPARAMS = 0x0c000001
};

struct controller controller;
extern const struct bm_driver bm_driver_xhci;

// Where the controller is in an endpoint's ring.
struct place {
    uint64_t at;
    uint8_t cycle;
    bool there;
};
static struct {
    bool used;
    struct gadget *gadget;
    uint64_t context;
    struct place control, interrupt;
    unsigned index; // of the interrupt endpoint
} slots[SLOTS + 1];
static struct place commands;
static uint64_t erst, erdp, dcbaa;
static unsigned event, event_cycle;

static void reset(void)
{
    controller.resets++;
    memset(slots, 0, sizeof slots);
    memset(&commands, 0, sizeof commands);
    controller.command = controller.never_reset ? XHCI_CMD_RESET : 0;
    controller.status = XHCI_STS_HALTED;
    erst = event = 0;
    event_cycle = 1;
}

void controller_clear(void)
{
    kernel_free();
    memset(&controller, 0, sizeof controller);
    memset(gadgets, 0, sizeof gadgets);
    reset();
    controller.resets = 0;
    controller.caplength = 0x01000000 | OPERATIONAL;
    controller.hcsparams1 = (uint32_t)PORTS << 24 | 1 << 8 | SLOTS;
    controller.hcsparams2 = 2u << 27; // scratchpads
    controller.hccparams1 = HCCPARAMS;
    controller.doorbells_at = DOORBELLS;
    controller.pagesize = 1;
    controller.legacy = XHCI_CAPABILITY_LEGACY | XHCI_LEGACY_FIRMWARE;
}

void controller_free(void)
{
    kernel_free();
}

int controller_attach(void)
{
    controller_device.device.state = NULL;
    return bm_driver_xhci.attach(&controller_device.device);
}

struct xhci *controller_driver(void)
{
    return controller_device.device.state;
}

void controller_poll(void)
{
    for (unsigned i = 0; kernel_poller && i < 1000; i++)
        if (!kernel_poller->poll(kernel_poller->arg) && !kernel_poller->arm(kernel_poller->arg))
            return;
    if (kernel_poller && !controller.lie)
        abort(); // there is always something to do
}

void controller_run(unsigned milliseconds)
{
    for (unsigned i = 0; i < milliseconds; i++) {
        controller_now += XHCI_MILLISECOND;
        controller_endpoints();
        controller_poll();
    }
}

uint64_t controller_deadline(void)
{
    return kernel_poller->deadline(kernel_poller->arg);
}

static void post(struct xhci_trb trb)
{
    if (!(controller.command & XHCI_CMD_RUN) || !erst || (controller.lie && !controller.lie(&trb)))
        return;
    uint64_t segment;
    memcpy(&segment, kernel_at(erst, 16), sizeof segment);
    struct xhci_trb *ring = kernel_at(segment, XHCI_EVENTS * sizeof *ring);
    trb.control = (trb.control & ~1u) | event_cycle;
    ring[event] = trb;
    if (++event == XHCI_EVENTS) {
        event = 0;
        event_cycle ^= 1;
    }
    controller.status |= XHCI_STS_EVENT;
    if (kernel_line)
        kernel_line(kernel_line_arg);
}

static void post_transfer(unsigned slot, unsigned index, uint64_t at, unsigned code, unsigned residue)
{
    post((struct xhci_trb){at, code << 24 | residue, TRB_TRANSFER_EVENT << 10 | index << 16 | slot << 24});
}

void controller_port_changed(unsigned port)
{
    post((struct xhci_trb){(uint64_t)port << 24, CODE_SUCCESS << 24, TRB_PORT_EVENT << 10});
}

// The next TRB, if it was handed over; links are followed.
static bool next(struct place *place, struct xhci_trb *trb, uint64_t *at)
{
    for (unsigned links = 0; place->there && links < 2; links++) {
        memcpy(trb, kernel_at(place->at, sizeof *trb), sizeof *trb);
        if ((trb->control & 1) != place->cycle)
            return false;
        *at = place->at;
        place->at += sizeof *trb;
        if ((trb->control >> 10 & 0x3f) != TRB_LINK)
            return true;
        place->at = trb->parameter;
        place->cycle ^= trb->control >> 1 & 1;
    }
    return false;
}

static struct place place_of(uint64_t pointer)
{
    return (struct place){pointer & ~15ull, pointer & 1, true};
}

static uint64_t pointer_in(const uint32_t *context)
{
    return context[2] | (uint64_t)context[3] << 32;
}

static unsigned address(unsigned slot, uint64_t input, unsigned type)
{
    const unsigned size = controller.hccparams1 & XHCI_HCC_CSZ ? 64 : 32;
    const uint8_t *contexts = kernel_at(input, 33 * size);
    uint32_t head[2], place[4], endpoint[5];
    memcpy(head, contexts, sizeof head);
    memcpy(place, contexts + size, sizeof place);
    if (type == TRB_ADDRESS_DEVICE) {
        memcpy(&slots[slot].context, kernel_at(dcbaa + slot * 8, 8), 8);
        kernel_at(slots[slot].context, 32 * size); // the driver has to have it
        memcpy(endpoint, contexts + 2 * size, sizeof endpoint);
        slots[slot].control = place_of(pointer_in(endpoint));
        slots[slot].gadget = gadget_find(place[1] >> 16 & 0xff, place[0] & 0xfffff);
        if (slots[slot].gadget)
            slots[slot].gadget->slot = (uint8_t)slot;
        return slots[slot].gadget ? CODE_SUCCESS : CODE_TRANSACTION_ERROR;
    }
    for (unsigned index = 2; type == TRB_CONFIGURE_ENDPOINT && index < 32; index++)
        if (head[1] >> index & 1) {
            memcpy(endpoint, contexts + size * (index + 1), sizeof endpoint);
            slots[slot].interrupt = place_of(pointer_in(endpoint));
            slots[slot].index = index;
        }
    return CODE_SUCCESS;
}

static unsigned command(const struct xhci_trb *trb, unsigned *slot)
{
    unsigned type = trb->control >> 10 & 0x3f, index = trb->control >> 16 & 0x1f;
    controller.commands[type]++;
    if (type == TRB_ENABLE_SLOT) {
        for (*slot = 1; *slot <= XHCI_DEVICES_MAX; ++*slot)
            if (!slots[*slot].used) {
                slots[*slot].used = true;
                return CODE_SUCCESS;
            }
        *slot = 0;
        return 9; // no slots
    }
    if (!*slot || *slot > SLOTS || !slots[*slot].used)
        return 11; // slot not enabled
    if (type == TRB_DISABLE_SLOT)
        memset(&slots[*slot], 0, sizeof slots[*slot]);
    else if (type == TRB_SET_DEQUEUE)
        *(index == 1 ? &slots[*slot].control : &slots[*slot].interrupt) = place_of(trb->parameter);
    else if (type != TRB_RESET_ENDPOINT)
        return address(*slot, trb->parameter, type);
    return CODE_SUCCESS;
}

static void commands_run(void)
{
    struct xhci_trb trb;
    uint64_t at;
    while (!controller.mute && next(&commands, &trb, &at)) {
        unsigned slot = trb.control >> 24, code = command(&trb, &slot);
        post((struct xhci_trb){at, code << 24, TRB_COMMAND_EVENT << 10 | slot << 24});
    }
}

static bool is_there(const struct gadget *gadget, unsigned slot)
{
    return gadget && gadget->speed && gadget->slot == slot;
}

static void control_run(unsigned slot)
{
    struct xhci_trb setup, data = {0}, status;
    uint64_t at, data_at = 0;
    struct gadget *gadget = slots[slot].gadget;
    if (!next(&slots[slot].control, &setup, &at))
        return;
    unsigned length = (unsigned)(setup.parameter >> 48);
    if ((setup.control >> 10 & 0x3f) != TRB_SETUP ||
        (length && !next(&slots[slot].control, &data, &data_at)) || !next(&slots[slot].control, &status, &at))
        abort(); // no transfer
    uint8_t *bytes = length ? kernel_at(data.parameter, length) : NULL, request[8];
    memcpy(request, &setup.parameter, 8);
    int came = is_there(gadget, slot) ? gadget_control(gadget, request, bytes, length) : -4;
    if (came == -2)
        return;
    if (came > 0 && controller.lie_of_data && request[0] & 0x80)
        controller.lie_of_data(bytes, (unsigned)came);
    if (came >= 0 && (unsigned)came < length && request[0] & 0x80)
        post_transfer(slot, 1, data_at, CODE_SHORT_PACKET, length - (unsigned)came);
    post_transfer(slot, 1, at,
                  came >= 0    ? CODE_SUCCESS
                  : came == -1 ? CODE_STALL
                               : CODE_TRANSACTION_ERROR,
                  0);
}

static void interrupt_run(unsigned slot)
{
    struct place before = slots[slot].interrupt;
    struct gadget *gadget = slots[slot].gadget;
    struct xhci_trb trb;
    uint64_t at;
    while (next(&slots[slot].interrupt, &trb, &at)) {
        unsigned length = trb.status & 0x1ffff;
        uint8_t *bytes = kernel_at(trb.parameter, length);
        int came = is_there(gadget, slot) ? gadget_interrupt(gadget, bytes, length) : -4;
        if (came == -3) {
            slots[slot].interrupt = before;
            return;
        }
        if (came > 0 && controller.lie_of_data)
            controller.lie_of_data(bytes, (unsigned)came);
        unsigned code = came < 0                  ? came == -1 ? CODE_STALL : CODE_TRANSACTION_ERROR
                        : (unsigned)came < length ? CODE_SHORT_PACKET
                                                  : CODE_SUCCESS;
        post_transfer(slot, slots[slot].index, at, code, came < 0 ? length : length - (unsigned)came);
        before = slots[slot].interrupt;
        if (came < 0)
            slots[slot].interrupt.there = false; // stands still
    }
}

void controller_endpoints(void)
{
    for (unsigned slot = 1; slot <= SLOTS; slot++)
        if (slots[slot].used)
            interrupt_run(slot);
}

static void port_write(unsigned port, uint32_t value)
{
    uint32_t *status = &controller.portsc[port];
    *status &= ~(value & XHCI_PORT_CHANGES);
    if (value & XHCI_PORT_ENABLED)
        *status &= ~(uint32_t)XHCI_PORT_ENABLED;
    *status |= value & XHCI_PORT_POWER;
    if (value & XHCI_PORT_RESET && *status & XHCI_PORT_CONNECTED) {
        *status |= XHCI_PORT_ENABLED | 1 << 21;
        controller_port_changed(port);
    }
}

uint32_t xhci_read(const struct xhci *self, uint32_t offset)
{
    uint32_t value = 0, port = (offset - OPERATIONAL - XHCI_PORTSC) / XHCI_PORT_SIZE + 1;
    if (offset + 4 > self->size || offset % 4)
        abort(); // no register
    if (controller.gone)
        return UINT32_MAX;
    switch (offset) {
    case XHCI_CAPLENGTH:
        value = controller.caplength;
        break;
    case XHCI_HCSPARAMS1:
        value = controller.hcsparams1;
        break;
    case XHCI_HCSPARAMS2:
        value = controller.hcsparams2;
        break;
    case XHCI_HCCPARAMS1:
        value = controller.hccparams1;
        break;
    case XHCI_DBOFF:
        value = controller.doorbells_at;
        break;
    case XHCI_RTSOFF:
        value = RUNTIME;
        break;
    case OPERATIONAL + XHCI_USBCMD:
        value = controller.command;
        break;
    case OPERATIONAL + XHCI_USBSTS:
        value = controller.status;
        break;
    case OPERATIONAL + XHCI_PAGESIZE:
        value = controller.pagesize;
        break;
    case LEGACY:
        value = controller.legacy;
        break;
    default:
        if (offset >= OPERATIONAL + XHCI_PORTSC && port <= PORTS)
            value = controller.portsc[port];
    }
    return controller.lie_of_register ? controller.lie_of_register(offset, value) : value;
}

static void operational_write(uint32_t offset, uint32_t value)
{
    static uint32_t low;
    if (offset == XHCI_USBCMD) {
        if (value & XHCI_CMD_RESET) {
            reset();
            return;
        }
        controller.command = value;
        controller.status = value & XHCI_CMD_RUN ? controller.status & ~(uint32_t)XHCI_STS_HALTED
                                                 : controller.status | XHCI_STS_HALTED;
    } else if (offset == XHCI_USBSTS)
        controller.status &= ~value;
    else if (offset == XHCI_CRCR || offset == XHCI_DCBAAP)
        low = value;
    else if (offset == XHCI_CRCR + 4)
        commands = place_of(low | (uint64_t)value << 32);
    else if (offset == XHCI_DCBAAP + 4) {
        dcbaa = low | (uint64_t)value << 32;
        kernel_at(dcbaa, 8 * 256);
    } else if (offset >= XHCI_PORTSC && (offset - XHCI_PORTSC) / XHCI_PORT_SIZE < PORTS)
        port_write((offset - XHCI_PORTSC) / XHCI_PORT_SIZE + 1, value);
}

static void runtime_write(uint32_t offset, uint32_t value)
{
    static uint32_t low;
    if (offset == XHCI_ERSTBA || offset == XHCI_ERDP)
        low = value;
    else if (offset == XHCI_ERSTBA + 4)
        erst = low | (uint64_t)value << 32;
    else if (offset == XHCI_ERDP + 4) {
        erdp = (low | (uint64_t)value << 32) & ~15ull;
        kernel_at(erdp, sizeof(struct xhci_trb));
    }
}

void xhci_write(struct xhci *self, uint32_t offset, uint32_t value)
{
    if (offset + 4 > self->size || offset % 4)
        abort(); // no register
    if (controller.gone || controller.deaf)
        return;
    unsigned slot = (offset - DOORBELLS) / 4;
    if (offset == LEGACY)
        controller.legacy = controller.firmware_stays ? value : value & ~(uint32_t)XHCI_LEGACY_FIRMWARE;
    else if (offset >= DOORBELLS && slot == 0)
        commands_run();
    else if (offset >= DOORBELLS && slot <= SLOTS && slots[slot].used)
        value == 1 ? control_run(slot) : interrupt_run(slot);
    else if (offset >= RUNTIME && offset < DOORBELLS)
        runtime_write(offset - RUNTIME, value);
    else if (offset >= OPERATIONAL && offset < RUNTIME)
        operational_write(offset - OPERATIONAL, value);
}
