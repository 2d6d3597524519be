// The virtio SCSI host: disks and discs of its targets, as Google's cloud and Proxmox have them.
// SPDX-License-Identifier: MIT
//
// QEMU: -device virtio-scsi-pci -drive if=none,id=d,file=disk.img,format=raw -device scsi-hd,drive=d
//
// Section numbers are those of the VIRTIO specification, version 1.2; the SCSI host is section 5.6. A request
// queue for each core, as far as the host and its interrupts go; the disks share them. Units that come, go or
// change their size while the machine runs are not noticed: there is no queue for events, and none for
// control.
#include "virtio_scsi.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>

// Offsets in the configuration (section 5.6.4).
enum { QUEUE_COUNT = 0, SEGMENTS_MAX = 4, SECTORS_MAX = 8, TARGET_MAX = 30 };
enum { UNIT = 512, TRANSFER_MAX = 1 << 20 };

// What the host says of itself.
static void limits_read(struct virtio_scsi *self)
{
    uint32_t segments = bm_virtio_config_read(self->device, SEGMENTS_MAX, 4);
    uint32_t sectors = bm_virtio_config_read(self->device, SECTORS_MAX, 4);
    unsigned size = self->queues[0].requests.size;
    for (unsigned i = 1; i < self->queue_count; i++)
        size = self->queues[i].requests.size < size ? self->queues[i].requests.size : size;
    unsigned fit = size > 4 ? size - 2 : 2;
    segments = segments && segments < fit ? segments : fit;
    segments = segments < VIRTIO_SCSI_SEGMENTS_MAX ? segments : VIRTIO_SCSI_SEGMENTS_MAX;
    self->segments_max = segments < 2 ? 2 : segments;
    self->transfer_max = sectors && sectors < TRANSFER_MAX / UNIT ? sectors * UNIT : TRANSFER_MAX;
    if (self->transfer_max < BM_BLOCK_SECTOR_MAX)
        self->transfer_max = BM_BLOCK_SECTOR_MAX;
}

static int queues_create(struct virtio_scsi *self)
{
    unsigned count = bm_virtio_config_read(self->device, QUEUE_COUNT, 4), cores = bm_core_called();
    count = count < cores ? count : cores;
    count = count > VIRTIO_SCSI_QUEUES_MAX ? VIRTIO_SCSI_QUEUES_MAX : count ? count : 1;
    bm_virtio_interrupt_start(self->device, count);
    unsigned interrupts = self->device->interrupts > 1 ? self->device->interrupts - 1 : 1;
    self->queue_count = count < interrupts ? count : interrupts;
    self->queues =
        bm_memory_permanent(self->queue_count * sizeof *self->queues, _Alignof(struct virtio_scsi_queue));
    self->answer = bm_memory_permanent(VIRTIO_SCSI_ANSWER, VIRTIO_SCSI_ANSWER);
    int error = self->queues && self->answer ? 0 : -BM_ENOMEM;
    for (unsigned i = 0; i < self->queue_count && !error; i++)
        error = bm_virtio_scsi_queue_create(self, i);
    return error;
}

static int virtio_scsi_start(struct virtio_scsi *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, 0);
    if (error)
        return error;
    error = queues_create(self);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    limits_read(self);
    bm_virtio_ready(self->device);
    return 0;
}

static void disks_add(struct virtio_scsi *self)
{
    for (unsigned i = 0; i < self->disk_count && !self->device->broken; i++) {
        struct virtio_scsi_disk *disk = self->disks[i];
        if (bm_blockdev_add(&disk->blockdev, disk->blockdev.whole ? NULL : "sd")) {
            bm_log_error(self->device->device.name, "unit %u of target %u says of itself what cannot be",
                         disk->lun, disk->target);
            continue;
        }
        bm_log_info(self->device->device.name, "unit %u of target %u is %s: %llu sectors of %u bytes%s",
                    disk->lun, disk->target, disk->blockdev.name, (unsigned long long)disk->blockdev.sectors,
                    disk->blockdev.sector_size, disk->blockdev.read_only ? ", read-only" : "");
    }
}

static int virtio_scsi_attach(struct bm_device *device)
{
    struct virtio_scsi *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_scsi));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    device->state = self;
    int error = virtio_scsi_start(self);
    if (error)
        return error;
    unsigned last = bm_virtio_config_read(self->device, TARGET_MAX, 2);
    for (unsigned target = 0; target <= last && target <= UINT8_MAX && !self->device->broken; target++)
        bm_virtio_scsi_target_scan(self, target);
    disks_add(self);
    return self->device->broken ? -BM_EIO : 0;
}

static const struct bm_device_id virtio_scsi_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_SCSI},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_scsi) = {.name = "virtio_scsi", .ids = virtio_scsi_ids, .attach = virtio_scsi_attach};
