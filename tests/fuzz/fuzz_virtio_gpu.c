// Fuzzer of the virtio GPU driver: a device whose displays and answers are anything, or do not come.
// SPDX-License-Identifier: MIT
// @sources drivers/display/virtio_gpu/virtio_gpu.c drivers/display/virtio_gpu/virtio_gpu_show.c
// @sources tests/unit/memory_host/permanent.c
// @max_len 256
// @least 300
#include "../../drivers/display/virtio_gpu/virtio_gpu.h"

#include "../../libbaremetal/cpu/core.h"
#include "../../libbaremetal/display/mode.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS = 64, CHAINS = GPU_QUEUE_SIZE / 2 };
#define SHIFT 0x10000000000ull

extern const struct bm_driver bm_driver_virtio_gpu;
static const uint8_t *input;
static size_t left, picture_size;
static struct bm_virtio_device device;
static struct bm_framebuffer *added, *before;
static struct bm_poller *poller;
static uint64_t now;
static bool reported;
static unsigned block_count, chain_count;
static struct {
    void *memory;
    size_t size;
} blocks[BLOCKS];
static struct {
    struct bm_dma_segment command, answer;
    void *cookie;
} chains[CHAINS];

static uint8_t byte(void)
{
    return left ? left--, *input++ : 0;
}

static uint32_t word(void)
{
    return byte() | (uint32_t)byte() << 8 | (uint32_t)byte() << 16 | (uint32_t)byte() << 24;
}

static void *block_new(size_t size)
{
    if (block_count == BLOCKS)
        return NULL;
    blocks[block_count].size = size;
    return blocks[block_count++].memory = aligned_alloc(BM_PAGE_SIZE, (size + 4095) & ~4095ull);
}

static void *at(uint64_t address, size_t length)
{
    for (unsigned i = 0; i < block_count; i++) {
        uint64_t offset = address - SHIFT - (uint64_t)(uintptr_t)blocks[i].memory;
        if (offset <= blocks[i].size && length <= blocks[i].size - offset)
            return (char *)blocks[i].memory + offset;
    }
    abort(); // the driver has handed out what it does not have
}

// --- The kernel ---

void *bm_frame_allocate(unsigned order)
{
    return block_new(BM_PAGE_SIZE << order);
}

void *bm_memory_reserve(size_t alignment, size_t length)
{
    (void)alignment;
    picture_size = length;
    return byte() == 255 ? NULL : block_new(length);
}

bool bm_memory_commit(void *address, size_t length)
{
    (void)address, (void)length;
    return byte() != 255;
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.free = 32 << 20};
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + SHIFT;
}

// As scattered as can be.
int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    unsigned count = 0;
    for (size_t offset = 0; offset < length; offset += BM_PAGE_SIZE) {
        if (count == max)
            return -BM_EINVAL;
        segments[count++] = (struct bm_dma_segment){bm_dma_address(buffer) + offset, BM_PAGE_SIZE};
    }
    return (int)count;
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000 * 1000;
}

bool bm_fault_reported(void)
{
    return reported;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)deadline;
    return condition(arg);
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level, (void)subject, (void)format;
}

void bm_poller_add(struct bm_poller *it)
{
    poller = it;
}

void bm_display_mode_wanted(uint32_t *width, uint32_t *height)
{
    (void)width, (void)height;
}

struct bm_framebuffer *bm_framebuffer_first(void)
{
    return before;
}

int bm_framebuffer_add(struct bm_framebuffer *framebuffer)
{
    if (framebuffer->width > BM_FRAMEBUFFER_SIDE_MAX || framebuffer->height > BM_FRAMEBUFFER_SIDE_MAX ||
        (size_t)framebuffer->pitch * framebuffer->height > picture_size ||
        framebuffer->pitch < framebuffer->width * 4)
        abort(); // pixels outside of the picture
    added = framebuffer;
    return 0;
}

// --- The transport and the queue ---

int bm_virtio_begin(struct bm_virtio_device *it, uint64_t *features)
{
    (void)it;
    *features = 0;
    return byte() == 255 ? -BM_EIO : 0;
}

int bm_virtio_negotiate(struct bm_virtio_device *it, uint64_t wanted)
{
    (void)it, (void)wanted;
    return 0;
}

void bm_virtio_interrupt_start(struct bm_virtio_device *it, unsigned queues)
{
    it->interrupts = queues;
}

void bm_virtio_ready(struct bm_virtio_device *it)
{
    (void)it;
}

void bm_virtio_fail(struct bm_virtio_device *it, const char *why)
{
    (void)why;
    it->broken = it->silent = true;
}

int bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *it, unsigned number,
                        unsigned max)
{
    static struct bm_virtqueue_used used;
    (void)max;
    used.index = 1; // there is always something to look at
    queue->device = it;
    queue->used = &used;
    return number || byte() == 255 ? -BM_ENOENT : 0;
}

int bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments, unsigned readable,
                     unsigned writable, void *cookie)
{
    (void)queue;
    if (readable != 1 || writable != 1)
        abort();
    if (chain_count == CHAINS)
        return -BM_EAGAIN;
    at(segments[0].address, segments[0].length);
    at(segments[1].address, segments[1].length);
    chains[chain_count].command = segments[0];
    chains[chain_count].answer = segments[1];
    chains[chain_count++].cookie = cookie;
    return 0;
}

// What a device that follows the rules would refuse must not be sent.
static void command_check(const void *command, uint32_t size)
{
    uint32_t type = *(const uint32_t *)command;
    const struct virtio_gpu_transfer *transfer = command;
    const struct virtio_gpu_backing *backing = command;
    const struct virtio_gpu_rectangle *changed = &transfer->rectangle;
    if (type == GPU_TRANSFER_TO_HOST_2D &&
        (!changed->width || !changed->height || changed->x + changed->width > added->width ||
         changed->y + changed->height > added->height))
        abort();
    if (type == GPU_RESOURCE_ATTACH_BACKING)
        for (uint32_t i = 0; i < backing->count; i++) {
            if ((const uint8_t *)&backing->entries[i + 1] > (const uint8_t *)command + size)
                abort();
            at(backing->entries[i].address, backing->entries[i].length);
        }
}

void bm_virtqueue_kick(struct bm_virtqueue *queue)
{
    (void)queue;
    for (unsigned i = 0; i < chain_count; i++)
        command_check(at(chains[i].command.address, chains[i].command.length), chains[i].command.length);
}

// Most answers are what they should be.
static uint32_t answer_fill(uint32_t *answer, uint32_t size, uint32_t type)
{
    uint8_t how = byte();
    memset(answer, 0, size);
    answer[0] = type == GPU_GET_DISPLAY_INFO ? GPU_OK_DISPLAY_INFO : GPU_OK_NODATA;
    if (type == GPU_GET_DISPLAY_INFO)
        for (unsigned count = byte() % 4; count; count--)
            answer[6 + byte() % 96] = how & 1 ? word() : byte() * 16u;
    if (how > 240)
        answer[0] = word();
    return how > 230 ? byte() % (size + 1) : size;
}

unsigned bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max)
{
    unsigned count = 0;
    uint8_t how = byte();
    if (how == 255)
        bm_virtio_fail(queue->device, "it breaks the rules");
    while (how < 240 && chain_count && count < max) {
        unsigned chosen = how % chain_count; // in any order
        const uint32_t *command = at(chains[chosen].command.address, 4);
        done[count].length = answer_fill(at(chains[chosen].answer.address, chains[chosen].answer.length),
                                         chains[chosen].answer.length, *command);
        done[count++].cookie = chains[chosen].cookie;
        chains[chosen] = chains[--chain_count];
    }
    return count;
}

bool bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned count)
{
    (void)queue, (void)count;
    return byte() & 1;
}

static void draw(void)
{
    uint32_t x = word() % added->width, y = word() % added->height;
    uint32_t width = word() % (added->width - x) + 1, height = word() % (added->height - y) + 1;
    added->bytes[(size_t)(y + height - 1) * added->pitch + (x + width - 1) * 4] = 1;
    added->show(added, x, y, width, height);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    memset(&device, 0, sizeof device);
    added = NULL;
    poller = NULL;
    chain_count = 0;
    reported = false;
    if (bm_driver_virtio_gpu.attach(&device.device) == 0 && !added)
        abort(); // there is a screen, or an error
    while (left && added) {
        uint8_t how = byte();
        reported = how == 254;
        if (how & 1)
            draw();
        device.config_changed = how % 8 == 2;
        if (how & 4)
            poller->arm(poller->arg);
        poller->deadline(poller->arg);
        poller->poll(poller->arg);
    }
    while (block_count)
        free(blocks[--block_count].memory);
    return 0;
}
