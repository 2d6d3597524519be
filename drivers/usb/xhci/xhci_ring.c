// Rings: what the driver hands to the controller, and the events that come back.
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/assert.h>
#include <baremetal/log.h>

void bm_xhci_ring_begin(struct xhci_ring *ring, struct xhci_trb *trbs, uint64_t address, unsigned count)
{
    BM_ASSERT(address % 64 == 0 && count >= 2, "a ring must be aligned, and have room");
    __builtin_memset(trbs, 0, count * sizeof *trbs);
    *ring =
        (struct xhci_ring){.trbs = trbs, .address = address, .count = (uint16_t)count, .cycle = TRB_CYCLE};
}

static void put(const struct xhci_ring *ring, uint64_t parameter, uint32_t status, uint32_t control)
{
    struct xhci_trb *trb = &ring->trbs[ring->next];
    trb->parameter = parameter;
    trb->status = status;
    // The cycle bit is what hands it over (section 4.9.2).
    __atomic_store_n(&trb->control, control | ring->cycle, __ATOMIC_RELEASE);
}

uint64_t bm_xhci_ring_put(struct xhci_ring *ring, uint64_t parameter, uint32_t status, uint32_t control)
{
    uint64_t address = ring->address + ring->next * sizeof(struct xhci_trb);
    put(ring, parameter, status, control);
    if (++ring->next == ring->count - 1) {
        put(ring, ring->address, 0, TRB_LINK << TRB_TYPE_SHIFT | TRB_LINK_TOGGLE);
        ring->next = 0;
        ring->cycle ^= TRB_CYCLE;
    }
    return address;
}

uint64_t bm_xhci_ring_next(const struct xhci_ring *ring)
{
    return (ring->address + ring->next * sizeof(struct xhci_trb)) | ring->cycle;
}

void bm_xhci_events_begin(struct xhci *self)
{
    __builtin_memset(self->memory->events, 0, sizeof self->memory->events);
    self->event = 0;
    self->event_cycle = TRB_CYCLE;
}

bool bm_xhci_events_ready(const struct xhci *self)
{
    uint32_t control = __atomic_load_n(&self->memory->events[self->event].control, __ATOMIC_ACQUIRE);
    return (control & TRB_CYCLE) == self->event_cycle;
}

// Every number in an event is the controller's word.
static void event_take(struct xhci *self, const struct xhci_trb *event)
{
    unsigned port = event->parameter >> 24 & 0xff;
    switch (event->control >> TRB_TYPE_SHIFT & 0x3f) {
    case TRB_TRANSFER_EVENT:
        bm_xhci_transfer_event(self, event);
        break;
    case TRB_COMMAND_EVENT:
        bm_xhci_command_event(self, event);
        break;
    case TRB_PORT_EVENT:
        if (port && port <= self->ports.count)
            bm_usb_port_mark(&self->ports, port);
        break;
    case TRB_HOST_EVENT:
        bm_log_warn(self->pci->device.name, "tells of an error (%u): it is started again",
                    (unsigned)(event->status >> 24));
        self->restart = true;
        break;
    default:
        break; // the others tell of what this driver does not use
    }
}

bool bm_xhci_events_take(struct xhci *self)
{
    unsigned count = 0;
    for (; count < XHCI_BATCH && bm_xhci_events_ready(self); count++) {
        const struct xhci_trb event = self->memory->events[self->event];
        if (++self->event == XHCI_EVENTS) {
            self->event = 0;
            self->event_cycle ^= TRB_CYCLE;
        }
        event_take(self, &event);
    }
    if (!count)
        return false;
    xhci_write(self, self->operational + XHCI_USBSTS, XHCI_STS_EVENT); // section 4.17.2
    uint64_t at =
        self->address + offsetof(struct xhci_memory, events) + self->event * sizeof(struct xhci_trb);
    xhci_write64(self, self->runtime + XHCI_ERDP, at | XHCI_ERDP_BUSY); // the next one may interrupt
    return true;
}
