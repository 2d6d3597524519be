// Administrative commands of an NVMe controller, one at a time.
// SPDX-License-Identifier: MIT
#include "nvme.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

void bm_nvme_admin_send(struct nvme *self, const struct nvme_command *command)
{
    uint16_t identifier = self->admin.tail;
    struct nvme_command *place = bm_nvme_command_new(&self->admin);
    *place = *command;
    place->operation |= (uint32_t)identifier << 16;
    bm_nvme_command_add(&self->admin);
    self->admin_busy = true;
    bm_nvme_rings_show(self, &self->admin);
}

int bm_nvme_admin_poll(struct nvme *self, uint32_t *result)
{
    if (!nvme_rings_ready(&self->admin))
        return -BM_EAGAIN;
    uint16_t sent = self->admin.tail ? (uint16_t)(self->admin.tail - 1) : (uint16_t)(self->admin.entries - 1);
    struct nvme_completion completion = bm_nvme_rings_take(&self->admin);
    bm_nvme_rings_taken(self, &self->admin);
    self->admin_busy = false;
    *result = completion.result;
    return completion.identifier != sent ? -BM_EPROTO : completion.status >> 1 ? -BM_EIO : 0;
}

int bm_nvme_admin(struct nvme *self, const struct nvme_command *command, uint32_t *result)
{
    uint64_t end = bm_time_monotonic() + NVME_RECOVERY_MAX;
    uint32_t unused;
    int error;
    bm_nvme_admin_send(self, command);
    do {
        error = bm_nvme_admin_poll(self, result ? result : &unused);
    } while (error == -BM_EAGAIN && bm_time_monotonic() < end);
    return error == -BM_EAGAIN ? -BM_ETIME : error;
}
