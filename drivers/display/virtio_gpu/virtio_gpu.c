// The virtio GPU: a screen in the memory of the machine, shown by the host in two dimensions.
// SPDX-License-Identifier: MIT
//
// QEMU: -device virtio-gpu-pci, -device virtio-vga; the size is the host's, or that of video=1024x768
//
// The device is made to show one picture, a resource whose pixels lie in the machine's memory; it takes from
// there what it is told of (virtio_gpu_show.c). A screen that the loader has set up stays as it is.
#include "virtio_gpu.h"

#include "../../../libbaremetal/display/mode.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

static bool answered(void *arg)
{
    const struct virtio_gpu *self = arg;
    return bm_virtqueue_ready(&self->queue) || self->device->broken;
}

// A command at boot. Returns 0; -BM_EIO when it is refused; -BM_ETIMEDOUT.
static int ask(struct virtio_gpu *self, void *command, uint32_t size, void *answer, uint32_t answer_size,
               uint32_t wanted)
{
    struct bm_virtqueue_done done;
    if (!bm_virtio_gpu_put(self, command, size, answer, answer_size))
        return -BM_EIO;
    bm_virtqueue_kick(&self->queue);
    bm_virtqueue_arm(&self->queue, 1);
    bm_wait_until(answered, self, bm_time_monotonic() + GPU_ANSWER_MAX);
    if (!bm_virtqueue_take(&self->queue, &done, 1))
        return self->device->broken ? -BM_EIO : -BM_ETIMEDOUT;
    self->under_way--;
    uint32_t type = ((struct virtio_gpu_header *)answer)->type;
    return type == wanted && done.length >= sizeof(struct virtio_gpu_header) ? 0 : -BM_EIO;
}

// The first display that the host shows (section 5.7.6.8); none: a size of its own. What is too large for the
// machine's memory, or no size, becomes that size, too.
static int size_choose(struct virtio_gpu *self)
{
    struct bm_framebuffer *it = &self->framebuffer;
    self->question.type = GPU_GET_DISPLAY_INFO;
    int error = ask(self, &self->question, sizeof self->question, &self->said, sizeof self->said,
                    GPU_OK_DISPLAY_INFO);
    if (error)
        return error;
    it->width = GPU_WIDTH;
    it->height = GPU_HEIGHT;
    for (unsigned i = 0; i < GPU_SCANOUTS; i++) {
        const struct virtio_gpu_display display = self->said.displays[i];
        const struct virtio_gpu_rectangle *size = &display.rectangle;
        if (!display.enabled)
            continue;
        self->scanout = i;
        if (size->width >= GPU_SIDE_MIN && size->width <= BM_FRAMEBUFFER_SIDE_MAX &&
            size->height >= GPU_SIDE_MIN && size->height <= BM_FRAMEBUFFER_SIDE_MAX &&
            (uint64_t)size->width * size->height * GPU_PIXEL_SIZE <= bm_memory_statistics_get().free / 4) {
            it->width = size->width;
            it->height = size->height;
        }
        break;
    }
    bm_display_mode_wanted(&it->width, &it->height);
    return 0;
}

// The picture: pages of the machine's that the device is told of piece by piece.
static int picture_make(struct virtio_gpu *self)
{
    struct bm_framebuffer *it = &self->framebuffer;
    size_t size = (size_t)it->width * it->height * GPU_PIXEL_SIZE;
    unsigned pages = (unsigned)((size + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE);
    uint8_t *bytes = bm_memory_reserve(BM_PAGE_SIZE, pages * BM_PAGE_SIZE);
    struct bm_dma_segment *segments = bm_memory_permanent(pages * sizeof *segments, sizeof(void *));
    struct virtio_gpu_backing *backing =
        bm_memory_permanent(sizeof *backing + pages * sizeof *backing->entries, sizeof(void *));
    if (!bytes || !segments || !backing || !bm_memory_commit(bytes, pages * BM_PAGE_SIZE))
        return -BM_ENOMEM;
    int count = bm_dma_segments(bytes, pages * BM_PAGE_SIZE, segments, pages);
    if (count < 0)
        return count;
    backing->header.type = GPU_RESOURCE_ATTACH_BACKING;
    backing->resource = GPU_RESOURCE;
    backing->count = (uint32_t)count;
    for (int i = 0; i < count; i++) {
        backing->entries[i].address = segments[i].address;
        backing->entries[i].length = segments[i].length;
    }
    it->bytes = bytes;
    it->physical = segments[0].address;
    self->create = (struct virtio_gpu_create){.header.type = GPU_RESOURCE_CREATE_2D,
                                              .resource = GPU_RESOURCE,
                                              .format = GPU_FORMAT_B8G8R8X8,
                                              .width = it->width,
                                              .height = it->height};
    int error =
        ask(self, &self->create, sizeof self->create, self->answers, sizeof *self->answers, GPU_OK_NODATA);
    if (error)
        return error;
    return ask(self, backing, (uint32_t)(sizeof *backing + (unsigned)count * sizeof *backing->entries),
               self->answers, sizeof *self->answers, GPU_OK_NODATA);
}

static int screen_make(struct virtio_gpu *self)
{
    struct bm_framebuffer *it = &self->framebuffer;
    int error = size_choose(self);
    if (!error)
        error = picture_make(self);
    if (error)
        return error;
    it->name = "virtio_gpu";
    it->pitch = it->width * GPU_PIXEL_SIZE;
    it->pixel_size = GPU_PIXEL_SIZE;
    it->red = (struct bm_framebuffer_colour){16, 8};
    it->green = (struct bm_framebuffer_colour){8, 8};
    it->blue = (struct bm_framebuffer_colour){0, 8};
    it->show = bm_virtio_gpu_show;
    bm_virtio_gpu_scanout_fill(self);
    return ask(self, &self->show, sizeof self->show, self->answers, sizeof *self->answers, GPU_OK_NODATA);
}

static int device_start(struct virtio_gpu *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, BM_VIRTIO_F_EVENT_IDX);
    if (error)
        return error;
    bm_virtio_interrupt_start(self->device, 1);
    error = bm_virtqueue_create(&self->queue, self->device, 0, GPU_QUEUE_SIZE);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    bm_virtio_ready(self->device);
    return 0;
}

static int virtio_gpu_attach(struct bm_device *device)
{
    struct virtio_gpu *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_gpu));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    device->state = self;
    if (bm_framebuffer_first()) // which may be this very device's, behind its VGA registers
        return 0;
    int error = device_start(self);
    if (error)
        return error;
    error = screen_make(self);
    if (error) {
        bm_virtio_fail(self->device, error == -BM_ENOMEM      ? "has no screen: memory is short"
                                     : error == -BM_ETIMEDOUT ? "has no screen: it does not answer"
                                                              : "has no screen: it refuses a command");
        return error;
    }
    self->poller = (struct bm_poller){.name = "virtio_gpu",
                                      .poll = bm_virtio_gpu_poll,
                                      .arm = bm_virtio_gpu_arm,
                                      .deadline = bm_virtio_gpu_deadline,
                                      .arg = self};
    bm_poller_add(&self->poller);
    return bm_framebuffer_add(&self->framebuffer);
}

static const struct bm_device_id virtio_gpu_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_GPU},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_gpu) = {.name = "virtio_gpu", .ids = virtio_gpu_ids, .attach = virtio_gpu_attach};
