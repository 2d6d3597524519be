// A driver to copy: for the device that QEMU has for learning, `edu`, which computes factorials.
// SPDX-License-Identifier: MIT
//
// QEMU: -device edu
//
// Register numbers and bits are those of QEMU's docs/specs/edu.rst. To make a driver of your own: copy this
// file to drivers/<kind>/, replace the word skeleton everywhere by the word for your device, add a line to
// drivers/CMakeLists.txt (in another project: call baremetal_add_driver), and a line to
// libbaremetal/device/known_devices.c. README.md in this folder says what else.
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/pci.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>

enum {
    IDENTIFICATION = 0x00,
    LIVENESS = 0x04,
    FACTORIAL = 0x08,
    STATUS = 0x20,
    INTERRUPT = 0x24,
    ACKNOWLEDGE = 0x64
};
enum {
    IDENTIFICATION_MASK = 0xffff,
    IDENTIFICATION_EDU = 0x00ed,
    STATUS_COMPUTING = 0x01,
    STATUS_INTERRUPT = 0x80
};
enum { REGISTERS_SIZE = 0x100, ANSWER_TIME_MAX = 1000 * 1000 * 1000 };

// One for each device; lives for ever.
struct skeleton {
    struct bm_pci_device *pci;
    volatile uint8_t *registers;
    bool interrupts;         // else the device has to be polled
    atomic_bool interrupted; // set by the handler, cleared by poll
    bool done;               // the answer is there
    struct bm_poller poller;
};

static uint32_t skeleton_read(const struct skeleton *self, unsigned offset)
{
    return *(volatile uint32_t *)(self->registers + offset);
}

static void skeleton_write(const struct skeleton *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}

// Interrupts only wake: nothing but the flag. (A device with MSI-X needs no handler at all.)
static void skeleton_interrupt(void *arg)
{
    struct skeleton *self = arg;
    atomic_store_explicit(&self->interrupted, true, memory_order_relaxed);
}

// The work, whether an interrupt or a look without one brought the core here. Returns whether there was any.
static bool skeleton_poll(void *arg)
{
    struct skeleton *self = arg;
    if (self->interrupts && !atomic_exchange(&self->interrupted, false))
        return false;
    if (self->done || skeleton_read(self, STATUS) & STATUS_COMPUTING)
        return false;
    skeleton_write(self, ACKNOWLEDGE, skeleton_read(self, INTERRUPT));
    self->done = true;
    return true;
}

// Before the core halts: the device interrupts for every answer here, so there is nothing to arm, only to
// look once more.
static bool skeleton_arm(void *arg)
{
    struct skeleton *self = arg;
    return atomic_load(&self->interrupted);
}

// Without interrupts: look again in a millisecond while an answer is due.
static uint64_t skeleton_deadline(void *arg)
{
    struct skeleton *self = arg;
    return self->interrupts || self->done ? UINT64_MAX : bm_time_monotonic() + 1000000;
}

static bool skeleton_done(void *arg)
{
    return ((struct skeleton *)arg)->done;
}

// Asks for a factorial and waits for it, serving the other devices meanwhile.
static int skeleton_compute(struct skeleton *self, uint32_t number, uint32_t *factorial)
{
    self->done = false;
    skeleton_write(self, STATUS, STATUS_INTERRUPT);
    skeleton_write(self, FACTORIAL, number);
    if (!bm_wait_until(skeleton_done, self, bm_time_monotonic() + ANSWER_TIME_MAX))
        return -BM_EIO;
    *factorial = skeleton_read(self, FACTORIAL);
    return 0;
}

// Never trust the device: is it what its numbers say, and alive?
static bool skeleton_check(const struct skeleton *self)
{
    if ((skeleton_read(self, IDENTIFICATION) & IDENTIFICATION_MASK) != IDENTIFICATION_EDU)
        return false;
    skeleton_write(self, LIVENESS, 0x12345678);
    return skeleton_read(self, LIVENESS) == ~0x12345678u; // it answers with the complement
}

static int skeleton_start(struct skeleton *self)
{
    bm_pci_enable(self->pci);
    self->registers = bm_pci_bar_map(self->pci, 0, 0, REGISTERS_SIZE);
    if (!self->registers)
        return -BM_EIO; // the log says why
    if (!skeleton_check(self)) {
        bm_pci_disable(self->pci);
        return -BM_ENODEV;
    }
    self->interrupts = bm_pci_interrupt_start(self->pci, 1) > 0 &&
                       bm_pci_interrupt_set(self->pci, 0, skeleton_interrupt, self) == 0;
    bm_poller_add(&self->poller);
    uint32_t factorial;
    int error = skeleton_compute(self, 10, &factorial);
    if (!error)
        bm_log_info("skeleton", "%s: 10! is %u", self->pci->device.name, factorial);
    return error;
}

static int skeleton_attach(struct bm_device *device)
{
    struct skeleton *self = bm_memory_permanent(sizeof *self, _Alignof(struct skeleton));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    self->poller = (struct bm_poller){.name = "skeleton",
                                      .poll = skeleton_poll,
                                      .arm = skeleton_arm,
                                      .deadline = skeleton_deadline,
                                      .arg = self};
    device->state = self;
    return skeleton_start(self);
}

static const struct bm_device_id skeleton_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x1234, .device = 0x11e8},
    BM_DEVICE_ID_END,
};

BM_DRIVER(skeleton) = {.name = "skeleton", .ids = skeleton_ids, .attach = skeleton_attach};
