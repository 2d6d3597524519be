// The virtio network driver's way back from a reset that the device asks for, and one that is gone.
// SPDX-License-Identifier: MIT
// @sources drivers/net/virtio_net.c drivers/net/virtio_net_queue.c drivers/net/virtio_net_multiqueue.c
// @sources drivers/net/virtio_net_reset.c drivers/virtio/virtio_restart.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c libbaremetal/device/packet.c
// @sources tests/unit/virtio_net/machine.c tests/unit/memory_host/permanent.c
#include "../../drivers/net/virtio_net.h"

#include "virtio_net/machine.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAIRS = 3, RESETS_MAX = 8 };

static struct bm_virtio_device device;
static unsigned received, sent, link_changes;

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_non_null(queue);
    while (batch) {
        struct bm_packet *next = batch->next;
        received++;
        bm_packet_free(batch);
        batch = next;
    }
}

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    assert_non_null(queue);
    assert_non_null(cookie);
    sent++;
}

static void link_changed(struct bm_netqueue *queue)
{
    link_changes += queue->number == 0;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

extern const struct bm_driver bm_driver_virtio_net;

static int set_up(void **state)
{
    (void)state;
    frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 8 << 20;
    memset(config, 0, 12);
    config[6] = 1;
    received = sent = link_changes = 0;
    return frames ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(frames);
    return 0;
}

static struct bm_netdev *start(unsigned count)
{
    machine_reset();
    status_stuck = false;
    config[8] = pairs = cores = count;
    offered = F_MQ | F_CTRL_VQ | F_STATUS | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX;
    device = (struct bm_virtio_device){.transport = &transport};
    assert_int_equal(bm_driver_virtio_net.attach(&device.device), 0);
    struct bm_netdev *netdev = bm_netdev_first();
    assert_int_equal(bm_netdev_start(netdev, count), count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(bm_netqueue_take(bm_netdev_queue(netdev, i), &stack, NULL), 0);
    return netdev;
}

static bool poll(struct bm_netqueue *queue)
{
    return queue->poller.poll(queue->poller.arg);
}

static void poll_all(struct bm_netdev *netdev)
{
    for (struct bm_netqueue *queue = netdev->queues; queue; queue = queue->next)
        poll(queue);
}

static int send(struct bm_netqueue *queue)
{
    static unsigned char *memory;
    memory = (unsigned char *)bm_frame_allocate(0) + 64;
    const struct bm_netdev_segment segment = {memory, 60};
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = memory};
    int error = queue->ops->send(queue, &frame);
    queue->ops->flush(queue);
    return error;
}

// The device wants a reset, and says so by its interrupt.
static void reset_want(void)
{
    status |= BM_VIRTIO_NEEDS_RESET;
    atomic_store(&device.config_changed, true);
}

// What the device remembers of its queues is lost by a reset.
static void device_forget(void)
{
    memset(seen, 0, sizeof seen);
}

static void frames_go_on_behind_a_reset(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    struct bm_netqueue *queue = netdev->queues;
    assert_int_equal(send(queue), 0);
    assert_int_equal(send(queue), 0);
    reset_want();
    poll(queue); // finds out
    assert_int_equal(errors, 1);
    assert_true(device.broken);
    assert_true(wakes > 0);
    assert_int_equal(send(queue), -BM_EINVAL);
    device_forget();
    poll(queue); // gives back and begins anew
    assert_int_equal(sent, 2);
    assert_false(device.broken);
    assert_int_equal(status, 1 | 2 | 4 | 8);
    assert_int_equal(accepted & F_STATUS, F_STATUS);
    assert_int_equal(link_changes, 1);
    poll(queue);
    assert_true(netdev->link_up);
    assert_int_equal(link_changes, 2);
    assert_int_equal(device_waiting(0), queues[0]->size); // all buffers are there again
    device_receives(60, 7, 0);
    poll(queue);
    assert_int_equal(received, 1);
    assert_int_equal(send(queue), 0);
    assert_int_equal(device_waiting(1), 1);
    device_return(1, device_take(1), 0);
    poll(queue);
    assert_int_equal(sent, 3);
    assert_int_equal(errors, 1);
}

static void last_pair_begins_anew(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(PAIRS);
    struct bm_netqueue *last = bm_netdev_queue(netdev, PAIRS - 1);
    assert_int_equal(command.count, 1);
    reset_want();
    poll(netdev->queues);
    device_forget();
    for (unsigned i = 0; i < 3; i++) // as often as they like
        for (struct bm_netqueue *queue = netdev->queues; queue != last; queue = queue->next)
            poll(queue);
    assert_true(device.broken); // the last one may still be in its queues
    assert_int_equal(status & 4, 0);
    poll(last);
    assert_false(device.broken);
    assert_int_equal(command.count, 2); // and uses all pairs
    assert_int_equal(command.pairs, PAIRS);
    poll_all(netdev);
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(device_waiting(2 * i), queues[2 * i]->size);
        device_receives_at(2 * i, 60, 1, 0);
        assert_int_equal(send(bm_netdev_queue(netdev, i)), 0);
    }
    poll_all(netdev);
    assert_int_equal(received, PAIRS);
    assert_true(netdev->link_up);
}

static void device_that_does_not_come_back_stays_off(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    reset_want();
    poll(netdev->queues);
    offered &= ~F_STATUS; // another one now
    poll(netdev->queues);
    assert_true(device.broken);
    assert_int_equal(status & 4, 0);
    assert_int_equal(errors, 2);
    poll(netdev->queues);
    assert_int_equal(errors, 2);
    assert_false(netdev->link_up);
    netdev = start(1); // it does not even come out of reset: what it has is not given back
    assert_int_equal(send(netdev->queues), 0);
    status_stuck = true;
    reset_want();
    poll(netdev->queues);
    poll(netdev->queues);
    assert_true(device.broken);
    assert_false(device.silent);
    assert_int_equal(sent, 0);
    netdev = start(PAIRS); // it does not take its pairs
    reset_want();
    command.answer = 1;
    poll_all(netdev);
    device_forget();
    poll_all(netdev);
    assert_true(device.broken);
    poll_all(netdev);
    assert_true(device.broken);
}

static void resets_without_end_have_one(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    for (unsigned i = 0; i < RESETS_MAX; i++) {
        reset_want();
        poll(netdev->queues);
        assert_true(device.broken);
        device_forget();
        poll(netdev->queues);
        assert_false(device.broken);
    }
    reset_want();
    poll(netdev->queues);
    poll(netdev->queues);
    assert_true(device.broken);
}

static struct bm_poller *watch_of(struct bm_netdev *netdev)
{
    return &((struct virtio_net *)netdev)->watch.poller;
}

// Frames that do not go out are what tells.
static void device_that_is_gone_is_silenced(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    struct bm_poller *watch = watch_of(netdev);
    assert_int_equal(watch->deadline(watch->arg), UINT64_MAX);
    status = BM_VIRTIO_GONE;
    status_stuck = true;
    assert_int_equal(send(netdev->queues), 0);
    assert_false(watch->arm(watch->arg));
    assert_false(watch->poll(watch->arg));
    assert_true(watch->deadline(watch->arg) < UINT64_MAX);
    bool due = false;
    for (unsigned i = 0; i < 2000 && !due; i++) // a millisecond each
        due = watch->arm(watch->arg);
    assert_true(due);
    assert_int_equal(errors, 0);
    assert_true(watch->poll(watch->arg));
    assert_int_equal(errors, 1);
    assert_true(device.broken && device.silent);
    poll(netdev->queues);
    assert_int_equal(sent, 1); // it reads no more
    assert_false(netdev->link_up);
    poll(netdev->queues);
    assert_true(device.broken);
    assert_int_equal(errors, 1);
    assert_int_equal(watch->deadline(watch->arg), UINT64_MAX);
}

// Nobody is there, or somebody else has reset it: it is begun anew, as far as it goes.
static void device_that_was_reset_is_begun_anew(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    status = 0;
    atomic_store(&device.config_changed, true);
    poll(netdev->queues);
    assert_true(device.broken);
    device_forget();
    poll(netdev->queues);
    assert_false(device.broken);
    assert_int_equal(status, 1 | 2 | 4 | 8);
    status = 0;
    offered = 0;
    atomic_store(&device.config_changed, true);
    poll(netdev->queues);
    poll(netdev->queues);
    assert_true(device.broken && device.silent);
}

// One that is slow is none that is gone; but it may have missed a doorbell, which rings again once a second.
static void device_that_waits_is_left_alone(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(1);
    struct bm_poller *watch = watch_of(netdev);
    assert_int_equal(send(netdev->queues), 0);
    unsigned looks = 0, before = notified[1];
    for (unsigned i = 0; i < 5000; i++) {
        if (watch->arm(watch->arg)) {
            assert_false(watch->poll(watch->arg));
            looks++;
        }
        assert_int_equal(notified[1] - before, looks);
    }
    assert_true(looks > 0);
    assert_false(device.broken);
    assert_int_equal(errors, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_go_on_behind_a_reset),         TEST(last_pair_begins_anew),
        TEST(resets_without_end_have_one),         TEST(device_that_does_not_come_back_stays_off),
        TEST(device_that_is_gone_is_silenced),     TEST(device_that_waits_is_left_alone),
        TEST(device_that_was_reset_is_begun_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
