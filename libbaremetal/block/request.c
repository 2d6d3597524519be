// Requests to block devices: what is checked before a driver sees one, and the calls that wait.
// SPDX-License-Identifier: MIT
#include "../check/queue.h"
#include "../space/space.h"

#include <baremetal/block.h>
#include <baremetal/core.h>
#include <baremetal/error.h>

#include <stdatomic.h>
#include <stddef.h>

static bool is_write(unsigned operation)
{
    return operation == BM_BLOCK_WRITE || operation == BM_BLOCK_DISCARD || operation == BM_BLOCK_WRITE_ZEROES;
}

// Whether the segments are as many bytes as the sectors, in pieces that the device takes.
static bool segments_fit(const struct bm_blockdev *device, const struct bm_block_request *request)
{
    uint64_t bytes = 0, end = 0, wanted = (uint64_t)request->count * device->sector_size;
    if (wanted > device->transfer_max || request->segment_count > device->segments_max)
        return false;
    for (unsigned i = 0; i < request->segment_count; i++) {
        const struct bm_dma_segment *segment = &request->segments[i];
        if (segment->address == BM_DMA_NONE || !segment->length || segment->length > device->segment_max ||
            (segment->address | segment->length) & (device->alignment - 1))
            return false;
        if (i && device->boundary && segment->address != end &&
            (segment->address | end) & (device->boundary - 1))
            return false;
        end = segment->address + segment->length;
        bytes += segment->length;
    }
    return bytes == wanted;
}

// Discards and zeroes.
static int check_range_only(const struct bm_block_request *request, bool can, uint32_t count_max)
{
    if (!can)
        return -BM_ENXIO;
    return request->segment_count || request->count > count_max ? -BM_EINVAL : 0;
}

static int check(const struct bm_blockdev *device, const struct bm_block_request *request)
{
    unsigned operation = request->operation;
    bool can_be_safe = operation == BM_BLOCK_WRITE || operation == BM_BLOCK_WRITE_ZEROES;
    if (operation > BM_BLOCK_WRITE_ZEROES || request->flags & ~(can_be_safe ? BM_BLOCK_FUA : 0) ||
        !request->done)
        return -BM_EINVAL;
    if (operation == BM_BLOCK_FLUSH)
        return request->count || request->sector || request->segment_count ? -BM_EINVAL : 0;
    if (!request->count)
        return -BM_EINVAL;
    if (request->sector >= device->sectors || request->count > device->sectors - request->sector)
        return -BM_ERANGE;
    if (is_write(operation) && device->read_only)
        return -BM_EROFS;
    if (operation == BM_BLOCK_DISCARD)
        return check_range_only(request, device->capabilities & BM_BLOCK_CAN_DISCARD, device->discard_max);
    if (operation == BM_BLOCK_WRITE_ZEROES)
        return check_range_only(request, device->capabilities & BM_BLOCK_CAN_WRITE_ZEROES,
                                device->zeroes_max);
    return segments_fit(device, request) ? 0 : -BM_EINVAL;
}

// A partition has the limits of its disk, which may have become smaller, read-only or have gone meanwhile.
int bm_block_submit(struct bm_blockdev *device, struct bm_blockqueue *queue, struct bm_block_request *request)
{
    const struct bm_blockdev *disk = queue->device;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(bm_check_queue_mine(&queue->poller), BM_CHECK_QUEUE_RULE);
    if (disk->removed || (device != disk && device->disk != disk))
        return -BM_ENODEV;
    int error = check(device, request);
    if (error)
        return error;
    if (request->operation == BM_BLOCK_FLUSH && !(disk->capabilities & BM_BLOCK_CAN_FLUSH)) {
        request->result = 0;
        request->done(request);
        return 0;
    }
    request->disk_sector = request->sector + device->first;
    if (request->count &&
        (request->disk_sector >= disk->sectors || request->count > disk->sectors - request->disk_sector))
        return -BM_ERANGE;
    if (is_write(request->operation) && disk->read_only)
        return -BM_EROFS;
    BM_CHECK(bm_check_request_submit(request, __builtin_return_address(0)));
    error = disk->ops->submit(queue, request);
    if (BM_CHECKED && error)
        bm_check_request_refused(request);
    return error;
}

void bm_block_kick(struct bm_blockqueue *queue)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(bm_check_queue_mine(&queue->poller), BM_CHECK_QUEUE_RULE);
    queue->device->ops->kick(queue);
}

void bm_block_done(struct bm_blockqueue *queue, struct bm_block_request *request, int result)
{
    BM_ASSERT(bm_check_in_poller(), "requests must be done in the queue's poller");
    BM_CHECK(bm_check_request_done(request, __builtin_return_address(0)));
    __atomic_store_n(&queue->completed, queue->completed + 1, __ATOMIC_RELAXED);
    if (result)
        queue->failed++;
    else
        queue->bytes += (uint64_t)request->count * queue->device->sector_size;
    request->result = result;
    request->done(request);
}

// --- Waiting ---

enum { SEGMENTS = 16 }; // of one request of those below

struct waiter {
    struct bm_block_request request;
    struct bm_blockqueue *queue;
    uint64_t completed; // of the queue, when it was full
    atomic_bool over;
};

static void is_done(struct bm_block_request *request)
{
    struct waiter *waiter = request->arg;
    atomic_store_explicit(&waiter->over, true, memory_order_release); // it may vanish from here on
}

static bool is_over(void *arg)
{
    struct waiter *waiter = arg;
    return atomic_load_explicit(&waiter->over, memory_order_acquire);
}

static bool has_room(void *arg)
{
    struct waiter *waiter = arg;
    return __atomic_load_n(&waiter->queue->completed, __ATOMIC_RELAXED) != waiter->completed;
}

// A queue that this core may touch: one of its own, or the one that its number falls on.
static struct bm_blockqueue *queue_choose(const struct bm_blockdev *device)
{
    const struct bm_blockdev *disk = device->disk ? device->disk : device;
    unsigned core = bm_core_id(), first = disk->queue_count > 1 ? core % disk->queue_count : 0;
    struct bm_blockqueue *queue = bm_blockdev_queue(disk, first);
    for (unsigned i = 0; i < disk->queue_count; i++) {
        uint32_t bound = atomic_load_explicit(&queue->poller.core, memory_order_relaxed);
        if (!bound || bound == core + 1)
            break;
        queue = queue->next ? queue->next : disk->queues;
    }
    return queue;
}

static int run(struct bm_blockdev *device, struct waiter *waiter)
{
    int error;
    waiter->queue = queue_choose(device);
    waiter->request.done = is_done;
    waiter->request.arg = waiter;
    atomic_store_explicit(&waiter->over, false, memory_order_relaxed);
    do {
        waiter->completed = __atomic_load_n(&waiter->queue->completed, __ATOMIC_RELAXED);
        error = bm_block_submit(device, waiter->queue, &waiter->request);
        if (error == 0 || error == -BM_EAGAIN)
            bm_block_kick(waiter->queue);
        if (error == -BM_EAGAIN)
            bm_wait_until(has_room, waiter, UINT64_MAX);
    } while (error == -BM_EAGAIN);
    if (error)
        return error;
    bm_wait_until(is_over, waiter, UINT64_MAX);
    return waiter->request.result;
}

// Sectors that surely are few enough segments, wherever the pages lie: the first and the last may be parts.
static uint32_t piece_max(const struct bm_blockdev *device)
{
    uint64_t segments = device->segments_max < SEGMENTS ? device->segments_max : SEGMENTS;
    uint64_t bytes = (segments - 1) * BM_PAGE_SIZE;
    if (device->segment_max < BM_PAGE_SIZE)
        bytes = (segments - 1) * device->segment_max / 2;
    if (bytes > device->transfer_max)
        bytes = device->transfer_max;
    return bytes < device->sector_size ? 1 : (uint32_t)(bytes / device->sector_size);
}

// Cuts segments that are longer than the device takes. Returns how many there are now, or -BM_EINVAL. Memory
// of the program, such as its stack, may come when it is touched; a device does not touch it.
static int segments_make(const struct bm_blockdev *device, const char *buffer, size_t length, bool into,
                         struct bm_dma_segment *segments)
{
    int count = bm_dma_segments(buffer, length, segments, SEGMENTS);
    if (count < 0 && bm_space_touch && bm_space_touch((uint64_t)buffer, length, into))
        count = bm_dma_segments(buffer, length, segments, SEGMENTS);
    for (int i = 0; i < count; i++) {
        if (segments[i].length <= device->segment_max)
            continue;
        if (count == SEGMENTS)
            return -BM_EINVAL;
        for (int k = count++; k > i + 1; k--)
            segments[k] = segments[k - 1];
        segments[i + 1] = (struct bm_dma_segment){segments[i].address + device->segment_max,
                                                  segments[i].length - device->segment_max};
        segments[i].length = device->segment_max;
    }
    return count;
}

static int transfer(struct bm_blockdev *device, unsigned operation, uint64_t sector, const char *buffer,
                    uint32_t count, unsigned flags)
{
    struct bm_dma_segment segments[SEGMENTS];
    struct waiter waiter = {
        .request = {.operation = (uint8_t)operation, .flags = (uint8_t)flags, .segments = segments}};
    int error = count && flags <= UINT8_MAX ? 0 : -BM_EINVAL;
    // All of it or nothing, as far as one can say before.
    if (!error && (sector >= device->sectors || count > device->sectors - sector))
        error = -BM_ERANGE;
    while (count && !error) {
        uint32_t piece = piece_max(device);
        if (piece > count)
            piece = count;
        size_t bytes = (size_t)piece * device->sector_size;
        int made = segments_make(device, buffer, bytes, operation == BM_BLOCK_READ, segments);
        if (made < 0)
            return made;
        waiter.request.segment_count = (uint16_t)made;
        waiter.request.sector = sector;
        waiter.request.count = piece;
        error = run(device, &waiter);
        sector += piece;
        buffer += bytes;
        count -= piece;
    }
    return error;
}

static int range(struct bm_blockdev *device, unsigned operation, uint64_t sector, uint64_t count,
                 uint32_t count_max)
{
    struct waiter waiter = {.request = {.operation = (uint8_t)operation}};
    int error = count ? 0 : -BM_EINVAL;
    if (!error && (sector >= device->sectors || count > device->sectors - sector))
        error = -BM_ERANGE;
    while (count && !error) {
        uint32_t piece = count_max ? count_max : 1; // 0: it cannot, and will say so
        if (piece > count)
            piece = (uint32_t)count;
        waiter.request.sector = sector;
        waiter.request.count = piece;
        error = run(device, &waiter);
        sector += piece;
        count -= piece;
    }
    return error;
}

int bm_block_read(struct bm_blockdev *device, uint64_t sector, void *buffer, uint32_t count)
{
    BM_ASSERT_MAY_WAIT();
    return transfer(device, BM_BLOCK_READ, sector, buffer, count, 0);
}

int bm_block_write(struct bm_blockdev *device, uint64_t sector, const void *buffer, uint32_t count,
                   unsigned flags)
{
    BM_ASSERT_MAY_WAIT();
    return transfer(device, BM_BLOCK_WRITE, sector, buffer, count, flags);
}

int bm_block_flush(struct bm_blockdev *device)
{
    BM_ASSERT_MAY_WAIT();
    struct waiter waiter = {.request = {.operation = BM_BLOCK_FLUSH}};
    return run(device, &waiter);
}

int bm_block_discard(struct bm_blockdev *device, uint64_t sector, uint64_t count)
{
    BM_ASSERT_MAY_WAIT();
    return range(device, BM_BLOCK_DISCARD, sector, count, device->discard_max);
}

int bm_block_write_zeroes(struct bm_blockdev *device, uint64_t sector, uint64_t count)
{
    BM_ASSERT_MAY_WAIT();
    return range(device, BM_BLOCK_WRITE_ZEROES, sector, count, device->zeroes_max);
}
