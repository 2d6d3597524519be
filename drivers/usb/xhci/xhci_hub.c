// Hubs: more ports (USB 2.0, section 11).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>

enum { DESCRIPTOR_SIZE = 8, DESCRIPTOR_MIN = 7, HUB_FEATURES = 2 };

static int descriptor_begin(struct xhci *self, struct usb_device *device)
{
    return bm_usb_control(self, device, USB_IN_CLASS_DEVICE, USB_GET_DESCRIPTOR, USB_DESCRIPTOR_HUB << 8, 0,
                          DESCRIPTOR_SIZE);
}

// Section 11.23.2.1.
static int descriptor_end(struct xhci *self, struct usb_device *device)
{
    if (self->task.result)
        return self->task.result;
    const uint8_t *data = device->memory->data;
    uint8_t count = data[2];
    if (device->length < DESCRIPTOR_MIN || data[1] != USB_DESCRIPTOR_HUB || !count)
        return -BM_EPROTO;
    device->ports.count = count < XHCI_HUB_PORTS_MAX ? count : XHCI_HUB_PORTS_MAX;
    device->power_time = (uint16_t)(data[5] * 2);
    if (device->speed == USB_SPEED_HIGH)
        device->think_time = data[3] >> 5 & 3;
    self->task.count = 0;
    return STEP_DONE;
}

static int power(struct xhci *self, struct usb_device *device)
{
    if (self->task.count == device->ports.count)
        return STEP_DONE;
    return bm_usb_control(self, device, USB_OUT_CLASS_PORT, USB_SET_FEATURE, HUB_PORT_POWER,
                          (uint16_t)++self->task.count, 0);
}

static int powered(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return self->task.result ? self->task.result : STEP_AGAIN;
}

static int power_wait(struct xhci *self, struct usb_device *device)
{
    return bm_usb_delay(self, device->power_time * XHCI_MILLISECOND);
}

static int begin(struct xhci *self, struct usb_device *device)
{
    bm_usb_ports_mark(&device->ports);
    return bm_usb_live(self, device);
}

const struct usb_step bm_usb_hub_steps[] = {{"hub descriptor", descriptor_begin, descriptor_end},
                                            {"hub's context", bm_xhci_hub_tell, NULL},
                                            {"power of the ports", power, powered},
                                            {"power of the ports", power_wait, NULL},
                                            {"begin", begin, NULL},
                                            {0}};

// The hub's power and current have changed (section 11.24.2.1): it would tell of that again and again.
static int change_clear(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    if (task->count == HUB_FEATURES)
        return STEP_DONE;
    return bm_usb_control(self, task->hub, USB_OUT_CLASS_DEVICE, USB_CLEAR_FEATURE, (uint16_t)task->count++,
                          0, 0);
}

const struct usb_step bm_usb_hub_change_steps[] = {{"changes of a hub", change_clear, powered}, {0}};

// A bit for the hub, and one for each port (section 11.12.4).
void bm_usb_hub_report(struct usb_device *device, const uint8_t *bytes, size_t length)
{
    for (unsigned port = 0; port <= device->ports.count && port / 8 < length; port++)
        if (bytes[port / 8] >> port % 8 & 1)
            bm_usb_port_mark(&device->ports, port);
}
