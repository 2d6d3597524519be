// Commands to the controller, one at a time, and the contexts that they carry (sections 4.6 and 6.2).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/time.h>

enum { ENDPOINT_CONTROL = 4, ENDPOINT_INTERRUPT_IN = 7, ERRORS = 3 }; // attempts of each transaction

int bm_xhci_command(struct xhci *self, uint64_t parameter, uint32_t control)
{
    BM_ASSERT(self->task.wait == WAIT_NOTHING, "one command or transfer of a task is under way");
    self->task.wait = WAIT_COMMAND;
    self->task.deadline = bm_time_monotonic() + XHCI_ANSWER_MAX;
    self->task.address = bm_xhci_ring_put(&self->commands, parameter, 0, control);
    xhci_write(self, self->doorbells, 0);
    return STEP_WAIT;
}

static int device_command(struct xhci *self, const struct usb_device *device, uint64_t parameter,
                          unsigned type, unsigned endpoint)
{
    return bm_xhci_command(self, parameter,
                           type << TRB_TYPE_SHIFT | endpoint << TRB_ENDPOINT_SHIFT |
                               (uint32_t)device->slot << TRB_SLOT_SHIFT);
}

void bm_xhci_command_event(struct xhci *self, const struct xhci_trb *event)
{
    if (self->task.wait != WAIT_COMMAND || event->parameter != self->task.address)
        return; // of one that was given up
    self->task.slot = event->control >> TRB_SLOT_SHIFT & 0xff;
    bm_usb_over(self, event->status >> 24 == CODE_SUCCESS ? 0 : -BM_EIO);
}

int bm_xhci_slot_enable(struct xhci *self)
{
    return bm_xhci_command(self, 0, TRB_ENABLE_SLOT << TRB_TYPE_SHIFT);
}

int bm_xhci_slot_disable(struct xhci *self, struct usb_device *device)
{
    return device_command(self, device, 0, TRB_DISABLE_SLOT, 0);
}

// The input context: which contexts are meant (bits of `added`), and the contexts; slot is 0, endpoint 0
// is 1.
static uint32_t *input_begin(struct xhci *self, uint32_t added)
{
    uint32_t *input = (uint32_t *)self->memory->input;
    __builtin_memset(input, 0, sizeof self->memory->input);
    input[1] = added;
    return input;
}

static uint32_t *input_context(const struct xhci *self, unsigned index)
{
    return (uint32_t *)(self->memory->input + (size_t)self->context_size * (index + 1));
}

static unsigned endpoint_index(const struct usb_device *device)
{
    return 2u * device->function.endpoint + 1; // of an IN endpoint (section 4.5.1)
}

// Section 6.2.2. `last` is the index of the last context that the device has.
static void slot_fill(const struct xhci *self, const struct usb_device *device, unsigned last)
{
    uint32_t *slot = input_context(self, 0);
    bool hub = device->function.kind == USB_HUB && device->ports.count;
    slot[0] = device->route | (uint32_t)device->speed << 20 | (uint32_t)hub << 26 | (uint32_t)last << 27;
    slot[1] = (uint32_t)device->root_port << 16 | (hub ? (uint32_t)device->ports.count << 24 : 0);
    slot[2] =
        device->translator | (uint32_t)device->translator_port << 8 | (uint32_t)device->think_time << 16;
}

// Section 6.2.3.
static void endpoint_fill(const struct xhci *self, unsigned index, unsigned type, unsigned packet,
                          const struct xhci_ring *ring)
{
    uint32_t *endpoint = input_context(self, index);
    uint64_t next = bm_xhci_ring_next(ring);
    endpoint[1] = ERRORS << 1 | type << 3 | (uint32_t)packet << 16;
    endpoint[2] = (uint32_t)next;
    endpoint[3] = (uint32_t)(next >> 32);
    endpoint[4] = 8; // bytes of a transfer, about
}

static int input_send(struct xhci *self, const struct usb_device *device, unsigned type)
{
    return device_command(self, device, self->address + offsetof(struct xhci_memory, input), type, 0);
}

int bm_xhci_address(struct xhci *self, struct usb_device *device)
{
    input_begin(self, 3);
    slot_fill(self, device, 1);
    endpoint_fill(self, 1, ENDPOINT_CONTROL, device->packet, &device->control);
    return input_send(self, device, TRB_ADDRESS_DEVICE);
}

int bm_xhci_packet_size(struct xhci *self, struct usb_device *device)
{
    input_begin(self, 2);
    endpoint_fill(self, 1, ENDPOINT_CONTROL, device->packet, &device->control);
    return input_send(self, device, TRB_EVALUATE_CONTEXT);
}

// The exponent of 125 µs: slow devices give ms, fast ones the exponent plus one (section 6.2.3.6).
static unsigned interval_of(const struct usb_device *device)
{
    unsigned said = device->function.interval ? device->function.interval : 1;
    if (device->speed >= USB_SPEED_HIGH)
        return said > 16 ? 15 : said - 1;
    unsigned exponent = 3 + 31 - (unsigned)__builtin_clz(said);
    return exponent > 10 ? 10 : exponent;
}

int bm_xhci_endpoint_add(struct xhci *self, struct usb_device *device)
{
    unsigned index = endpoint_index(device);
    uint32_t packet = device->function.packet;
    bm_xhci_ring_begin(&device->interrupt, device->memory->interrupt,
                       device->address + offsetof(struct xhci_device_memory, interrupt), XHCI_TRANSFERS);
    input_begin(self, 1 | 1u << index);
    slot_fill(self, device, index);
    endpoint_fill(self, index, ENDPOINT_INTERRUPT_IN, packet, &device->interrupt);
    input_context(self, index)[0] = interval_of(device) << 16;
    input_context(self, index)[4] |= packet << 16; // at most in an interval
    return input_send(self, device, TRB_CONFIGURE_ENDPOINT);
}

int bm_xhci_hub_tell(struct xhci *self, struct usb_device *device)
{
    input_begin(self, 1);
    slot_fill(self, device, endpoint_index(device));
    return input_send(self, device, TRB_CONFIGURE_ENDPOINT);
}

int bm_xhci_endpoint_reset(struct xhci *self, struct usb_device *device, unsigned index)
{
    return device_command(self, device, 0, TRB_RESET_ENDPOINT, index);
}

int bm_xhci_endpoint_empty(struct xhci *self, struct usb_device *device, unsigned index)
{
    const struct xhci_ring *ring = index == 1 ? &device->control : &device->interrupt;
    return device_command(self, device, bm_xhci_ring_next(ring), TRB_SET_DEQUEUE, index);
}
