// The sequence of what is done with a controller's devices: one task at a time, each a list of steps.
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static const struct usb_step nothing[] = {{0}};

int bm_usb_delay(struct xhci *self, uint64_t time)
{
    self->task.wait = WAIT_TIME;
    self->task.deadline = bm_time_monotonic() + time;
    return STEP_WAIT;
}

int bm_usb_go(struct xhci *self, const struct usb_step *steps)
{
    self->task.step = steps ? steps : nothing;
    self->task.moved = true;
    return STEP_DONE;
}

void bm_usb_over(struct xhci *self, int result)
{
    self->task.wait = WAIT_NOTHING;
    self->task.result = result;
}

void bm_usb_port_mark(struct usb_ports *ports, unsigned port)
{
    ports->changed[port / 64] |= 1ull << port % 64;
}

void bm_usb_ports_mark(struct usb_ports *ports)
{
    for (unsigned port = 1; port <= ports->count; port++)
        bm_usb_port_mark(ports, port);
}

static int port_take(struct usb_ports *ports)
{
    for (unsigned i = 0; i < 4; i++)
        if (ports->changed[i]) {
            unsigned bit = (unsigned)__builtin_ctzll(ports->changed[i]);
            ports->changed[i] &= ports->changed[i] - 1;
            return (int)(i * 64 + bit);
        }
    return -1;
}

void bm_usb_gone(struct xhci *self, struct usb_device *device)
{
    if (device->gone)
        return;
    device->gone = true;
    device->live = false;
    if (device->function.kind == USB_KEYBOARD)
        bm_usb_keyboard_release(device);
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++)
        if (self->devices[i].used && self->devices[i].hub == device)
            bm_usb_gone(self, &self->devices[i]); // hubs are no deeper than XHCI_DEPTH_MAX
}

static void device_free(struct xhci *self, struct usb_device *device)
{
    if (device->slot) {
        self->by_slot[device->slot] = NULL;
        self->memory->contexts[device->slot] = 0;
    }
    device->used = false;
}

void bm_usb_forget(struct xhci *self)
{
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++)
        if (self->devices[i].used) {
            bm_usb_gone(self, &self->devices[i]);
            device_free(self, &self->devices[i]);
        }
    __builtin_memset(&self->task, 0, sizeof self->task);
}

static void task_begin(struct xhci *self, const struct usb_step *steps, struct usb_device *device)
{
    self->task = (struct usb_task){.step = steps, .device = device};
}

// A device whose endpoint fails again and again is left alone.
static void recover(struct xhci *self, struct usb_device *device)
{
    device->halted = false;
    if (device->errors++ < XHCI_ERRORS_MAX) {
        task_begin(self, bm_usb_recover_steps, device);
        return;
    }
    bm_log_warn(self->pci->device.name, "port %u: a device fails again and again: it is left alone",
                device->port);
    bm_usb_gone(self, device);
}

static bool device_task(struct xhci *self, struct usb_device *device)
{
    int port = device->live && device->function.kind == USB_HUB ? port_take(&device->ports) : -1;
    if (port >= 0) {
        task_begin(self, port ? bm_usb_port_steps : bm_usb_hub_change_steps, NULL);
        self->task.hub = device;
        self->task.port = (uint8_t)port;
    } else if (device->live && device->halted)
        recover(self, device);
    else if (device->live && device->function.kind == USB_KEYBOARD && bm_usb_keyboard_lights_differ(device))
        task_begin(self, bm_usb_lights_steps, device);
    else
        return false;
    return true;
}

// What there is to do next; returns whether there is anything. What has gone comes first: its port may have
// another device already.
static bool task_next(struct xhci *self)
{
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++) {
        struct usb_device *device = &self->devices[i];
        if (!device->used || !device->gone)
            continue;
        if (device->slot)
            task_begin(self, bm_usb_release_steps, device);
        else
            device_free(self, device);
        return true;
    }
    int port = port_take(&self->ports);
    if (port > 0) {
        task_begin(self, bm_usb_port_steps, NULL);
        self->task.port = (uint8_t)port;
        return true;
    }
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++)
        if (self->devices[i].used && device_task(self, &self->devices[i]))
            return true;
    return false;
}

// The device that a task has failed with goes; its port is looked at again, a few times. A hub goes when it
// has failed itself, and not for what hangs on it and does not come up, or has no room here.
static void task_fail(struct xhci *self, int error)
{
    struct usb_task *task = &self->task;
    struct usb_device *culprit = task->device ? task->device : task->begun ? task->hub : NULL;
    struct usb_device *hub = culprit ? culprit->hub : task->hub;
    unsigned port = culprit ? culprit->port : task->port;
    const char *step = task->step->name;
    task->step = NULL;
    if (self->dead || self->restart)
        return;
    if (culprit && culprit->gone) { // the controller does not let it go as it should
        device_free(self, culprit);
        return;
    }
    bm_log_warn(self->pci->device.name, "port %u%s: %s: %s", port, hub ? " of a hub" : "", step,
                error == -BM_ETIMEDOUT ? "no answer"
                : error == -BM_ENOSPC  ? "too many devices"
                : error == -BM_EPROTO  ? "the answer is wrong"
                                       : "it fails");
    if (culprit)
        bm_usb_gone(self, culprit);
    if (error != -BM_ENOSPC && port)
        bm_usb_port_mark(bm_usb_ports(self, hub), port);
}

// A step has returned that.
static void step_over(struct xhci *self, const struct usb_step *step, int result)
{
    struct usb_task *task = &self->task;
    bool moved = task->moved;
    task->moved = false;
    if (result < 0) {
        task->step = step;
        task_fail(self, result);
        return;
    }
    if (result == STEP_AGAIN)
        bm_usb_delay(self, XHCI_MILLISECOND);
    else if (!moved)
        task->step++;
    if (!task->step->name) {
        if (task->device && task->device->gone && step == bm_usb_release_steps)
            device_free(self, task->device);
        task->step = NULL;
    }
}

static void step_advance(struct xhci *self)
{
    struct usb_task *task = &self->task;
    const struct usb_step *step = task->step;
    if (!task->begun) {
        task->asked = NULL;
        int result = step->begin(self, task->device);
        task->begun = result == STEP_WAIT;
        if (!task->begun)
            step_over(self, step, result);
        return;
    }
    if (task->asked && task->result == -BM_EIO) { // endpoint 0 stands still (section 4.8.3)
        task->resumed = step;
        task->step = bm_usb_control_steps;
        task->device = task->asked;
        task->begun = false;
        return;
    }
    step_over(self, step, step->end ? step->end(self, task->device) : task->result);
    task->begun = false;
}

bool bm_usb_task_poll(struct xhci *self)
{
    struct usb_task *task = &self->task;
    bool worked = false;
    for (unsigned i = 0; i < XHCI_BATCH && !self->dead && !self->restart; i++) {
        if (task->wait != WAIT_NOTHING) {
            if (bm_time_monotonic() < task->deadline)
                break;
            self->restart = task->wait == WAIT_COMMAND; // what has stopped answering
            bm_usb_over(self, task->wait == WAIT_TIME ? 0 : -BM_ETIMEDOUT);
        }
        worked = true;
        if (task->step)
            step_advance(self);
        else if (!task_next(self))
            return i > 0;
    }
    return worked;
}
