// The virtio block driver between an invented device and the kernel's block layer.
// SPDX-License-Identifier: MIT
// @sources drivers/block/virtio_blk/virtio_blk.c drivers/block/virtio_blk/virtio_blk_queue.c
// @sources drivers/block/virtio_blk/virtio_blk_reset.c drivers/virtio/virtio.c drivers/virtio/virtqueue.c
// @sources drivers/virtio/virtio_restart.c
// @sources libbaremetal/block/request.c tests/unit/memory_host/permanent.c tests/unit/memory_host/one_core.c
// @sources tests/unit/virtio_blk_host/kernel.c
#include "virtio_blk_host/kernel.h"

#include <baremetal/error.h>
#include <baremetal/virtio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The device ---

enum { F_SIZE_MAX = 1 << 1, F_SEG_MAX = 1 << 2, F_RO = 1 << 5, F_BLK_SIZE = 1 << 6, F_FLUSH = 1 << 9 };
enum { F_TOPOLOGY = 1 << 10, F_DISCARD = 1 << 13, F_ZEROES = 1 << 14 };

static uint8_t status, config[60];
static uint64_t offered;
static unsigned queue_size, notified, aimed[2];
static bool silent_id, no_interrupts, stuck;
static uint16_t seen;
static struct bm_virtqueue *ring;
static struct bm_virtio_device device;

static uint8_t status_get(struct bm_virtio_device *d)
{
    return d ? status : 0;
}

static void status_set(struct bm_virtio_device *d, uint8_t value)
{
    (void)d;
    if (value || !stuck)
        status = value;
}

static uint64_t features_get(struct bm_virtio_device *d)
{
    (void)d;
    return offered;
}

static void features_set(struct bm_virtio_device *d, uint64_t features)
{
    (void)d;
    assert_int_equal(features & ~offered, 0);
}

static uint32_t config_read(struct bm_virtio_device *d, unsigned offset, unsigned size)
{
    (void)d;
    uint32_t value = 0;
    assert_true(offset + size <= sizeof config);
    memcpy(&value, config + offset, size);
    return value;
}

static uint32_t generation(struct bm_virtio_device *d)
{
    return d ? 0 : 1;
}

static unsigned size_get(struct bm_virtio_device *d, unsigned index)
{
    (void)d;
    return index ? 0 : queue_size;
}

static int queue_enable(struct bm_virtio_device *d, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)d, (void)interrupt;
    ring = queue;
    return 0;
}

static int interrupt_start(struct bm_virtio_device *d, unsigned most)
{
    (void)d;
    return no_interrupts ? -BM_ENODEV : (int)most;
}

static int interrupt_set(struct bm_virtio_device *d, unsigned index, atomic_bool *flag)
{
    (void)d, (void)index, (void)flag;
    return 0;
}

static int interrupt_aim(struct bm_virtio_device *d, unsigned index, unsigned core)
{
    (void)d;
    aimed[index] = core;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *d, unsigned index)
{
    return d && index == 0 ? 0 : -BM_EINVAL;
}

// The chain that the device takes next: its descriptors in order.
static struct taken {
    unsigned count;
    uint16_t id;
    struct bm_virtqueue_descriptor pieces[140];
} taken;

static bool device_waits(void)
{
    return ring->available->index != seen;
}

static uint32_t device_take(void)
{
    assert_true(device_waits());
    taken.id = ring->available->ring[seen++ % ring->size];
    taken.count = 0;
    const struct bm_virtqueue_descriptor *descriptor = &ring->descriptors[taken.id];
    for (;; descriptor = &ring->descriptors[descriptor->next]) {
        taken.pieces[taken.count++] = *descriptor;
        if (!(descriptor->flags & 1))
            break;
    }
    assert_true(taken.count >= 2);
    assert_int_equal(taken.pieces[0].length, 16);
    assert_int_equal(taken.pieces[0].flags & 2, 0);
    assert_int_equal(taken.pieces[taken.count - 1].length, 1);
    assert_int_equal(taken.pieces[taken.count - 1].flags, 2);
    return *(uint32_t *)at_dma(taken.pieces[0].address);
}

static uint64_t taken_sector(void)
{
    return *(uint64_t *)at_dma(taken.pieces[0].address + 8);
}

static void device_answer(uint8_t answer, uint32_t length)
{
    *(uint8_t *)at_dma(taken.pieces[taken.count - 1].address) = answer;
    ring->used->ring[ring->used->index % ring->size] = (struct bm_virtqueue_used_element){taken.id, length};
    ring->used->index++;
}

// The serial number is answered at once.
static void notify(struct bm_virtqueue *queue)
{
    assert_ptr_equal(queue, ring);
    notified++;
    if (added || silent_id)
        return;
    assert_int_equal(device_take(), 8);
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.pieces[1].length, 20);
    memcpy(at_dma(taken.pieces[1].address), "disk-7\0......\x01.......", 20);
    device_answer(0, 21);
}

static const struct bm_virtio_transport transport = {
    .status_get = status_get,
    .status_set = status_set,
    .features_get = features_get,
    .features_set = features_set,
    .config_read = config_read,
    .config_generation = generation,
    .queue_size = size_get,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupt_start = interrupt_start,
    .interrupt_set = interrupt_set,
    .interrupt_aim = interrupt_aim,
    .config_interrupt = config_interrupt,
};

// --- The tests ---

extern const struct bm_driver bm_driver_virtio_blk;
static struct bm_blockqueue *queue;
static struct bm_poller *poller;

static void put(unsigned offset, unsigned size, uint64_t value)
{
    memcpy(config + offset, &value, size);
}

static int attach(uint64_t features)
{
    added = NULL;
    status = 0;
    seen = 0;
    offered = features | BM_VIRTIO_F_VERSION_1; // without EVENT_IDX every kick is a doorbell
    device = (struct bm_virtio_device){.transport = &transport};
    int error = bm_driver_virtio_blk.attach(&device.device);
    if (!error) {
        queue = added->queues;
        poller = &queue->poller;
    }
    return error;
}

static int set_up(void **state)
{
    (void)state;
    memset(config, 0, sizeof config);
    put(0, 8, 2048);
    put(12, 4, 64);
    put(36, 4, 800);
    put(48, 4, 400);
    queue_size = 256;
    errors = notified = 0;
    silent_id = no_interrupts = stuck = false;
    add_result = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_free();
    return 0;
}

enum { ALL = F_SEG_MAX | F_FLUSH | F_DISCARD | F_ZEROES };
static struct bm_block_request requests[80];
static unsigned dones;
static _Alignas(4096) unsigned char data[8192];
static struct bm_dma_segment segments[2];

static void on_done(struct bm_block_request *request)
{
    (void)request;
    dones++;
}

static int submit(unsigned number, unsigned operation, uint64_t sector, uint32_t count, unsigned flags)
{
    bool moves = operation == BM_BLOCK_READ || operation == BM_BLOCK_WRITE;
    segments[0] = (struct bm_dma_segment){bm_dma_address(data), count * added->sector_size};
    requests[number] = (struct bm_block_request){.operation = (uint8_t)operation,
                                                 .flags = (uint8_t)flags,
                                                 .sector = sector,
                                                 .count = count,
                                                 .segments = segments,
                                                 .segment_count = moves,
                                                 .done = on_done,
                                                 .result = 99};
    dones = number ? dones : 0;
    return bm_block_submit(added, queue, &requests[number]);
}

static bool poll(void)
{
    return poller->poll(poller->arg);
}

static void what_the_device_says_is_taken(void **state)
{
    (void)state;
    assert_int_equal(attach(ALL), 0);
    assert_int_equal(added->sectors, 2048);
    assert_int_equal(added->sector_size, 512);
    assert_int_equal(added->segments_max, 64);
    assert_int_equal(added->discard_max, 800);
    assert_int_equal(added->zeroes_max, 400);
    assert_string_equal(added->serial, "disk-7");
    assert_false(added->read_only);
    assert_int_equal(queue->depth, 64);
    put(20, 4, 4096);
    put(24, 1, 3);
    put(8, 4, 5000);
    assert_int_equal(attach(ALL | F_RO | F_BLK_SIZE | F_TOPOLOGY | F_SIZE_MAX), 0);
    assert_int_equal(added->sectors, 256);
    assert_int_equal(added->sector_size, 4096);
    assert_int_equal(added->physical_size, 32768);
    assert_int_equal(added->segment_max, 4096); // whole sectors
    assert_int_equal(added->discard_max, 100);
    assert_true(added->read_only);
    assert_int_equal(attach(0), 0);
    assert_int_equal(added->capabilities, 0);
    put(20, 4, 1000); // no sector size
    put(24, 1, 200);
    put(0, 8, UINT64_MAX);
    assert_int_equal(attach(F_BLK_SIZE | F_TOPOLOGY), 0);
    assert_int_equal(added->sector_size, 512);
    assert_int_equal(added->physical_size, 512);
    assert_true(added->sectors <= INT64_MAX / 512);
    queue_size = 8;
    assert_int_equal(attach(F_SEG_MAX), 0);
    assert_int_equal(queue->depth, 2);
    assert_int_equal(added->segments_max, 6);
    silent_id = true;
    assert_int_equal(attach(ALL), -BM_EIO);
    assert_int_equal(errors, 1);
    silent_id = false;
    add_result = -BM_EINVAL;
    assert_int_equal(attach(ALL), -BM_EINVAL);
    assert_int_equal(errors, 2);
}

static void requests_are_carried_out(void **state)
{
    (void)state;
    attach(ALL);
    unsigned before = notified;
    assert_int_equal(submit(0, BM_BLOCK_WRITE, 7, 3, 0), 0);
    assert_int_equal(submit(1, BM_BLOCK_READ, 2047, 1, 0), 0);
    assert_int_equal(submit(2, BM_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(submit(3, BM_BLOCK_DISCARD, 100, 800, 0), 0);
    assert_int_equal(submit(4, BM_BLOCK_WRITE_ZEROES, 200, 400, 0), 0);
    assert_false(device_waits());
    bm_block_kick(queue);
    assert_int_equal(notified, before + 1);
    const uint32_t types[] = {1, 0, 4, 11, 13};
    const uint64_t sectors[] = {7, 2047, 0, 0, 0};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(device_take(), types[i]);
        assert_int_equal(taken_sector(), sectors[i]);
        assert_int_equal(taken.count, i == 2 ? 2 : 3);
        if (i < 2)
            assert_int_equal(taken.pieces[1].flags & 2, i ? 2 : 0); // who writes
        if (i > 2) {
            const uint64_t *range = at_dma(taken.pieces[1].address);
            assert_int_equal(range[0], i == 3 ? 100 : 200);
            assert_int_equal(range[1], i == 3 ? 800 : 400);
            assert_int_equal(taken.pieces[1].flags & 2, 0);
        }
        device_answer(0, 1);
    }
    assert_int_equal(dones, 0);
    assert_true(poller->arm(poller->arg));
    assert_true(poll());
    assert_int_equal(dones, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(requests[i].result, 0);
    assert_false(poll());
    assert_false(poller->arm(poller->arg));
    assert_int_equal(ring->free_count, 256);
}

static void answers_are_told_apart(void **state)
{
    (void)state;
    attach(ALL);
    const uint8_t answers[] = {0, 1, 2, 3, 0xff, 77};
    const int results[] = {0, -BM_EIO, -BM_ENXIO, -BM_EIO, -BM_EIO, -BM_EIO};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(submit(i, BM_BLOCK_READ, i, 1, 0), 0);
    bm_block_kick(queue);
    for (unsigned i = 0; i < 6; i++) {
        device_take();
        assert_int_equal(taken_sector(), i);
        device_answer(answers[i], 1);
    }
    poll();
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(requests[i].result, results[i]);
    assert_int_equal(queue->failed, 5);
    assert_false(device.broken);
}

static void safe_writes_are_flushed_behind(void **state)
{
    (void)state;
    attach(ALL);
    assert_int_equal(submit(0, BM_BLOCK_WRITE, 7, 1, BM_BLOCK_FUA), 0);
    bm_block_kick(queue);
    assert_int_equal(device_take(), 1);
    device_answer(0, 1);
    assert_true(poll());
    assert_int_equal(dones, 0);
    assert_int_equal(device_take(), 4); // by itself
    device_answer(1, 1);
    poll();
    assert_int_equal(dones, 1);
    assert_int_equal(requests[0].result, -BM_EIO); // the flush failed
    submit(0, BM_BLOCK_WRITE, 7, 1, BM_BLOCK_FUA);
    bm_block_kick(queue);
    device_take();
    device_answer(1, 1); // a write that failed is not flushed
    poll();
    assert_int_equal(dones, 1);
    assert_false(device_waits());
    attach(F_SEG_MAX); // without a cache
    submit(0, BM_BLOCK_WRITE, 7, 1, BM_BLOCK_FUA);
    bm_block_kick(queue);
    device_take();
    device_answer(0, 1);
    poll();
    assert_int_equal(dones, 1);
    assert_int_equal(requests[0].result, 0);
}

static void full_queues_say_so(void **state)
{
    (void)state;
    attach(ALL);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(submit(i, BM_BLOCK_WRITE, i, 1, BM_BLOCK_FUA), 0);
    assert_int_equal(submit(64, BM_BLOCK_WRITE, 0, 1, 0), -BM_EAGAIN);
    bm_block_kick(queue);
    device_take();
    device_answer(0, 1);
    poll(); // its flush keeps the place
    assert_int_equal(submit(64, BM_BLOCK_WRITE, 0, 1, 0), -BM_EAGAIN);
    for (unsigned i = 0; i < 127; i++) {
        device_take();
        device_answer(0, 1);
        poll();
    }
    assert_int_equal(dones, 64);
    assert_int_equal(submit(64, BM_BLOCK_WRITE, 0, 1, 0), 0);
}

// Whatever it returns that it does not have, or says of lengths: it is switched off, and everything comes
// back.
static void broken_device_fails_all(void **state)
{
    (void)state;
    const struct {
        uint32_t id, length;
    } lies[] = {{999, 1}, {5, 1}, {0, 1u << 31}};
    for (unsigned lie = 0; lie < 3; lie++) {
        attach(ALL);
        errors = 0;
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(submit(i, i % 2 ? BM_BLOCK_READ : BM_BLOCK_WRITE, i, 1, i ? 0 : BM_BLOCK_FUA),
                             0);
        bm_block_kick(queue);
        device_take();
        taken.id = (uint16_t)lies[lie].id;
        if (lie == 1)
            taken.id = ring->descriptors[ring->available->ring[0]].next; // in the middle of a chain
        device_answer(0, lies[lie].length);
        while (poll())
            ;
        assert_int_equal(errors, 1);
        assert_int_equal(dones, 5);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(requests[i].result, -BM_EIO);
        assert_true(added->removed);
        assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
        assert_false(poller->arm(poller->arg));
        assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
        bm_block_kick(queue);
    }
}

// A device that does not come out of reset may still write: what it has is not given back.
static void device_that_cannot_be_silenced_keeps_its_memory(void **state)
{
    (void)state;
    attach(ALL);
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    bm_block_kick(queue);
    stuck = true;
    taken.id = 200;
    device_answer(0, 1);
    for (unsigned i = 0; i < 5; i++)
        poll();
    assert_int_equal(dones, 0);
    assert_int_equal(submit(1, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
}

static void size_follows_the_configuration(void **state)
{
    (void)state;
    attach(ALL);
    put(0, 8, 4096);
    poll();
    assert_int_equal(added->sectors, 2048);
    atomic_store(&device.config_changed, true);
    assert_true(poller->arm(poller->arg));
    poll();
    assert_int_equal(added->sectors, 4096);
    assert_false(poller->arm(poller->arg));
    assert_int_equal(submit(0, BM_BLOCK_READ, 4095, 1, 0), 0);
}

static void poll_all(void)
{
    while (poll())
        ;
}

// It says that it needs a reset: what it had is sent again, and once more, and fails then.
static void reset_is_given_when_it_is_asked_for(void **state)
{
    (void)state;
    attach(ALL);
    for (unsigned resets = 1; resets <= 2; resets++) {
        assert_int_equal(submit(resets, BM_BLOCK_WRITE, 7, 1, BM_BLOCK_FUA), 0);
        bm_block_kick(queue);
        device_take();
        seen = 0;
        status |= 64;
        atomic_store(&device.config_changed, true);
        assert_true(poller->arm(poller->arg));
        poll_all();
        assert_false(device.broken);
        assert_int_equal(status, 15);
        assert_int_equal(dones, resets - 1);
    }
    assert_int_equal(requests[1].result, -BM_EIO);
    assert_int_equal(requests[2].result, 99);
    assert_int_equal(device_take(), 1); // sent again
    device_answer(0, 1);
    poll_all();
    assert_int_equal(device_take(), 4);
    device_answer(0, 1);
    poll_all();
    assert_int_equal(requests[2].result, 0);
    assert_int_equal(ring->free_count, 256);
    assert_int_equal(errors, 0);
    status |= 64;
    stuck = true; // and it does not come back
    atomic_store(&device.config_changed, true);
    poll_all();
    assert_true(device.broken);
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
}

// It does not answer: eight seconds for each of two times.
static void stuck_requests_are_sent_again_once(void **state)
{
    (void)state;
    attach(ALL);
    assert_int_equal(submit(0, BM_BLOCK_READ, 7, 1, 0), 0);
    bm_block_kick(queue);
    device_take();
    seen = 0;
    for (unsigned seconds = 0; seconds < 10; seconds++) {
        assert_true(poller->deadline(poller->arg) < UINT64_MAX);
        time_passes();
        poll_all();
    }
    assert_int_equal(dones, 0);
    assert_int_equal(submit(1, BM_BLOCK_READ, 8, 1, 0), 0);
    dones = 0;
    bm_block_kick(queue);
    for (unsigned seconds = 0; seconds < 8; seconds++) {
        time_passes();
        poll_all();
    }
    assert_int_equal(dones, 1);
    assert_int_equal(requests[0].result, -BM_EIO);
    seen = 0;
    assert_int_equal(device_take(), 0); // the other one
    assert_int_equal(taken_sector(), 8);
    device_answer(0, 513);
    poll_all();
    assert_int_equal(requests[1].result, 0);
    assert_int_equal(errors, 0);
}

static void queue_is_bound_or_polled(void **state)
{
    (void)state;
    attach(ALL);
    assert_int_equal(added->ops->aim(queue, 3), 0);
    assert_true(aimed[0] == 3 && aimed[1] == 3);
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    assert_true(poller->deadline(poller->arg) > now + 500000000); // only to see whether it lives
    no_interrupts = true;
    attach(ALL);
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX); // nothing is under way
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    assert_true(poller->deadline(poller->arg) < UINT64_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_device_says_is_taken),
        TEST(requests_are_carried_out),
        TEST(answers_are_told_apart),
        TEST(safe_writes_are_flushed_behind),
        TEST(full_queues_say_so),
        TEST(broken_device_fails_all),
        TEST(device_that_cannot_be_silenced_keeps_its_memory),
        TEST(size_follows_the_configuration),
        TEST(reset_is_given_when_it_is_asked_for),
        TEST(stuck_requests_are_sent_again_once),
        TEST(queue_is_bound_or_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
