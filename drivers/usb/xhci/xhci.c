// xHCI controllers: USB keyboards, also behind hubs, that come and go.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device qemu-xhci -device usb-kbd; behind a hub: -device usb-hub,port=1 -device usb-kbd,port=1.1
//
// Section numbers are those of the specification that xhci.h names. What is done with the devices is a
// sequence of tasks (xhci_task.c), which a poller drives: nothing waits, neither at boot nor later.
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

#define POLL_TIME  (10 * XHCI_MILLISECOND) // without an interrupt
#define CHECK_TIME (1000 * XHCI_MILLISECOND)

void *bm_xhci_memory(const struct xhci *self, unsigned order)
{
    void *block = self->wide ? bm_frame_allocate(order) : bm_frame_allocate_below(order, 32);
    return block ? __builtin_memset(block, 0, BM_PAGE_SIZE << order) : NULL;
}

void bm_xhci_fail(struct xhci *self, const char *why)
{
    self->dead = true;
    atomic_store(&self->running, false);
    bm_usb_forget(self);
    bm_pci_disable(self->pci); // no more DMA, whatever it thinks of that
    bm_log_error(self->pci->device.name, "%s: it is switched off", why);
}

// Once a second: has it gone, or stopped by itself (section 4.10.2.6)?
static void check(struct xhci *self)
{
    uint32_t status = xhci_read(self, self->operational + XHCI_USBSTS);
    if (status == UINT32_MAX)
        bm_xhci_fail(self, "has gone");
    else if (atomic_load(&self->running) &&
             status & (XHCI_STS_HALTED | XHCI_STS_SYSTEM_ERROR | XHCI_STS_ERROR)) {
        bm_log_warn(self->pci->device.name, "has stopped (%#x)", (unsigned)status);
        self->restart = true;
    }
}

static void start(struct xhci *self)
{
    self->restart = false;
    atomic_store(&self->running, false);
    bm_usb_forget(self);
    if (self->restarts++ > XHCI_RESTARTS_MAX)
        bm_xhci_fail(self, "fails again and again");
    else
        self->task.step = bm_xhci_start_steps;
}

static bool keyboards_repeat(struct xhci *self, uint64_t now)
{
    bool worked = false;
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++)
        if (self->devices[i].live && self->devices[i].function.kind == USB_KEYBOARD)
            worked |= bm_usb_keyboard_repeat(&self->devices[i], now);
    return worked;
}

static bool xhci_poll(void *arg)
{
    struct xhci *self = arg;
    if (self->dead)
        return false;
    uint64_t now = bm_time_monotonic();
    bool worked = atomic_load(&self->running) && bm_xhci_events_take(self);
    if (now >= self->next_look) {
        self->next_look = now + (self->polled ? POLL_TIME : CHECK_TIME);
        check(self);
    }
    if (self->restart && !self->dead)
        start(self);
    worked |= bm_usb_task_poll(self);
    return worked | keyboards_repeat(self, now);
}

static bool xhci_arm(void *arg)
{
    struct xhci *self = arg;
    return atomic_load(&self->running) && bm_xhci_events_ready(self);
}

static uint64_t xhci_deadline(void *arg)
{
    const struct xhci *self = arg;
    if (self->dead)
        return UINT64_MAX;
    uint64_t first = self->next_look;
    if (self->task.wait != WAIT_NOTHING && self->task.deadline < first)
        first = self->task.deadline;
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++) {
        const struct usb_device *device = &self->devices[i];
        if (device->live && device->keyboard.repeated && device->keyboard.repeat < first)
            first = device->keyboard.repeat;
    }
    return first;
}

// Others may share the line.
static void line_interrupt(void *arg)
{
    struct xhci *self = arg;
    if (!atomic_load(&self->running) || !(xhci_read(self, self->operational + XHCI_USBSTS) & XHCI_STS_EVENT))
        return;
    xhci_write(self, self->operational + XHCI_USBSTS, XHCI_STS_EVENT);
    xhci_write(self, self->runtime + XHCI_IMAN, XHCI_IMAN_PENDING | XHCI_IMAN_ENABLED);
}

static void interrupts_start(struct xhci *self)
{
    if (bm_pci_interrupt_start(self->pci, 1) > 0 && bm_pci_interrupt_set(self->pci, 0, NULL, NULL) == 0)
        return;
    self->polled = bm_pci_line_set(self->pci, line_interrupt, self) != 0;
    if (self->polled)
        bm_log_info(self->pci->device.name, "no interrupt can be had: looking every %u ms",
                    (unsigned)(POLL_TIME / XHCI_MILLISECOND));
}

// First what says how many there are, then all.
static const char *registers_map(struct xhci *self)
{
    struct bm_pci_bar bar;
    if (bm_pci_bar_get(self->pci, 0, &bar) || bar.io || bar.size < XHCI_CAPABILITIES_SIZE)
        return "has no registers";
    self->size = bar.size < XHCI_REGISTERS_MAX ? (size_t)bar.size : XHCI_REGISTERS_MAX;
    self->registers = bm_pci_bar_map(self->pci, 0, 0, self->size);
    if (!self->registers)
        return "has no usable registers";
    uint32_t head = xhci_read(self, XHCI_CAPLENGTH);
    if (head == UINT32_MAX)
        return "does not answer";
    self->operational = head & 0xff;
    self->doorbells = xhci_read(self, XHCI_DBOFF) & ~3u;
    self->runtime = xhci_read(self, XHCI_RTSOFF) & ~31u;
    bool inside = self->operational >= XHCI_CAPABILITIES_SIZE && self->operational % 4 == 0 &&
                  self->doorbells < self->size && self->runtime < self->size;
    return inside ? NULL : "has registers outside of its own";
}

static int xhci_attach(struct bm_device *device)
{
    struct xhci *self = bm_memory_permanent(sizeof *self, _Alignof(struct xhci));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    device->state = self;
    bm_pci_enable(self->pci);
    const char *wrong = registers_map(self);
    if (!wrong)
        wrong = bm_xhci_prepare(self);
    if (wrong) {
        bm_log_error(device->name, "%s: it is left alone", wrong);
        bm_pci_disable(self->pci);
        return -BM_EIO;
    }
    interrupts_start(self);
    self->next_look = bm_time_monotonic() + CHECK_TIME;
    start(self);
    self->poller = (struct bm_poller){
        .name = "xhci", .poll = xhci_poll, .arm = xhci_arm, .deadline = xhci_deadline, .arg = self};
    bm_poller_add(&self->poller);
    return 0;
}

static const struct bm_device_id xhci_ids[] = {
    {.bus = BM_BUS_PCI,
     .vendor = BM_ID_ANY,
     .device = BM_ID_ANY,
     .class_code = 0x0c0330, // serial bus, USB, xHCI
     .class_mask = 0xffffff},
    BM_DEVICE_ID_END,
};

BM_DRIVER(xhci) = {.name = "xhci", .ids = xhci_ids, .attach = xhci_attach};
