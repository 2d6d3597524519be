// What the files of the virtio GPU driver share.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the VIRTIO specification, version 1.2; the GPU device is section 5.7.
#pragma once

#include <baremetal/framebuffer.h>
#include <baremetal/lock.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

#include <stdatomic.h>

// Section 5.7.6.7 and following.
enum virtio_gpu_type {
    GPU_GET_DISPLAY_INFO = 0x0100,
    GPU_RESOURCE_CREATE_2D = 0x0101,
    GPU_SET_SCANOUT = 0x0103,
    GPU_RESOURCE_FLUSH = 0x0104,
    GPU_TRANSFER_TO_HOST_2D = 0x0105,
    GPU_RESOURCE_ATTACH_BACKING = 0x0106,
    GPU_OK_NODATA = 0x1100,
    GPU_OK_DISPLAY_INFO = 0x1101
};
enum { GPU_FORMAT_B8G8R8X8 = 2, GPU_SCANOUTS = 16, GPU_RESOURCE = 1, GPU_PIXEL_SIZE = 4 };
enum { GPU_QUEUE_SIZE = 8, GPU_WIDTH = 1024, GPU_HEIGHT = 768, GPU_SIDE_MIN = 64 };
#define GPU_ANSWER_MAX 2000000000ull // ns, at boot
#define GPU_REPORT_MAX 100000000ull  // ns, in a fault report

struct virtio_gpu_header {
    uint32_t type, flags;
    uint64_t fence;
    uint32_t context;
    uint32_t padding;
};
struct virtio_gpu_rectangle {
    uint32_t x, y, width, height;
};
struct virtio_gpu_display {
    struct virtio_gpu_rectangle rectangle;
    uint32_t enabled, flags;
};

// Commands: the longest has a table behind it.
struct virtio_gpu_create {
    struct virtio_gpu_header header;
    uint32_t resource, format, width, height;
};
struct virtio_gpu_scanout {
    struct virtio_gpu_header header;
    struct virtio_gpu_rectangle rectangle;
    uint32_t scanout, resource;
};
struct virtio_gpu_transfer {
    struct virtio_gpu_header header;
    struct virtio_gpu_rectangle rectangle;
    uint64_t offset;
    uint32_t resource, padding;
};
struct virtio_gpu_flush {
    struct virtio_gpu_header header;
    struct virtio_gpu_rectangle rectangle;
    uint32_t resource, padding;
};
struct virtio_gpu_backing {
    struct virtio_gpu_header header;
    uint32_t resource, count;
    struct {
        uint64_t address;
        uint32_t length, padding;
    } entries[];
};

struct virtio_gpu {
    struct bm_framebuffer framebuffer; // first
    struct bm_virtio_device *device;
    struct bm_virtqueue queue;
    struct bm_poller poller;
    unsigned scanout;
    atomic_bool whole; // all of the screen has changed, said somebody who could not have the lock
    struct bm_spinlock lock;
    // Under the lock:
    unsigned under_way;                // commands
    uint32_t left, top, right, bottom; // what has changed and was not sent; nothing when left == right
    bool complained;                   // a command was refused
    struct virtio_gpu_transfer transfer;
    struct virtio_gpu_flush flush;
    struct virtio_gpu_scanout show;
    struct virtio_gpu_header answers[3];
    // At boot:
    struct virtio_gpu_create create;
    struct virtio_gpu_header question;
    struct {
        struct virtio_gpu_header header;
        struct virtio_gpu_display displays[GPU_SCANOUTS];
    } said;
};

// --- virtio_gpu_show.c ---

// The framebuffer's `show`.
void bm_virtio_gpu_show(const struct bm_framebuffer *framebuffer, uint32_t x, uint32_t y, uint32_t width,
                        uint32_t height);
// Adds a command of `size` bytes, and the place of its answer. Returns whether there was room.
bool bm_virtio_gpu_put(struct virtio_gpu *self, void *command, uint32_t size, void *answer,
                       uint32_t answer_size);
// The command that shows the resource on the display.
void bm_virtio_gpu_scanout_fill(struct virtio_gpu *self);
bool bm_virtio_gpu_poll(void *arg);
bool bm_virtio_gpu_arm(void *arg);
uint64_t bm_virtio_gpu_deadline(void *arg);
