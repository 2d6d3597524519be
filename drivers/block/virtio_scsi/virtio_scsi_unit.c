// The units of a SCSI target: disks, and drives with a disc (SPC-4, SBC-3, MMC-6).
// SPDX-License-Identifier: MIT
#include "virtio_scsi.h"

#include <baremetal/error.h>
#include <baremetal/log.h>

enum {
    TEST_UNIT_READY = 0x00,
    INQUIRY = 0x12,
    MODE_SENSE_6 = 0x1a,
    READ_CAPACITY_10 = 0x25,
    SERVICE_IN_16 = 0x9e,
    REPORT_LUNS = 0xa0
};
enum { TYPE_DISK = 0, TYPE_DISC = 5, TYPE_NONE = 0x1f, TRIES = 8, LUN_MAX = 16383 };

static uint64_t number(const struct virtio_scsi *self, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | self->answer[offset + i];
    return value;
}

// A unit tells what has happened to it first, each thing once.
static int ask(struct virtio_scsi *self, const struct virtio_scsi_disk *disk, const uint8_t cdb[16],
               uint32_t bytes)
{
    int error = -BM_EAGAIN;
    for (unsigned i = 0; i < TRIES && error == -BM_EAGAIN; i++)
        error = bm_virtio_scsi_ask(self, disk->target, disk->lun, cdb, bytes);
    return error;
}

static int page_ask(struct virtio_scsi *self, const struct virtio_scsi_disk *disk, uint8_t page)
{
    const uint8_t cdb[16] = {INQUIRY, 1, page, 0, 252};
    int error = ask(self, disk, cdb, 252);
    return error ? error : self->answer[1] == page ? 0 : -BM_EIO;
}

static void serial_read(struct virtio_scsi *self, struct virtio_scsi_disk *disk)
{
    enum { SERIAL_PAGE = 0x80, HEADER = 4 };
    unsigned length = 0;
    if (page_ask(self, disk, SERIAL_PAGE))
        return;
    unsigned given = self->answer[3];
    for (unsigned i = 0; i < given && length < BM_BLOCK_SERIAL_MAX - 1; i++) {
        char c = (char)self->answer[HEADER + i];
        if (c > ' ' && c <= '~')
            disk->blockdev.serial[length++] = c;
    }
}

// Size, sectors, whether it forgets what it is told to (SBC-3 section 5.16). Returns NULL, or what is wrong.
static const char *capacity_read(struct virtio_scsi *self, struct virtio_scsi_disk *disk)
{
    const uint8_t wide[16] = {SERVICE_IN_16, 0x10, [13] = 32}, narrow[16] = {READ_CAPACITY_10};
    struct bm_blockdev *blockdev = &disk->blockdev;
    uint64_t last, size;
    unsigned exponent = 0;
    if (ask(self, disk, wide, 32) == 0) {
        last = number(self, 0, 8);
        size = number(self, 8, 4);
        exponent = self->answer[13] & 15;
        blockdev->capabilities |= self->answer[14] & 0x80 ? BM_BLOCK_CAN_DISCARD : 0;
    } else if (ask(self, disk, narrow, 8) == 0) {
        last = number(self, 0, 4);
        size = number(self, 4, 4);
    } else {
        return "has no medium";
    }
    if (size < 512 || size > BM_BLOCK_SECTOR_MAX || size & (size - 1))
        return "has sectors of a size that is not supported";
    blockdev->sector_size = (uint32_t)size;
    blockdev->physical_size = exponent < 8 ? (uint32_t)size << exponent : (uint32_t)size;
    blockdev->sectors = last < INT64_MAX / size ? last + 1 : INT64_MAX / size;
    return NULL;
}

// How much may be forgotten at once (SBC-3 section 6.5.3); a unit that does not say it is not asked to.
static void discard_read(struct virtio_scsi *self, struct virtio_scsi_disk *disk)
{
    enum { LIMITS_PAGE = 0xb0, DISCARD_MAX = 1 << 20 };
    struct bm_blockdev *blockdev = &disk->blockdev;
    if (!(blockdev->capabilities & BM_BLOCK_CAN_DISCARD))
        return;
    uint64_t max = page_ask(self, disk, LIMITS_PAGE) ? 0 : number(self, 20, 4);
    if (max && number(self, 24, 4))
        blockdev->discard_max = max < DISCARD_MAX ? (uint32_t)max : DISCARD_MAX;
    else
        blockdev->capabilities &= ~(uint32_t)BM_BLOCK_CAN_DISCARD;
}

// Whether it is write-protected (SPC-4 section 7.5.5, SBC-3 section 6.4.1). All are flushed: those without a
// cache have nothing to do for it.
static void mode_read(struct virtio_scsi *self, struct virtio_scsi_disk *disk)
{
    const uint8_t cdb[16] = {MODE_SENSE_6, 0, 0x3f, 0, 192};
    disk->blockdev.capabilities |= BM_BLOCK_CAN_FLUSH;
    if (ask(self, disk, cdb, 192) == 0)
        disk->blockdev.read_only = self->answer[2] & 0x80;
}

static const char *describe(struct virtio_scsi *self, struct virtio_scsi_disk *disk, unsigned type)
{
    const uint8_t ready[16] = {TEST_UNIT_READY};
    struct bm_blockdev *blockdev = &disk->blockdev;
    if (ask(self, disk, ready, 0))
        return "is not ready";
    const char *why = capacity_read(self, disk);
    if (why)
        return why;
    discard_read(self, disk);
    if (type == TYPE_DISK) {
        mode_read(self, disk);
    } else {
        blockdev->capabilities = 0;
        blockdev->read_only = blockdev->whole = true;
    }
    serial_read(self, disk);
    blockdev->driver = "virtio_scsi";
    blockdev->ops = &bm_virtio_scsi_ops;
    blockdev->alignment = 1;
    blockdev->transfer_max = self->transfer_max & -blockdev->sector_size;
    blockdev->segment_max = blockdev->transfer_max;
    blockdev->segments_max = self->segments_max;
    return NULL;
}

static void unit_add(struct virtio_scsi *self, unsigned target, unsigned lun)
{
    const uint8_t cdb[16] = {INQUIRY, 0, 0, 0, 36};
    const char *name = self->device->device.name;
    struct virtio_scsi_disk probe = {.target = (uint8_t)target, .lun = (uint16_t)lun};
    if (ask(self, &probe, cdb, 36))
        return;
    unsigned type = self->answer[0] & 31; // bits 7:5: whether there is one now
    if (self->answer[0] >> 5 || (type != TYPE_DISK && type != TYPE_DISC))
        return;
    const char *why =
        self->disk_count == VIRTIO_SCSI_DISKS_MAX ? "is one too many" : describe(self, &probe, type);
    if (why) {
        bm_log(type == TYPE_DISC ? BM_LOG_INFO : BM_LOG_WARN, name, "unit %u of target %u %s: it is left out",
               lun, target, why);
        return;
    }
    struct virtio_scsi_disk *disk = bm_memory_permanent(sizeof *disk, _Alignof(struct virtio_scsi_disk));
    if (!disk) {
        bm_log_error(name, "out of memory: unit %u of target %u is left out", lun, target);
        return;
    }
    *disk = probe;
    bm_virtio_scsi_disk_prepare(disk, &self->queues[self->disk_count % self->queue_count]);
    self->disks[self->disk_count++] = disk;
    for (unsigned i = 0; type == TYPE_DISC && (i == 0 || bm_blockdev_find(disk->blockdev.name)); i++)
        bm_format(disk->blockdev.name, BM_BLOCK_NAME_MAX, "sr%u", i);
}

// REPORT LUNS (SPC-4 section 6.33): eight bytes each, behind eight that say how many bytes they are.
void bm_virtio_scsi_target_scan(struct virtio_scsi *self, unsigned target)
{
    enum { HEADER = 8, SIZE = 8, ROOM = (VIRTIO_SCSI_ANSWER - HEADER) / SIZE };
    const uint8_t cdb[16] = {REPORT_LUNS, [8] = VIRTIO_SCSI_ANSWER >> 8, VIRTIO_SCSI_ANSWER & 0xff};
    const struct virtio_scsi_disk probe = {.target = (uint8_t)target};
    uint16_t luns[ROOM];
    int error = ask(self, &probe, cdb, VIRTIO_SCSI_ANSWER);
    if (error == -BM_ENODEV)
        return;
    uint64_t count = error ? 1 : number(self, 0, 4) / SIZE; // one that does not say has unit 0
    count = count < ROOM ? count : ROOM;
    for (unsigned i = 0; i < count; i++)
        luns[i] = error ? 0 : (uint16_t)(number(self, HEADER + i * SIZE, 2) & LUN_MAX);
    for (unsigned i = 0; i < count && !self->device->broken; i++)
        unit_add(self, target, luns[i]);
}
