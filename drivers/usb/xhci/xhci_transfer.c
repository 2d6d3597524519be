// Transfers: requests to devices, and what their endpoints tell unasked (sections 4.11.2 and 6.4.1).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/time.h>

enum { IN = 0x80, LENGTH_MASK = 0xffffff };

int bm_usb_control(struct xhci *self, struct usb_device *device, uint8_t type, uint8_t request,
                   uint16_t value, uint16_t index, uint16_t length)
{
    struct usb_task *task = &self->task;
    struct xhci_ring *ring = &device->control;
    uint64_t data = device->address + offsetof(struct xhci_device_memory, data);
    bool in = type & IN && length;
    uint32_t stage = !length ? 0 : in ? TRB_SETUP_IN : TRB_SETUP_OUT;
    BM_ASSERT(task->wait == WAIT_NOTHING, "one command or transfer of a task is under way");
    BM_ASSERT(length <= XHCI_DATA_SIZE, "a transfer must fit into the device's page");
    device->length = length;
    task->asked = device;
    task->residue = 0;
    task->data = 0;
    bm_xhci_ring_put(ring,
                     type | (uint64_t)request << 8 | (uint64_t)value << 16 | (uint64_t)index << 32 |
                         (uint64_t)length << 48,
                     8, TRB_SETUP << TRB_TYPE_SHIFT | TRB_IMMEDIATE | stage);
    if (length)
        task->data = bm_xhci_ring_put(ring, data, length,
                                      TRB_DATA << TRB_TYPE_SHIFT | TRB_SHORT_EVENT | (in ? TRB_IN : 0));
    task->address =
        bm_xhci_ring_put(ring, 0, 0, TRB_STATUS << TRB_TYPE_SHIFT | TRB_EVENT | (in ? 0 : TRB_IN));
    task->wait = WAIT_CONTROL;
    task->deadline = bm_time_monotonic() + XHCI_ANSWER_MAX;
    xhci_write(self, self->doorbells + 4u * device->slot, 1);
    return STEP_WAIT;
}

void bm_usb_interrupt_ask(struct xhci *self, struct usb_device *device)
{
    BM_ASSERT(!device->expected, "an endpoint is asked once at a time");
    uint64_t report = device->address + offsetof(struct xhci_device_memory, report);
    device->expected = bm_xhci_ring_put(&device->interrupt, report, device->function.packet,
                                        TRB_NORMAL << TRB_TYPE_SHIFT | TRB_EVENT | TRB_SHORT_EVENT);
    xhci_write(self, self->doorbells + 4u * device->slot, 2u * device->function.endpoint + 1);
}

// A TRB with data that is short is told of, and then the end of the transfer is.
static void control_event(struct xhci *self, struct usb_device *device, const struct xhci_trb *event)
{
    struct usb_task *task = &self->task;
    unsigned code = event->status >> 24;
    if (task->wait != WAIT_CONTROL || task->asked != device)
        return;
    if (code == CODE_SHORT_PACKET && task->data && event->parameter == task->data) {
        task->residue = event->status & LENGTH_MASK;
        return;
    }
    if (code == CODE_STOPPED || code == CODE_STOPPED_LENGTH || code == CODE_STOPPED_SHORT)
        return;
    if (code == CODE_SUCCESS && event->parameter != task->address)
        return;
    if (task->residue > device->length)
        code = 0; // more is missing than was asked for
    device->length = (uint16_t)(code == CODE_SUCCESS ? device->length - task->residue : 0);
    bm_usb_over(self, code == CODE_SUCCESS ? 0 : -BM_EIO);
}

static void interrupt_event(struct xhci *self, struct usb_device *device, const struct xhci_trb *event)
{
    unsigned code = event->status >> 24;
    uint32_t residue = event->status & LENGTH_MASK;
    if (!device->live || !device->expected || event->parameter != device->expected)
        return;
    device->expected = 0;
    if ((code != CODE_SUCCESS && code != CODE_SHORT_PACKET) || residue > device->function.packet) {
        device->halted = true; // bm_usb_task_poll sees to it
        return;
    }
    size_t length = device->function.packet - residue;
    device->errors = 0;
    if (device->function.kind == USB_KEYBOARD)
        bm_usb_keyboard_report(device, device->memory->report, length);
    else
        bm_usb_hub_report(device, device->memory->report, length);
    bm_usb_interrupt_ask(self, device);
}

void bm_xhci_transfer_event(struct xhci *self, const struct xhci_trb *event)
{
    unsigned slot = event->control >> TRB_SLOT_SHIFT & 0xff,
             index = event->control >> TRB_ENDPOINT_SHIFT & 0x1f;
    struct usb_device *device = slot <= XHCI_DEVICES_MAX ? self->by_slot[slot] : NULL;
    if (!device || device->gone)
        return;
    if (index == 1)
        control_event(self, device, event);
    else if (index == 2u * device->function.endpoint + 1)
        interrupt_event(self, device, event);
}
