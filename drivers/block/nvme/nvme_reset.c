// The life of an NVMe controller: reset, start, queues (section 7.6.1); and again when it is stuck.
// SPDX-License-Identifier: MIT
#include "nvme.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static void stage_set(struct nvme *self, enum nvme_stage stage, uint64_t time)
{
    if (!self->was_live || stage == NVME_DISABLING) // a rescue has one time for all
        self->stage_end = bm_time_monotonic() + time;
    atomic_store_explicit(&self->stage, stage, memory_order_release);
}

// All registers of what is not there any more read as ones, or nothing answers for it.
bool bm_nvme_has_gone(const struct nvme *self)
{
    return nvme_read(self, NVME_CSTS) == UINT32_MAX || bm_pci_read16(self->pci, BM_PCI_VENDOR) == UINT16_MAX;
}

void bm_nvme_fail(struct nvme *self, const char *why)
{
    if (atomic_load(&self->stage) == NVME_DEAD)
        return;
    bm_log_error(self->pci->device.name, "%s: it is switched off", why);
    for (unsigned i = 0; i < self->pair_count; i++)
        bm_nvme_pair_stop(self->pairs[i]);
    nvme_write(self, NVME_CC, 0);
    bm_pci_disable(self->pci); // no more DMA, whatever it thinks of that
    for (unsigned i = 0; i < self->namespace_count; i++)
        self->namespaces[i]->blockdev.removed = true;
    stage_set(self, NVME_DEAD, 0);
}

void bm_nvme_reset(struct nvme *self)
{
    for (unsigned i = 0; i < self->pair_count; i++)
        bm_nvme_pair_stop(self->pairs[i]);
    atomic_store(&self->reset_wanted, false);
    self->admin_busy = false;
    self->step = 0;
    stage_set(self, NVME_DISABLING, self->was_live ? NVME_RECOVERY_MAX : self->ready_max);
    if (bm_nvme_has_gone(self)) {
        bm_nvme_fail(self, "has gone");
        return;
    }
    nvme_write(self, NVME_CC, nvme_read(self, NVME_CC) & ~(uint32_t)NVME_CC_ENABLE);
}

// Sections 3.1.5 and 3.1.8 to 3.1.10.
static void enable(struct nvme *self)
{
    uint64_t commands = bm_dma_address(self->admin.commands);
    uint64_t answers = bm_dma_address(self->admin.completions);
    bm_nvme_rings_reset(&self->admin);
    nvme_write(self, NVME_AQA, (NVME_ADMIN_ENTRIES - 1) | (NVME_ADMIN_ENTRIES - 1) << 16);
    nvme_write(self, NVME_ASQ, (uint32_t)commands);
    nvme_write(self, NVME_ASQ + 4, (uint32_t)(commands >> 32));
    nvme_write(self, NVME_ACQ, (uint32_t)answers);
    nvme_write(self, NVME_ACQ + 4, (uint32_t)(answers >> 32));
    nvme_write(self, NVME_CC, NVME_CC_ENTRIES);
    nvme_write(self, NVME_CC, NVME_CC_ENTRIES | NVME_CC_ENABLE);
}

// Step 0 asks for as many queues as there are; then answers' and commands' queue of each pair in turn
// (sections 5.21.1.7, 5.3, 5.4).
static struct nvme_command queue_command(const struct nvme *self, unsigned step)
{
    enum { NUMBER_OF_QUEUES = 7, CONTIGUOUS = 1, INTERRUPTS = 2 };
    struct nvme_command command = {.operation = NVME_ADMIN_SET_FEATURES};
    if (step == 0) {
        command.words[0] = NUMBER_OF_QUEUES;
        command.words[1] = (self->pair_count - 1) | (self->pair_count - 1) << 16;
        return command;
    }
    const struct nvme_pair *pair = self->pairs[(step - 1) / 2];
    bool answers = step % 2;
    command.operation = answers ? NVME_ADMIN_CREATE_CQ : NVME_ADMIN_CREATE_SQ;
    command.prp1 = answers ? bm_dma_address(pair->rings.completions) : bm_dma_address(pair->rings.commands);
    command.words[0] = pair->rings.number | (pair->rings.entries - 1u) << 16;
    command.words[1] = CONTIGUOUS;
    if (!answers)
        command.words[1] |= (uint32_t)pair->rings.number << 16; // its answers go there
    else if (self->interrupts != NVME_POLLED)
        command.words[1] |= INTERRUPTS | (uint32_t)pair->vector << 16;
    return command;
}

// Nobody looks at a pair's answers before its rings begin anew.
static void live(struct nvme *self)
{
    for (unsigned i = 0; i < self->pair_count; i++)
        bm_nvme_pair_restart(self->pairs[i]);
    self->was_live = true;
    stage_set(self, NVME_LIVE, 0);
}

static bool queues_advance(struct nvme *self)
{
    uint32_t result;
    if (!self->admin_busy) {
        if (self->step > 2 * self->pair_count) {
            live(self);
            return true;
        }
        struct nvme_command command = queue_command(self, self->step);
        bm_nvme_admin_send(self, &command);
    }
    int error = bm_nvme_admin_poll(self, &result);
    if (error == -BM_EAGAIN)
        return false;
    if (error || (self->step == 0 &&
                  ((result & 0xffff) + 1 < self->pair_count || (result >> 16) + 1 < self->pair_count)))
        bm_nvme_fail(self, "does not make its queues");
    self->step++;
    return true;
}

bool bm_nvme_advance(struct nvme *self)
{
    int stage = atomic_load(&self->stage);
    bool worked = stage == NVME_QUEUES && queues_advance(self);
    if (worked || stage >= NVME_LIVE)
        return worked;
    uint32_t status = nvme_read(self, NVME_CSTS);
    if (status == UINT32_MAX) {
        bm_nvme_fail(self, "has gone");
    } else if (stage == NVME_DISABLING && !(status & NVME_CSTS_READY)) {
        enable(self);
        stage_set(self, NVME_ENABLING, self->ready_max);
    } else if (stage >= NVME_ENABLING && status & NVME_CSTS_FATAL) {
        bm_nvme_fail(self, "fails at its start");
    } else if (stage == NVME_ENABLING && status & NVME_CSTS_READY) {
        stage_set(self, NVME_QUEUES, NVME_RECOVERY_MAX);
    } else if (bm_time_monotonic() > self->stage_end) {
        bm_nvme_fail(self, "does not come back from its reset");
    } else {
        return false;
    }
    return true;
}
