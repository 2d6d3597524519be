// What was drawn is sent to the device: rectangles, one at a time, the next one grown by all that came
// meanwhile.
// SPDX-License-Identifier: MIT
#include "virtio_gpu.h"

#include "../../../libbaremetal/cpu/core.h"

#include <baremetal/log.h>
#include <baremetal/time.h>

enum { TRANSFER, FLUSH, SHOW }; // answers

bool bm_virtio_gpu_put(struct virtio_gpu *self, void *command, uint32_t size, void *answer,
                       uint32_t answer_size)
{
    struct bm_dma_segment segments[] = {{bm_dma_address(command), size},
                                        {bm_dma_address(answer), answer_size}};
    if (bm_virtqueue_add(&self->queue, segments, 1, 1, answer))
        return false;
    self->under_way++;
    return true;
}

void bm_virtio_gpu_scanout_fill(struct virtio_gpu *self)
{
    const struct bm_framebuffer *it = &self->framebuffer;
    self->show = (struct virtio_gpu_scanout){.header.type = GPU_SET_SCANOUT,
                                             .rectangle = {0, 0, it->width, it->height},
                                             .scanout = self->scanout,
                                             .resource = GPU_RESOURCE};
}

static void grow(struct virtio_gpu *self, uint32_t left, uint32_t top, uint32_t right, uint32_t bottom)
{
    bool nothing = self->left == self->right;
    self->left = nothing || left < self->left ? left : self->left;
    self->top = nothing || top < self->top ? top : self->top;
    self->right = nothing || right > self->right ? right : self->right;
    self->bottom = nothing || bottom > self->bottom ? bottom : self->bottom;
}

// Section 5.7.6.8: first the host gets the pixels, then it shows them.
static bool send(struct virtio_gpu *self)
{
    const struct bm_framebuffer *it = &self->framebuffer;
    if (atomic_exchange(&self->whole, false))
        grow(self, 0, 0, it->width, it->height);
    if (self->under_way || self->left == self->right)
        return false;
    struct virtio_gpu_rectangle changed = {self->left, self->top, self->right - self->left,
                                           self->bottom - self->top};
    self->transfer =
        (struct virtio_gpu_transfer){.header.type = GPU_TRANSFER_TO_HOST_2D,
                                     .rectangle = changed,
                                     .offset = (uint64_t)changed.y * it->pitch + changed.x * GPU_PIXEL_SIZE,
                                     .resource = GPU_RESOURCE};
    self->flush = (struct virtio_gpu_flush){
        .header.type = GPU_RESOURCE_FLUSH, .rectangle = changed, .resource = GPU_RESOURCE};
    self->left = self->right = 0;
    if (bm_virtio_gpu_put(self, &self->transfer, sizeof self->transfer, &self->answers[TRANSFER],
                          sizeof *self->answers))
        bm_virtio_gpu_put(self, &self->flush, sizeof self->flush, &self->answers[FLUSH],
                          sizeof *self->answers);
    bm_virtqueue_kick(&self->queue);
    return true;
}

// The host has another window, say: the picture is shown there as it is.
static void show_again(struct virtio_gpu *self)
{
    const struct bm_framebuffer *it = &self->framebuffer;
    bm_log_info(self->device->device.name, "the host's window has changed: it shows the same picture");
    bm_virtio_gpu_scanout_fill(self);
    bm_virtio_gpu_put(self, &self->show, sizeof self->show, &self->answers[SHOW], sizeof *self->answers);
    bm_virtqueue_kick(&self->queue);
    grow(self, 0, 0, it->width, it->height);
}

static bool take(struct virtio_gpu *self)
{
    struct bm_virtqueue_done done[4];
    unsigned count = bm_virtqueue_take(&self->queue, done, 4);
    for (unsigned i = 0; i < count; i++) {
        const struct virtio_gpu_header *answer = done[i].cookie;
        uint32_t type = __atomic_load_n(&answer->type, __ATOMIC_RELAXED);
        self->under_way -= self->under_way > 0;
        if ((done[i].length < sizeof *answer || type != GPU_OK_NODATA) && !self->complained) {
            self->complained = true;
            bm_log_warn(self->device->device.name, "refuses to show the screen (%#x)", (unsigned)type);
        }
    }
    return count;
}

static bool serve(struct virtio_gpu *self)
{
    if (self->device->broken)
        return false;
    bool worked = take(self);
    if (!self->under_way && atomic_exchange(&self->device->config_changed, false)) {
        show_again(self);
        worked = true;
    }
    return send(self) || worked;
}

// In a fault report nobody serves the device afterwards, and its lock may be somebody's who has been stopped.
static void send_now(struct virtio_gpu *self)
{
    uint64_t end = bm_time_monotonic() + GPU_REPORT_MAX;
    bool done = false;
    while (!done && bm_time_monotonic() < end) {
        if (!bm_spinlock_try(&self->lock))
            continue;
        done = !serve(self) && !self->under_way;
        bm_spinlock_release(&self->lock);
    }
}

void bm_virtio_gpu_show(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t width,
                        uint32_t height)
{
    struct virtio_gpu *self = (struct virtio_gpu *)framebuffer;
    if (bm_spinlock_try(&self->lock)) {
        grow(self, x, y, x + width, y + height);
        send(self);
        bm_spinlock_release(&self->lock);
    } else
        atomic_store(&self->whole, true);
    if (bm_fault_reported())
        send_now(self);
}

bool bm_virtio_gpu_poll(void *arg)
{
    struct virtio_gpu *self = arg;
    if (!bm_spinlock_try(&self->lock))
        return false;
    bool worked = serve(self);
    bm_spinlock_release(&self->lock);
    return worked;
}

bool bm_virtio_gpu_arm(void *arg)
{
    struct virtio_gpu *self = arg;
    if (self->device->broken)
        return false;
    if (!bm_spinlock_try(&self->lock)) // who has it may leave the queue unarmed: nobody sleeps meanwhile
        return true;
    bool due = atomic_load(&self->whole) || (!self->under_way && self->left != self->right) ||
               (self->under_way && bm_virtqueue_arm(&self->queue, 1));
    bm_spinlock_release(&self->lock);
    return due || atomic_load(&self->device->config_changed);
}

uint64_t bm_virtio_gpu_deadline(void *arg)
{
    const struct virtio_gpu *self = arg;
    if (self->device->broken || (self->device->interrupts && !atomic_load(&self->whole)) || !self->under_way)
        return UINT64_MAX;
    return bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}
