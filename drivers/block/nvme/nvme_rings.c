// Rings of an NVMe queue pair: commands to the controller, answers from it.
// SPDX-License-Identifier: MIT
#include "nvme.h"

#include <baremetal/error.h>

int bm_nvme_rings_create(struct nvme_rings *rings, unsigned number, unsigned entries)
{
    rings->number = (uint16_t)number;
    rings->entries = (uint16_t)entries;
    rings->commands = bm_memory_permanent(entries * sizeof *rings->commands, BM_PAGE_SIZE);
    rings->completions = bm_memory_permanent(entries * sizeof *rings->completions, BM_PAGE_SIZE);
    rings->phase = 1;
    return rings->commands && rings->completions ? 0 : -BM_ENOMEM;
}

void bm_nvme_rings_reset(struct nvme_rings *rings)
{
    __builtin_memset(rings->completions, 0, rings->entries * sizeof *rings->completions);
    rings->tail = rings->shown = rings->head = 0;
    rings->phase = 1; // the first round writes ones (section 4.6)
}

struct nvme_command *bm_nvme_command_new(const struct nvme_rings *rings)
{
    struct nvme_command *command = &rings->commands[rings->tail];
    __builtin_memset(command, 0, sizeof *command);
    return command;
}

void bm_nvme_command_add(struct nvme_rings *rings)
{
    rings->tail = rings->tail + 1u == rings->entries ? 0 : (uint16_t)(rings->tail + 1);
}

void bm_nvme_rings_show(struct nvme *self, struct nvme_rings *rings)
{
    if (rings->shown == rings->tail)
        return;
    rings->shown = rings->tail;
    nvme_doorbell_write(self, 2u * rings->number, rings->tail);
}

struct nvme_completion bm_nvme_rings_take(struct nvme_rings *rings)
{
    struct nvme_completion completion;
    __builtin_memcpy(&completion, &rings->completions[rings->head], sizeof completion);
    rings->head++;
    if (rings->head == rings->entries) {
        rings->head = 0;
        rings->phase ^= 1;
    }
    return completion;
}

void bm_nvme_rings_taken(struct nvme *self, struct nvme_rings *rings)
{
    nvme_doorbell_write(self, 2u * rings->number + 1, rings->head);
}
