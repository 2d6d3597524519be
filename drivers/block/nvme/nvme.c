// NVMe controllers on PCI Express: their namespaces as disks, a queue pair a core, resets of those that are
// stuck.
// SPDX-License-Identifier: MIT
//
// QEMU: -drive if=none,id=d,file=disk.img,format=raw -device nvme,drive=d,serial=1
//       several namespaces: -device nvme,id=n,serial=1 -device nvme-ns,drive=d,bus=n
//
// Section numbers are those of the NVM Express Base Specification, revision 1.4. Nothing is ordered between
// commands, and none is sent twice but behind a reset of the controller: reads and writes may be done twice.
// Not here: namespaces that come or change while the machine runs, metadata, other command sets, fabrics.
#include "nvme.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static unsigned controllers; // found so far: attaching is core 0's

// The line says only that somebody wants to be looked at.
static void line_interrupt(void *arg)
{
    struct nvme *self = arg;
    nvme_write(self, NVME_INTMS, 1);
    atomic_store_explicit(&self->line_works, true, memory_order_relaxed);
    atomic_store_explicit(&self->line_raised, true, memory_order_release);
}

// One message for each of `wanted` queues, or fewer; else the line; else none.
static void interrupts_start(struct nvme *self, unsigned wanted)
{
    int count = bm_pci_interrupt_start(self->pci, wanted);
    if (count < 0 && bm_pci_line_set(self->pci, line_interrupt, self) == 0)
        self->interrupts = NVME_LINE;
    while ((int)self->vectors < count && bm_pci_interrupt_set(self->pci, self->vectors, NULL, NULL) == 0)
        self->vectors++;
    if (self->vectors)
        self->interrupts = NVME_MESSAGES;
    if (self->interrupts == NVME_POLLED)
        bm_log_warn(self->pci->device.name, "has no interrupt: it is polled");
}

// What the capabilities say (section 3.1.1). Returns NULL, or why the controller cannot be used.
static const char *capabilities_read(struct nvme *self)
{
    enum { TIMEOUT_UNIT = 500 * 1000 * 1000, PAGES_MIN = 0xf << 16, NVM_COMMANDS = 1 << 5 };
    uint32_t low = nvme_read(self, NVME_CAP), high = nvme_read(self, NVME_CAP + 4);
    if (low == UINT32_MAX)
        return "does not answer";
    if (!(high & NVM_COMMANDS))
        return "has no NVM commands";
    if (high & PAGES_MIN)
        return "cannot use pages of 4 KiB";
    self->entries_max = (low & 0xffff) < UINT16_MAX ? (uint16_t)((low & 0xffff) + 1) : UINT16_MAX;
    if (self->entries_max < 2)
        return "has queues of one entry";
    self->ready_max = ((low >> 24) + 1ull) * TIMEOUT_UNIT;
    self->stride = 4u << (high & 15);
    return NULL;
}

// Registers and the doorbells of all queues that are used.
static const char *registers_map(struct nvme *self)
{
    self->registers = bm_pci_bar_map(self->pci, 0, 0, NVME_DOORBELLS);
    if (!self->registers)
        return "has no usable registers";
    const char *why = capabilities_read(self);
    if (why)
        return why;
    self->doorbells =
        bm_pci_bar_map(self->pci, 0, NVME_DOORBELLS, (size_t)self->stride * 2 * (NVME_PAIRS_MAX + 1));
    return self->doorbells ? NULL : "has no usable doorbells";
}

static bool advance_to(struct nvme *self, enum nvme_stage stage)
{
    int wanted = (int)stage;
    while (atomic_load(&self->stage) != wanted && atomic_load(&self->stage) != NVME_DEAD)
        bm_nvme_advance(self);
    return atomic_load(&self->stage) == wanted;
}

// How many queue pairs the controller gives (section 5.21.1.7); 0: none.
static unsigned queues_ask(struct nvme *self, unsigned wanted)
{
    struct nvme_command command = {.operation = NVME_ADMIN_SET_FEATURES,
                                   .words = {7, (wanted - 1) | (wanted - 1) << 16}};
    uint32_t result;
    if (bm_nvme_admin(self, &command, &result))
        return 0;
    unsigned commands = (result & 0xffff) + 1, answers = (result >> 16) + 1;
    unsigned given = commands < answers ? commands : answers;
    return given < wanted ? given : wanted;
}

// From the reset to queues that work. Returns NULL, or what is wrong.
static const char *start(struct nvme *self)
{
    bm_nvme_reset(self);
    if (!advance_to(self, NVME_QUEUES))
        return "does not start";
    if (bm_nvme_identify(self))
        return "does not say what it is";
    unsigned queues = queues_ask(self, NVME_PAIRS_MAX);
    if (!queues)
        return "gives no queues";
    if (bm_nvme_namespaces_find(self))
        return "does not say what its namespaces are";
    unsigned wanted = self->namespace_count * bm_core_called();
    if (wanted)
        interrupts_start(self, wanted < queues ? wanted : queues);
    if (bm_nvme_pairs_make(self, queues))
        return "cannot be used: out of memory";
    self->step = 1; // step 0 was asked above
    return advance_to(self, NVME_LIVE) ? NULL : "has no usable queues";
}

static bool nvme_poll(void *arg)
{
    struct nvme *self = arg;
    if (atomic_load_explicit(&self->stage, memory_order_relaxed) != NVME_LIVE)
        return bm_nvme_advance(self);
    if (!atomic_load_explicit(&self->reset_wanted, memory_order_acquire))
        return false;
    bm_nvme_reset(self);
    return true;
}

static bool nvme_arm(void *arg)
{
    struct nvme *self = arg;
    return atomic_load(&self->stage) == NVME_LIVE && atomic_load(&self->reset_wanted);
}

static uint64_t nvme_deadline(void *arg)
{
    struct nvme *self = arg;
    return atomic_load(&self->stage) < NVME_LIVE ? bm_time_monotonic() + NVME_POLL : UINT64_MAX;
}

static int disks_add(struct nvme *self)
{
    for (unsigned i = 0; i < self->namespace_count; i++) {
        struct bm_blockdev *blockdev = &self->namespaces[i]->blockdev;
        int error = bm_blockdev_add(blockdev, NULL);
        if (error) {
            bm_nvme_fail(self, "says of itself what cannot be");
            return error;
        }
        bm_log_info(self->pci->device.name, "%s: %llu sectors of %u bytes%s, %u queues", blockdev->name,
                    (unsigned long long)blockdev->sectors, blockdev->sector_size,
                    blockdev->read_only ? ", read-only" : "", blockdev->queue_count);
    }
    return 0;
}

static int nvme_attach(struct bm_device *device)
{
    struct nvme *self = bm_memory_permanent(sizeof *self, _Alignof(struct nvme));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    self->number = controllers++;
    self->identified = bm_memory_permanent(BM_PAGE_SIZE, BM_PAGE_SIZE);
    if (!self->identified || bm_nvme_rings_create(&self->admin, 0, NVME_ADMIN_ENTRIES))
        return -BM_ENOMEM;
    device->state = self;
    bm_pci_enable(self->pci);
    const char *wrong = registers_map(self);
    if (wrong) {
        bm_log_error(device->name, "%s: it is left alone", wrong);
        bm_pci_disable(self->pci);
        return -BM_EIO;
    }
    wrong = start(self);
    if (wrong) {
        bm_nvme_fail(self, wrong);
        return -BM_EIO;
    }
    self->poller = (struct bm_poller){
        .name = "nvme", .poll = nvme_poll, .arm = nvme_arm, .deadline = nvme_deadline, .arg = self};
    bm_poller_add(&self->poller);
    return disks_add(self);
}

static const struct bm_device_id nvme_ids[] = {
    {.bus = BM_BUS_PCI,
     .vendor = BM_ID_ANY,
     .device = BM_ID_ANY,
     .class_code = 0x010802, // mass storage, non-volatile memory, NVM Express
     .class_mask = 0xffffff},
    BM_DEVICE_ID_END,
};

BM_DRIVER(nvme) = {.name = "nvme", .ids = nvme_ids, .attach = nvme_attach};
