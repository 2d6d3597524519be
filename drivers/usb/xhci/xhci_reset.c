// A controller from whatever it was to running (sections 4.2, 4.22.1 and 7.1).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

#define FIRMWARE_MAX (1000 * XHCI_MILLISECOND)
#define HALT_MAX     (100 * XHCI_MILLISECOND) // 16 ms (section 5.4.1.1), and some
#define RESET_MAX    (1000 * XHCI_MILLISECOND)
#define POWER_TIME   (20 * XHCI_MILLISECOND)       // of ports (section 5.4.8)
enum { CAPABILITIES_MAX = 64, MODERATION = 4000 }; // 1 ms in units of 250 ns

static bool overlap(uint64_t at, uint64_t begin, uint64_t size)
{
    return at + 8 > begin && at < begin + size;
}

// Whether the 8 bytes at `at` belong to none of the other registers.
static bool is_apart(const struct xhci *self, uint64_t at)
{
    return at + 8 <= self->size && !overlap(at, 0, XHCI_CAPABILITIES_SIZE) &&
           !overlap(at, self->operational, XHCI_PORTSC + (uint64_t)self->ports.count * XHCI_PORT_SIZE) &&
           !overlap(at, self->runtime, XHCI_RUNTIME_SIZE) &&
           !overlap(at, self->doorbells, 4u * (self->slots + 1u));
}

// The extended capabilities (section 7) are a list, which may loop or lead anywhere.
static void legacy_find(struct xhci *self, uint32_t parameters)
{
    uint64_t at = (parameters >> 16) * 4ull;
    for (unsigned i = 0; i < CAPABILITIES_MAX && at && is_apart(self, at); i++) {
        uint32_t head = xhci_read(self, (uint32_t)at);
        if ((head & 0xff) == XHCI_CAPABILITY_LEGACY) {
            self->legacy = (uint32_t)at;
            return;
        }
        at = head >> 8 & 0xff ? at + (head >> 8 & 0xff) * 4 : 0;
    }
}

// Pages that the controller wants for itself (section 4.20).
static bool scratchpads_give(struct xhci *self, uint32_t parameters)
{
    unsigned count = (parameters >> 21 & 31) << 5 | parameters >> 27;
    if (!count)
        return true;
    self->scratchpads = bm_xhci_memory(self, bm_frame_order(count * sizeof(uint64_t)));
    if (!self->scratchpads)
        return false;
    for (unsigned i = 0; i < count; i++) {
        void *page = bm_xhci_memory(self, 0);
        if (!page)
            return false;
        self->scratchpads[i] = bm_dma_address(page);
    }
    return true;
}

const char *bm_xhci_prepare(struct xhci *self)
{
    uint32_t structure = xhci_read(self, XHCI_HCSPARAMS1), parameters = xhci_read(self, XHCI_HCCPARAMS1);
    self->ports.count = (uint8_t)(structure >> 24);
    unsigned slots = structure & 0xff;
    self->slots = (uint8_t)(slots < XHCI_DEVICES_MAX ? slots : XHCI_DEVICES_MAX);
    self->wide = parameters & XHCI_HCC_AC64;
    self->context_size = parameters & XHCI_HCC_CSZ ? 64 : 32;
    if (!self->ports.count || !slots)
        return "has no ports";
    if (self->operational + XHCI_PORTSC + (size_t)self->ports.count * XHCI_PORT_SIZE > self->size ||
        self->doorbells + 4u * (self->slots + 1u) > self->size ||
        (size_t)self->runtime + XHCI_RUNTIME_SIZE > self->size)
        return "has registers outside of its own";
    if (!(xhci_read(self, self->operational + XHCI_PAGESIZE) & 1))
        return "has pages of another size";
    legacy_find(self, parameters);
    self->memory = bm_xhci_memory(self, bm_frame_order(sizeof *self->memory));
    if (!self->memory || !scratchpads_give(self, xhci_read(self, XHCI_HCSPARAMS2)))
        return "wants more memory than there is";
    self->address = bm_dma_address(self->memory);
    return NULL;
}

// --- Steps ---

static int handoff_begin(struct xhci *self, struct usb_device *device)
{
    (void)device;
    self->task.limit = bm_time_monotonic() + FIRMWARE_MAX;
    if (self->legacy)
        xhci_write(self, self->legacy, xhci_read(self, self->legacy) | XHCI_LEGACY_SYSTEM);
    return STEP_DONE;
}

static int handoff_wait(struct xhci *self, struct usb_device *device)
{
    (void)device;
    if (!self->legacy)
        return STEP_DONE;
    if (xhci_read(self, self->legacy) & XHCI_LEGACY_FIRMWARE) {
        if (bm_time_monotonic() < self->task.limit)
            return STEP_AGAIN;
        bm_log_warn(self->pci->device.name, "the firmware does not give it away: it is taken");
    }
    xhci_write(self, self->legacy + XHCI_LEGACY_CONTROL, XHCI_LEGACY_EVENTS);
    return STEP_DONE;
}

static int halt_begin(struct xhci *self, struct usb_device *device)
{
    (void)device;
    self->task.limit = bm_time_monotonic() + HALT_MAX;
    xhci_write(self, self->operational + XHCI_USBCMD, 0);
    return STEP_DONE;
}

// One that does not halt is reset nevertheless.
static int halt_wait(struct xhci *self, struct usb_device *device)
{
    (void)device;
    bool halted = xhci_read(self, self->operational + XHCI_USBSTS) & XHCI_STS_HALTED;
    return halted || bm_time_monotonic() >= self->task.limit ? STEP_DONE : STEP_AGAIN;
}

static int reset_begin(struct xhci *self, struct usb_device *device)
{
    (void)device;
    self->task.limit = bm_time_monotonic() + RESET_MAX;
    xhci_write(self, self->operational + XHCI_USBCMD, XHCI_CMD_RESET);
    return bm_usb_delay(self, XHCI_MILLISECOND); // before it is read again
}

static int reset_wait(struct xhci *self, struct usb_device *device)
{
    (void)device;
    if (!(xhci_read(self, self->operational + XHCI_USBCMD) & XHCI_CMD_RESET) &&
        !(xhci_read(self, self->operational + XHCI_USBSTS) & XHCI_STS_NOT_READY))
        return STEP_DONE;
    if (bm_time_monotonic() < self->task.limit)
        return STEP_AGAIN;
    bm_xhci_fail(self, "does not end its reset");
    return -BM_ETIMEDOUT;
}

static void interrupter_program(struct xhci *self)
{
    self->memory->segment.address = self->address + offsetof(struct xhci_memory, events);
    self->memory->segment.size = XHCI_EVENTS;
    bm_xhci_events_begin(self);
    xhci_write(self, self->runtime + XHCI_ERSTSZ, 1);
    xhci_write64(self, self->runtime + XHCI_ERDP, self->memory->segment.address);
    xhci_write64(self, self->runtime + XHCI_ERSTBA, self->address + offsetof(struct xhci_memory, segment));
    xhci_write(self, self->runtime + XHCI_IMOD, MODERATION);
    xhci_write(self, self->runtime + XHCI_IMAN, XHCI_IMAN_PENDING | (self->polled ? 0 : XHCI_IMAN_ENABLED));
}

static int program(struct xhci *self, struct usb_device *device)
{
    (void)device;
    __builtin_memset(self->memory->contexts, 0, sizeof self->memory->contexts);
    if (self->scratchpads)
        self->memory->contexts[0] = bm_dma_address(self->scratchpads);
    bm_xhci_ring_begin(&self->commands, self->memory->commands,
                       self->address + offsetof(struct xhci_memory, commands), XHCI_COMMANDS);
    uint32_t at = self->operational;
    xhci_write(self, at + XHCI_CONFIG, self->slots);
    xhci_write64(self, at + XHCI_DCBAAP, self->address + offsetof(struct xhci_memory, contexts));
    xhci_write64(self, at + XHCI_CRCR, bm_xhci_ring_next(&self->commands));
    interrupter_program(self);
    xhci_write(self, at + XHCI_USBCMD, XHCI_CMD_RUN | (self->polled ? 0 : XHCI_CMD_INTE));
    for (unsigned port = 0; port < self->ports.count; port++) {
        uint32_t offset = at + XHCI_PORTSC + port * XHCI_PORT_SIZE, status = xhci_read(self, offset);
        if (!(status & XHCI_PORT_POWER))
            xhci_write(self, offset, (status & XHCI_PORT_KEPT) | XHCI_PORT_POWER);
    }
    atomic_store(&self->running, true);
    return bm_usb_delay(self, POWER_TIME);
}

static int ports_look(struct xhci *self, struct usb_device *device)
{
    (void)device;
    __builtin_memset(self->ports.attempts, 0, sizeof self->ports.attempts);
    bm_usb_ports_mark(&self->ports);
    return STEP_DONE;
}

const struct usb_step bm_xhci_start_steps[] = {
    {"handoff", handoff_begin, NULL}, {"handoff", handoff_wait, NULL}, {"halt", halt_begin, NULL},
    {"halt", halt_wait, NULL},        {"reset", reset_begin, NULL},    {"reset", reset_wait, NULL},
    {"start", program, NULL},         {"ports", ports_look, NULL},     {0}};
