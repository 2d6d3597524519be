// What an NVMe controller and its namespaces say of themselves (section 5.15), and a disk of each namespace.
// SPDX-License-Identifier: MIT
#include "nvme.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>

// What is asked for (figure 244).
enum { NAMESPACE = 0, CONTROLLER = 1, ACTIVE = 2 };

// Offsets in the answers (figures 251 and 249).
enum {
    SERIAL = 4,
    SERIAL_SIZE = 20,
    MDTS = 77,
    SQES = 512,
    CQES = 513,
    NAMESPACE_COUNT = 516,
    ONCS = 520,
    VWC = 525,
    NS_SIZE = 0,
    NS_FEATURES = 24,
    NS_FORMATS = 25,
    NS_FORMAT = 26,
    NS_PROTECTION = 29,
    NS_GRANULARITY = 64,
    NS_ATTRIBUTES = 99,
    NS_FORMAT_0 = 128
};
enum { ONCS_DATASET = 1 << 2, ONCS_ZEROES = 1 << 3 };
enum { VERSION_1_1 = 0x00010100, NAMESPACE_NUMBER_MAX = 65535, DISCARD_MAX = 1 << 20, SECTOR_BITS = 9 };

static uint32_t field(const struct nvme *self, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    __builtin_memcpy(&value, (const char *)self->identified + offset, size);
    return value;
}

static int identify(struct nvme *self, unsigned what, uint32_t namespace_id)
{
    struct nvme_command command = {.operation = NVME_ADMIN_IDENTIFY,
                                   .namespace_id = namespace_id,
                                   .prp1 = bm_dma_address(self->identified),
                                   .words = {what}};
    __builtin_memset(self->identified, 0, BM_PAGE_SIZE);
    return bm_nvme_admin(self, &command, NULL);
}

int bm_nvme_identify(struct nvme *self)
{
    enum { COMMAND_BITS = 6, ANSWER_BITS = 4, PAGE_BITS = 12, TRANSFER_BITS = 20 };
    int error = identify(self, CONTROLLER, 0);
    if (error)
        return error;
    if ((field(self, SQES, 1) & 15) > COMMAND_BITS || (field(self, CQES, 1) & 15) > ANSWER_BITS)
        return -BM_EPROTO;
    for (unsigned i = 0; i < SERIAL_SIZE; i++) {
        char c = (char)field(self, SERIAL + i, 1);
        if (c <= ' ' || c > '~')
            break;
        self->serial[i] = c;
    }
    unsigned bits = field(self, MDTS, 1); // of pages; 0: no limit
    self->transfer_max =
        bits && bits < TRANSFER_BITS - PAGE_BITS ? 1u << (PAGE_BITS + bits) : NVME_TRANSFER_MAX;
    uint32_t can = field(self, ONCS, 2);
    self->can_discard = can & ONCS_DATASET;
    self->can_zero = can & ONCS_ZEROES;
    self->can_flush = field(self, VWC, 1) & 1;
    return 0;
}

// Fills in the disk of a namespace. Returns NULL, or why it cannot be used.
static const char *describe(const struct nvme *self, struct bm_blockdev *blockdev)
{
    unsigned format = field(self, NS_FORMAT, 1) & 15;
    if (format > field(self, NS_FORMATS, 1))
        return "says that it has a format that there is not";
    uint32_t bits = field(self, NS_FORMAT_0 + 4 * format, 4);
    unsigned sector = bits >> 16 & 0xff;
    if (bits & 0xffff || field(self, NS_PROTECTION, 1) & 7)
        return "has metadata beside its sectors";
    if (sector < SECTOR_BITS || 1u << (sector < 31 ? sector : 31) > BM_BLOCK_SECTOR_MAX)
        return "has sectors of a size that is not supported";
    blockdev->sector_size = 1u << sector;
    uint64_t size = field(self, NS_SIZE, 4) | (uint64_t)field(self, NS_SIZE + 4, 4) << 32;
    if (!size)
        return "is empty";
    uint64_t size_max = (uint64_t)INT64_MAX >> sector;
    blockdev->sectors = size < size_max ? size : size_max;
    uint32_t granularity = field(self, NS_FEATURES, 1) & 1 << 4 ? field(self, NS_GRANULARITY, 2) + 1 : 1;
    if (granularity & (granularity - 1) || granularity > (uint32_t)NVME_TRANSFER_MAX >> sector)
        granularity = 1;
    blockdev->physical_size = granularity << sector;
    blockdev->read_only = field(self, NS_ATTRIBUTES, 1) & 1;
    return NULL;
}

static void limits_set(const struct nvme *self, struct bm_blockdev *blockdev)
{
    enum { ALIGNMENT = 4, ZEROES_MAX = 1 << 16 };
    uint32_t sectors = self->transfer_max / blockdev->sector_size;
    blockdev->driver = "nvme";
    blockdev->ops = &bm_nvme_ops;
    blockdev->transfer_max = self->transfer_max;
    blockdev->segment_max = self->transfer_max;
    blockdev->segments_max = NVME_LIST_MAX;
    blockdev->alignment = ALIGNMENT;
    blockdev->boundary = BM_PAGE_SIZE;
    blockdev->discard_max = self->can_discard ? DISCARD_MAX : 0;
    blockdev->zeroes_max = !self->can_zero ? 0 : sectors < ZEROES_MAX ? sectors : ZEROES_MAX;
    blockdev->capabilities = (self->can_flush ? BM_BLOCK_CAN_FLUSH : 0) |
                             (self->can_discard ? BM_BLOCK_CAN_DISCARD : 0) |
                             (self->can_zero ? BM_BLOCK_CAN_WRITE_ZEROES : 0);
    __builtin_memcpy(blockdev->serial, self->serial, sizeof blockdev->serial);
}

// Makes the disk of a namespace, without queues. One that cannot be used is left out.
static int namespace_make(struct nvme *self, uint32_t number)
{
    struct bm_blockdev blockdev = {0};
    int error = identify(self, NAMESPACE, number);
    if (error)
        return error;
    const char *why = number > NAMESPACE_NUMBER_MAX                  ? "has a number that is too large"
                      : self->namespace_count == NVME_NAMESPACES_MAX ? "is one too many"
                                                                     : describe(self, &blockdev);
    if (why) {
        bm_log_warn(self->pci->device.name, "namespace %u %s: it is left out", number, why);
        return 0;
    }
    struct nvme_namespace *space = bm_memory_permanent(sizeof *space, _Alignof(struct nvme_namespace));
    if (!space)
        return -BM_ENOMEM;
    space->blockdev = blockdev;
    space->number = number;
    limits_set(self, &space->blockdev);
    bm_format(space->blockdev.name, BM_BLOCK_NAME_MAX, "nvme%un%u", self->number, number);
    self->namespaces[self->namespace_count++] = space;
    return 0;
}

// The numbers of the namespaces: a list since version 1.1, before that all from 1 on. They ascend, or the
// list is at its end.
int bm_nvme_namespaces_find(struct nvme *self)
{
    uint32_t numbers[NVME_NAMESPACES_MAX + 1] = {0};
    if (nvme_read(self, NVME_VS) >= VERSION_1_1) {
        int error = identify(self, ACTIVE, 0);
        if (error)
            return error;
        __builtin_memcpy(numbers, self->identified, sizeof numbers);
    } else {
        int error = identify(self, CONTROLLER, 0);
        if (error)
            return error;
        for (uint32_t i = 0; i <= NVME_NAMESPACES_MAX && i < field(self, NAMESPACE_COUNT, 4); i++)
            numbers[i] = i + 1;
    }
    for (unsigned i = 0; i <= NVME_NAMESPACES_MAX && numbers[i] > (i ? numbers[i - 1] : 0); i++) {
        int error = namespace_make(self, numbers[i]);
        if (error)
            return error;
    }
    return 0;
}

// `count` queue pairs for a namespace.
static int pairs_make(struct nvme *self, struct nvme_namespace *space, unsigned count)
{
    struct nvme_pair *pairs = bm_memory_permanent(count * sizeof *pairs, _Alignof(struct nvme_pair));
    if (!pairs)
        return -BM_ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        pairs[i].namespace_id = space->number;
        int error = bm_nvme_pair_create(&pairs[i], self, space, self->pair_count + 1);
        if (error)
            return error;
    }
    return 0;
}

int bm_nvme_pairs_make(struct nvme *self, unsigned queues)
{
    int error = 0;
    if (!self->namespace_count)
        return 0;
    if (self->namespace_count > queues) {
        bm_log_warn(self->pci->device.name, "has queues for %u of its %u namespaces: the others are left out",
                    queues, self->namespace_count);
        self->namespace_count = queues;
    }
    unsigned each = queues / self->namespace_count, cores = bm_core_called();
    if (each > self->vectors / self->namespace_count)
        each = self->vectors / self->namespace_count;
    each = each < cores ? each : cores;
    for (unsigned i = 0; i < self->namespace_count && !error; i++)
        error = pairs_make(self, self->namespaces[i], each ? each : 1);
    return error;
}
