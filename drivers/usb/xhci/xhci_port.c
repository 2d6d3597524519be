// Ports of the controller and of hubs: what has changed, debouncing, reset (sections 4.3 and 4.19; USB 2.0,
// section 11.24.2).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

#define SETTLE_TIME (100 * XHCI_MILLISECOND) // USB 2.0, section 7.1.7.3
#define RESET_CHECK (10 * XHCI_MILLISECOND)
#define RESET_MAX   (1000 * XHCI_MILLISECOND)
#define RECOVERY    (10 * XHCI_MILLISECOND) // USB 2.0, section 7.1.7.5
enum { SETTLE_MAX = 20, SPEED_SUPER_PLUS = 5 };

static const struct usb_step settle_steps[], reset_steps[];

struct usb_ports *bm_usb_ports(struct xhci *self, struct usb_device *hub)
{
    return hub ? &hub->ports : &self->ports;
}

struct usb_device *bm_usb_child(struct xhci *self, const struct usb_device *hub, unsigned port)
{
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++) {
        struct usb_device *device = &self->devices[i];
        if (device->used && !device->gone && device->hub == hub && device->port == port)
            return device;
    }
    return NULL;
}

static uint32_t port_register(const struct xhci *self, unsigned port)
{
    return self->operational + XHCI_PORTSC + (port - 1) * XHCI_PORT_SIZE;
}

static int status_read(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    if (task->hub)
        return bm_usb_control(self, task->hub, USB_IN_CLASS_PORT, USB_GET_STATUS, 0, task->port, 4);
    uint32_t status = xhci_read(self, port_register(self, task->port));
    uint8_t speed = status >> XHCI_PORT_SPEED_SHIFT & 15;
    task->status = (struct usb_port_status){.connected = status & XHCI_PORT_CONNECTED,
                                            .enabled = status & XHCI_PORT_ENABLED,
                                            .resetting = status & XHCI_PORT_RESET,
                                            .reconnected = status & XHCI_PORT_CHANGE_CONNECT,
                                            .speed = speed == SPEED_SUPER_PLUS ? USB_SPEED_SUPER : speed};
    if (status & XHCI_PORT_CHANGES)
        xhci_write(self, port_register(self, task->port), status & (XHCI_PORT_KEPT | XHCI_PORT_CHANGES));
    return STEP_DONE;
}

static int status_parse(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    if (task->result)
        return task->result;
    if (task->hub->length < 4)
        return -BM_EPROTO;
    const volatile uint8_t *data = task->hub->memory->data;
    unsigned status = data[0] | data[1] << 8, changes = data[2] | data[3] << 8;
    task->status = (struct usb_port_status){.connected = status & HUB_STATUS_CONNECTED,
                                            .enabled = status & HUB_STATUS_ENABLED,
                                            .resetting = status & HUB_STATUS_RESET,
                                            .reconnected = changes & 1,
                                            .speed = status & HUB_STATUS_LOW    ? USB_SPEED_LOW
                                                     : status & HUB_STATUS_HIGH ? USB_SPEED_HIGH
                                                                                : USB_SPEED_FULL,
                                            .changes = (uint16_t)(changes & ((1 << HUB_CHANGES) - 1))};
    return STEP_DONE;
}

// A hub is told of each change that was seen.
static int status_clear(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    if (!task->hub || !task->status.changes)
        return STEP_DONE;
    uint16_t bit = (uint16_t)__builtin_ctz(task->status.changes);
    task->status.changes &= (uint16_t)(task->status.changes - 1);
    return bm_usb_control(self, task->hub, USB_OUT_CLASS_PORT, USB_CLEAR_FEATURE,
                          (uint16_t)(HUB_CHANGE_CONNECTION + bit), task->port, 0);
}

static int status_cleared(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return self->task.result ? self->task.result : STEP_AGAIN;
}

static int decide(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    struct usb_ports *ports = bm_usb_ports(self, task->hub);
    struct usb_device *child = bm_usb_child(self, task->hub, task->port);
    (void)device;
    if (task->status.reconnected)
        ports->attempts[task->port] = 0;
    if (child && (task->status.reconnected || !task->status.connected || !task->status.enabled)) {
        bm_usb_gone(self, child);
        bm_usb_port_mark(ports, task->port); // there may be another one
        return bm_usb_go(self, NULL);
    }
    if (child || !task->status.connected || ports->attempts[task->port] >= XHCI_ATTEMPTS_MAX)
        return bm_usb_go(self, NULL);
    ports->attempts[task->port]++;
    return bm_usb_go(self, settle_steps);
}

#define STATUS_STEPS                                                                                         \
    {"status", status_read, status_parse},                                                                   \
    {                                                                                                        \
        "changes", status_clear, status_cleared                                                              \
    }

const struct usb_step bm_usb_port_steps[] = {STATUS_STEPS, {"decision", decide, NULL}, {0}};

static int settle(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_delay(self, SETTLE_TIME);
}

static int settled(struct xhci *self, struct usb_device *device)
{
    (void)device;
    if (!self->task.status.connected)
        return bm_usb_go(self, NULL);
    if (!self->task.status.reconnected)
        return STEP_DONE;
    return self->task.count++ < SETTLE_MAX ? bm_usb_go(self, settle_steps) : -BM_ETIMEDOUT;
}

// Ports of USB 3 come up by themselves (section 4.19.1.2).
static int reset(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    task->limit = bm_time_monotonic() + RESET_MAX;
    if (task->hub)
        return bm_usb_control(self, task->hub, USB_OUT_CLASS_PORT, USB_SET_FEATURE, HUB_PORT_RESET,
                              task->port, 0);
    if (task->status.enabled && task->status.speed >= USB_SPEED_SUPER)
        return STEP_DONE;
    uint32_t status = xhci_read(self, port_register(self, task->port));
    xhci_write(self, port_register(self, task->port), (status & XHCI_PORT_KEPT) | XHCI_PORT_RESET);
    return STEP_DONE;
}

static int reset_go(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_go(self, reset_steps);
}

static const struct usb_step settle_steps[] = {{"settling", settle, NULL}, STATUS_STEPS,
                                               {"settled", settled, NULL}, {"reset", reset, NULL},
                                               {"reset", reset_go, NULL},  {0}};

static int reset_wait(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_delay(self, RESET_CHECK);
}

static int reset_done(struct xhci *self, struct usb_device *device)
{
    const struct usb_task *task = &self->task;
    (void)device;
    if (!task->status.connected)
        return bm_usb_go(self, NULL);
    if (task->status.enabled && !task->status.resetting)
        return task->status.speed >= USB_SPEED_FULL && task->status.speed <= USB_SPEED_SUPER ? STEP_DONE
                                                                                             : -BM_EPROTO;
    return bm_time_monotonic() < task->limit ? bm_usb_go(self, reset_steps) : -BM_ETIMEDOUT;
}

static int recovery(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_delay(self, RECOVERY);
}

static int device_go(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_go(self, bm_usb_device_steps);
}

static const struct usb_step reset_steps[] = {{"reset", reset_wait, NULL}, STATUS_STEPS,
                                              {"reset", reset_done, NULL}, {"recovery", recovery, NULL},
                                              {"device", device_go, NULL}, {0}};
