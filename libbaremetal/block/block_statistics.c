// Statistics of each disk, in images that link baremetal::block_statistics.
// SPDX-License-Identifier: MIT
#include <baremetal/block.h>
#include <baremetal/statistics.h>
#include <stddef.h>

const char bm_block_statistics_use = 0;

// A partition's requests are its disk's.
static const struct bm_blockdev *disk_get(unsigned index)
{
    const struct bm_blockdev *device = bm_blockdev_first();
    for (; device; device = device->next)
        if (!device->disk && index-- == 0)
            break;
    return device;
}

// The argument is the counter's place in struct bm_blockqueue.
static bool read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    const struct bm_blockdev *disk = disk_get(value->index);
    if (!disk)
        return false;
    value->label = disk->name;
    value->value = 0;
    for (const struct bm_blockqueue *queue = disk->queues; queue; queue = queue->next)
        value->value += *(const uint64_t *)(const void *)((const char *)queue + statistic->argument);
    return true;
}

#define BLOCK_STATISTIC(member, sentence)                                                                    \
    BM_STATISTIC(disk_##member) = {.name = "disk_" #member,                                                  \
                                   .help = (sentence),                                                       \
                                   .split = "device",                                                        \
                                   .argument = offsetof(struct bm_blockqueue, member),                       \
                                   .read = read}

BLOCK_STATISTIC(completed, "Requests that ended, failed ones too.");
BLOCK_STATISTIC(failed, "Requests that failed.");
BLOCK_STATISTIC(bytes, "Bytes read and written.");
