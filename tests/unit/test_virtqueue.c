// Virtqueues against an invented device: chains, notifications both ways, wrap-around, lies.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtqueue.c drivers/virtio/virtio.c tests/unit/memory_host/permanent.c
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/virtio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The kernel's side of the invented machine ---

static unsigned errors, frames_left;
static uint64_t now;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000000;
}

void *bm_frame_allocate(unsigned order)
{
    return frames_left && frames_left-- ? aligned_alloc(BM_PAGE_SIZE, BM_PAGE_SIZE << order) : NULL;
}

void bm_frame_free(void *block, unsigned order)
{
    (void)order;
    free(block);
}

// --- The device ---

static uint8_t status;
static bool stuck, refuses;
static uint64_t offered;
static unsigned queue_size, notified, enabled_interrupt;

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return status;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    status = value == 0 && stuck ? status : value & ~(refuses ? 8 : 0);
}

static uint64_t features_get(struct bm_virtio_device *device)
{
    (void)device;
    return offered;
}

static void features_set(struct bm_virtio_device *device, uint64_t features)
{
    (void)device;
    assert_int_equal(features & ~offered, 0);
}

static unsigned size_get(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index == 0 ? queue_size : 0;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device;
    (void)queue;
    enabled_interrupt = interrupt;
    return 0;
}

static void notify(struct bm_virtqueue *queue)
{
    (void)queue;
    notified++;
}

static const struct bm_virtio_transport transport = {
    .status_get = status_get,
    .status_set = status_set,
    .features_get = features_get,
    .features_set = features_set,
    .queue_size = size_get,
    .queue_enable = queue_enable,
    .notify = notify,
};

static struct bm_virtio_device device;
static struct bm_virtqueue queue;

// The device takes the next chain and returns its first descriptor.
static uint16_t device_seen;
static uint16_t device_take(void)
{
    assert_int_not_equal((uint16_t)(queue.available->index - device_seen), 0);
    return queue.available->ring[device_seen++ % queue.size];
}

static void device_return(uint32_t id, uint32_t length)
{
    queue.used->ring[queue.used->index % queue.size] = (struct bm_virtqueue_used_element){id, length};
    queue.used->index++;
}

// The wishes behind the rings.
static uint16_t *used_event(void)
{
    return &queue.available->ring[queue.size];
}

static uint16_t *available_event(void)
{
    return (uint16_t *)&queue.used->ring[queue.size];
}

static void start(uint64_t features, unsigned size)
{
    status = 0;
    stuck = refuses = false;
    offered = features | BM_VIRTIO_F_VERSION_1;
    queue_size = size;
    errors = notified = device_seen = 0;
    frames_left = 100;
    device = (struct bm_virtio_device){.transport = &transport};
    uint64_t found;
    assert_int_equal(bm_virtio_begin(&device, &found), 0);
    assert_int_equal(found, offered);
    assert_int_equal(bm_virtio_negotiate(&device, 0), 0);
    assert_int_equal(bm_virtqueue_create(&queue, &device, 0, BM_VIRTQUEUE_SIZE_MAX), 0);
    bm_virtio_ready(&device);
    assert_int_equal(status, 1 | 2 | 4 | 8);
}

static int stop(void **state)
{
    (void)state;
    free(queue.descriptors);
    free(queue.entries);
    queue.descriptors = NULL;
    queue.entries = NULL;
    return 0;
}

static int add(unsigned readable, unsigned writable, uintptr_t cookie)
{
    struct bm_dma_segment segments[16];
    for (unsigned i = 0; i < readable + writable; i++)
        segments[i] = (struct bm_dma_segment){0x10000 * (i + 1), 100 + i};
    return bm_virtqueue_add(&queue, segments, readable, writable, (void *)cookie);
}

static uintptr_t take(uint32_t *length)
{
    struct bm_virtqueue_done done;
    if (!bm_virtqueue_take(&queue, &done, 1))
        return 0;
    if (length)
        *length = done.length;
    return (uintptr_t)done.cookie;
}

// --- Tests ---

static void chain_is_what_was_added(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 8);
    assert_int_equal(add(2, 1, 7), 0);
    assert_int_equal(queue.available->index, 0); // not shown yet
    bm_virtqueue_kick(&queue);
    assert_int_equal(queue.available->index, 1);
    const struct bm_virtqueue_descriptor *descriptor = &queue.descriptors[device_take()];
    assert_true(descriptor->address == 0x10000 && descriptor->length == 100 && descriptor->flags == 1);
    descriptor = &queue.descriptors[descriptor->next];
    assert_true(descriptor->address == 0x20000 && descriptor->length == 101 && descriptor->flags == 1);
    descriptor = &queue.descriptors[descriptor->next];
    assert_true(descriptor->address == 0x30000 && descriptor->length == 102 && descriptor->flags == 2);
}

static void full_queue_refuses_and_recovers(void **state)
{
    (void)state;
    start(0, 8);
    assert_int_equal(add(3, 0, 1), 0);
    assert_int_equal(add(3, 0, 2), 0);
    assert_int_equal(add(3, 0, 3), -BM_EAGAIN);
    assert_int_equal(add(2, 0, 4), 0);
    assert_int_equal(add(0, 1, 5), -BM_EAGAIN);
    bm_virtqueue_kick(&queue);
    uint16_t first = device_take(), second = device_take(), third = device_take();
    assert_int_equal(take(NULL), 0);
    device_return(second, 0); // out of order
    device_return(first, 0);
    assert_int_equal(take(NULL), 2);
    assert_int_equal(take(NULL), 1);
    assert_int_equal(take(NULL), 0);
    assert_int_equal(queue.free_count, 6);
    assert_int_equal(add(6, 0, 6), 0);
    device_return(third, 0);
    assert_int_equal(take(NULL), 4);
    assert_int_equal(queue.free_count, 2);
}

static void chains_never_share_descriptors(void **state)
{
    (void)state;
    start(0, 8);
    add(3, 0, 1);
    add(3, 0, 2);
    add(2, 0, 3);
    bm_virtqueue_kick(&queue);
    device_return(device_take(), 0);
    device_return(device_take(), 0);
    uint16_t kept = device_take();
    assert_int_equal(take(NULL), 1);
    assert_int_equal(take(NULL), 2);
    assert_int_equal(add(6, 0, 4), 0);
    bm_virtqueue_kick(&queue);
    unsigned seen = 1u << kept | 1u << queue.descriptors[kept].next;
    uint16_t at = device_take();
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(seen >> at & 1, 0);
        seen |= 1u << at;
        assert_int_equal(queue.descriptors[at].flags, i < 5 ? 1 : 0);
        at = queue.descriptors[at].next;
    }
    assert_int_equal(seen, 0xff);
}

static void indexes_wrap(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 4);
    for (uint32_t i = 1; i <= 70000 * 3; i++) {
        uint32_t length;
        assert_int_equal(add(i % 3, 1, i), 0);
        bm_virtqueue_kick(&queue);
        device_return(device_take(), i % 100);
        assert_true(bm_virtqueue_ready(&queue));
        assert_int_equal(take(&length), i);
        assert_int_equal(length, i % 100);
        assert_false(bm_virtqueue_ready(&queue));
        assert_int_equal(queue.free_count, 4);
    }
    assert_false(device.broken);
}

// Four chains of the device: a batch ends at the limit, and where the device says something wrong.
static void batches_are_taken_in_the_devices_order(void **state)
{
    (void)state;
    struct bm_virtqueue_done done[4] = {0};
    start(BM_VIRTIO_F_EVENT_IDX, 8);
    for (unsigned i = 1; i <= 4; i++)
        add(1, 1, i);
    bm_virtqueue_kick(&queue);
    uint16_t first = device_take();
    device_return(device_take(), 11);
    device_return(first, 12);
    assert_int_equal(bm_virtqueue_take(&queue, done, 0), 0);
    assert_int_equal(bm_virtqueue_take(&queue, done, 1), 1);
    assert_true(done[0].cookie == (void *)2 && done[0].length == 11);
    device_return(device_take(), 13);
    uint16_t last = device_take();
    device_return(last, 1000); // more than it holds
    assert_int_equal(bm_virtqueue_take(&queue, done, 4), 2);
    assert_true(done[0].cookie == (void *)1 && done[0].length == 12);
    assert_true(done[1].cookie == (void *)3 && done[1].length == 13);
    assert_true(device.broken);
    assert_int_equal(bm_virtqueue_take(&queue, done, 4), 0);
    assert_int_equal(queue.free_count, 6); // the last one is still the device's
}

// The same chain twice in one batch.
static void batch_returns_no_chain_twice(void **state)
{
    (void)state;
    struct bm_virtqueue_done done[4];
    start(0, 8);
    add(0, 1, 1);
    add(0, 1, 2);
    bm_virtqueue_kick(&queue);
    uint16_t first = device_take();
    device_return(first, 1);
    device_return(first, 1);
    assert_int_equal(bm_virtqueue_take(&queue, done, 4), 1);
    assert_true(device.broken);
}

static void doorbell_rings_when_asked(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 16);
    *available_event() = 0;
    bm_virtqueue_kick(&queue); // nothing new
    assert_int_equal(notified, 0);
    add(1, 0, 1);
    bm_virtqueue_kick(&queue);
    assert_int_equal(notified, 1);
    add(1, 0, 1);
    bm_virtqueue_kick(&queue); // the device has not asked again
    assert_int_equal(notified, 1);
    *available_event() = 4;
    add(1, 0, 1);
    add(1, 0, 1);
    bm_virtqueue_kick(&queue); // index 4: entry 4 is still to come
    assert_int_equal(notified, 1);
    add(1, 0, 1);
    add(1, 0, 1);
    bm_virtqueue_kick(&queue); // one for both
    assert_int_equal(notified, 2);
}

static void doorbell_by_flag(void **state)
{
    (void)state;
    start(0, 16);
    add(1, 0, 1);
    bm_virtqueue_kick(&queue);
    assert_int_equal(notified, 1);
    queue.used->flags = 1;
    add(1, 0, 1);
    bm_virtqueue_kick(&queue);
    assert_int_equal(notified, 1);
    queue.used->flags = 0;
    add(1, 0, 1);
    bm_virtqueue_kick(&queue);
    assert_int_equal(notified, 2);
}

static void interrupts_are_asked_for(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 16);
    assert_int_equal(*used_event(), 0xffff); // none at the start
    for (unsigned i = 1; i <= 4; i++)
        add(0, 1, i);
    bm_virtqueue_kick(&queue);
    assert_false(bm_virtqueue_arm(&queue, 1));
    assert_int_equal(*used_event(), 0);
    device_return(device_take(), 0);
    assert_true(bm_virtqueue_arm(&queue, 1)); // it came meanwhile
    assert_false(bm_virtqueue_arm(&queue, 3));
    assert_int_equal(*used_event(), 2);
    device_return(device_take(), 0);
    device_return(device_take(), 0);
    assert_true(bm_virtqueue_arm(&queue, 3));
    bm_virtqueue_disarm(&queue);
    assert_int_equal(*used_event(), 0xffff);
    stop(NULL);
    start(0, 16);
    assert_int_equal(queue.available->flags, 1);
    assert_false(bm_virtqueue_arm(&queue, 1));
    assert_int_equal(queue.available->flags, 0);
    bm_virtqueue_disarm(&queue);
    assert_int_equal(queue.available->flags, 1);
}

static void expect_broken(void)
{
    assert_int_equal(take(NULL), 0);
    assert_true(device.broken);
    assert_true(device.silent);
    assert_int_equal(errors, 1);
    assert_int_equal(status, 128); // FAILED, after a reset
    unsigned before = queue.free_count;
    assert_int_equal(take(NULL), 0); // and it stays so
    assert_int_equal(queue.free_count, before);
    assert_int_equal(errors, 1);
}

static void device_returns_what_it_has_not(void **state)
{
    (void)state;
    const uint32_t wrong[] = {8, 0xffff, 0x10000, UINT32_MAX};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) { // outside
        start(0, 8);
        add(0, 1, 1);
        bm_virtqueue_kick(&queue);
        device_return(wrong[i], 0);
        expect_broken();
        stop(NULL);
    }
    start(0, 8);
    add(0, 3, 1);
    bm_virtqueue_kick(&queue);
    device_return(queue.descriptors[device_take()].next, 0); // the middle of a chain
    expect_broken();
    stop(NULL);
    start(0, 8);
    add(0, 1, 1);
    bm_virtqueue_kick(&queue);
    uint16_t id = device_take();
    device_return(id, 0);
    device_return(id, 0); // twice
    assert_int_equal(take(NULL), 1);
    expect_broken();
    stop(NULL);
    start(0, 8);
    queue.used->index = 0x8000; // from nowhere
    expect_broken();
}

static void device_writes_too_much(void **state)
{
    (void)state;
    uint32_t length;
    start(0, 8);
    add(1, 2, 1); // 101 + 102 bytes
    add(2, 0, 2);
    add(0, 1, 3); // 100 bytes
    bm_virtqueue_kick(&queue);
    device_return(device_take(), 203);
    device_return(device_take(), UINT32_MAX); // nothing to write: the length means nothing
    device_return(device_take(), 101);
    assert_int_equal(take(&length), 1);
    assert_int_equal(length, 203);
    assert_int_equal(take(&length), 2);
    assert_int_equal(length, 0);
    expect_broken();
}

static void broken_device_gives_everything_back_once(void **state)
{
    (void)state;
    start(0, 8);
    add(2, 0, 1);
    add(0, 1, 2);
    add(3, 0, 4);
    bm_virtqueue_kick(&queue);
    assert_null(bm_virtqueue_abandon(&queue)); // not as long as it works
    bm_virtio_fail(&device, "test");
    uintptr_t sum = 0, cookie;
    while ((cookie = (uintptr_t)bm_virtqueue_abandon(&queue)) != 0)
        sum += cookie;
    assert_int_equal(sum, 7);
    assert_int_equal(queue.free_count, 8);
    stop(NULL);
    start(0, 8);
    add(0, 1, 1);
    stuck = true; // it cannot be silenced: the buffer is not safe
    bm_virtio_fail(&device, "test");
    assert_null(bm_virtqueue_abandon(&queue));
}

static void start_of_devices_that_do_not(void **state)
{
    (void)state;
    uint64_t found;
    start(0, 8);
    stuck = true;
    assert_int_equal(bm_virtio_begin(&device, &found), -BM_EIO);
    assert_true(device.broken);
    stuck = device.broken = false;
    offered = BM_VIRTIO_F_EVENT_IDX; // legacy
    assert_int_equal(bm_virtio_begin(&device, &found), -BM_EIO);
    device.broken = false;
    offered |= BM_VIRTIO_F_VERSION_1;
    assert_int_equal(bm_virtio_begin(&device, &found), 0);
    refuses = true;
    assert_int_equal(bm_virtio_negotiate(&device, 0), -BM_EIO);
    assert_int_equal(status, 128);
}

static void sizes_and_interrupts(void **state)
{
    (void)state;
    start(0, 300); // not a power of two: the next smaller one
    assert_int_equal(queue.size, 256);
    assert_int_equal(enabled_interrupt, BM_VIRTIO_NO_INTERRUPT);
    stop(NULL);
    queue_size = 32768;
    assert_int_equal(bm_virtqueue_create(&queue, &device, 0, UINT16_MAX), 0);
    assert_int_equal(queue.size, BM_VIRTQUEUE_SIZE_MAX);
    stop(NULL);
    device.interrupts = 2;
    assert_int_equal(bm_virtqueue_create(&queue, &device, 0, 1), 0);
    assert_int_equal(queue.size, 1);
    assert_int_equal(enabled_interrupt, 1);
    stop(NULL);
    device.interrupts = 1;
    assert_int_equal(bm_virtqueue_create(&queue, &device, 0, 8), 0);
    assert_int_equal(enabled_interrupt, 0);
    stop(NULL);
    assert_int_equal(bm_virtqueue_create(&queue, &device, 1, 8), -BM_ENOENT);
    for (frames_left = 0; frames_left < 2; frames_left++) {
        unsigned left = frames_left;
        assert_int_equal(bm_virtqueue_create(&queue, &device, 0, 8), -BM_ENOMEM);
        frames_left = left;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(chain_is_what_was_added, stop),
        cmocka_unit_test_teardown(full_queue_refuses_and_recovers, stop),
        cmocka_unit_test_teardown(chains_never_share_descriptors, stop),
        cmocka_unit_test_teardown(indexes_wrap, stop),
        cmocka_unit_test_teardown(batches_are_taken_in_the_devices_order, stop),
        cmocka_unit_test_teardown(batch_returns_no_chain_twice, stop),
        cmocka_unit_test_teardown(doorbell_rings_when_asked, stop),
        cmocka_unit_test_teardown(doorbell_by_flag, stop),
        cmocka_unit_test_teardown(interrupts_are_asked_for, stop),
        cmocka_unit_test_teardown(device_returns_what_it_has_not, stop),
        cmocka_unit_test_teardown(device_writes_too_much, stop),
        cmocka_unit_test_teardown(broken_device_gives_everything_back_once, stop),
        cmocka_unit_test_teardown(start_of_devices_that_do_not, stop),
        cmocka_unit_test_teardown(sizes_and_interrupts, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
