// The virtio network driver with several pairs of queues, and the queues of <baremetal/netdev.h> as such.
// SPDX-License-Identifier: MIT
// @sources drivers/net/virtio_net.c drivers/net/virtio_net_queue.c drivers/net/virtio_net_multiqueue.c
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

enum { PAIRS = 4 };

static struct bm_virtio_device device;
static unsigned received[PAIRS], sent[PAIRS], link_changes[PAIRS];

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_ptr_equal(queue->stack_state, &received[queue->number]);
    while (batch) {
        struct bm_packet *next = batch->next;
        assert_ptr_equal(batch->pool, queue->pool);
        received[queue->number]++;
        bm_packet_free(batch);
        batch = next;
    }
}

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    assert_non_null(cookie);
    sent[queue->number]++;
}

static void link_changed(struct bm_netqueue *queue)
{
    link_changes[queue->number]++;
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
    config[8] = pairs = cores = PAIRS;
    memset(received, 0, sizeof received);
    memset(sent, 0, sizeof sent);
    memset(link_changes, 0, sizeof link_changes);
    return frames ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(frames);
    return 0;
}

static struct bm_netdev *attach(uint64_t features)
{
    machine_reset();
    offered = features | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX;
    device = (struct bm_virtio_device){.transport = &transport};
    assert_int_equal(bm_driver_virtio_net.attach(&device.device), 0);
    return bm_netdev_first();
}

static struct bm_netdev *start(unsigned wanted)
{
    struct bm_netdev *netdev = attach(F_MQ | F_CTRL_VQ | F_STATUS);
    unsigned count = wanted < PAIRS ? wanted : PAIRS;
    assert_int_equal(bm_netdev_start(netdev, wanted), count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(bm_netqueue_take(bm_netdev_queue(netdev, i), &stack, &received[i]), 0);
    return netdev;
}

static bool poll(struct bm_netqueue *queue)
{
    return queue->poller.poll(queue->poller.arg);
}

static void as_many_as_wanted_offered_and_cores(void **state)
{
    (void)state;
    assert_int_equal(attach(F_MQ | F_CTRL_VQ)->queue_max, PAIRS);
    assert_int_equal(accepted & (F_MQ | F_CTRL_VQ), F_MQ | F_CTRL_VQ);
    assert_int_equal(attach(F_MQ)->queue_max, 1); // nothing to say it by
    assert_int_equal(accepted & F_MQ, 0);
    assert_int_equal(attach(F_CTRL_VQ)->queue_max, 1);
    assert_int_equal(accepted & F_CTRL_VQ, 0);
    assert_int_equal(start(3)->queue_count, 3);
    assert_int_equal(command.count, 1);
    assert_int_equal(command.kind[0], 4);
    assert_int_equal(command.kind[1], 0);
    assert_int_equal(command.pairs, 3);
    assert_int_equal(start(100)->queue_count, PAIRS);
    assert_int_equal(start(1)->queue_count, 1);
    assert_int_equal(command.count, 0); // one is what the device uses by itself
    cores = 2;
    assert_int_equal(bm_netdev_start(attach(F_MQ | F_CTRL_VQ), 4), 2);
    config[8] = 0; // says none
    assert_int_equal(attach(F_MQ | F_CTRL_VQ)->queue_max, 1);
    config[9] = 0xff; // more than there can be
    assert_int_equal(attach(F_MQ | F_CTRL_VQ)->queue_max, 1);
}

static void each_queue_has_its_own(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct bm_netqueue *queue = bm_netdev_queue(netdev, i);
        assert_int_equal(queue->number, i);
        for (unsigned k = 0; k <= i; k++)
            device_receives_at(2 * i, 60 + i, 0x10, 0);
        for (unsigned k = 0; k < PAIRS; k++)
            assert_int_equal(poll(bm_netdev_queue(netdev, k)), k == i);
        for (unsigned k = 0; k < i; k++)
            assert_true(bm_netdev_queue(netdev, k)->pool != queue->pool);
        assert_int_equal(received[i], i + 1);
        assert_int_equal(queue->received, i + 1);
        assert_int_equal(queue->received_bytes, (i + 1) * (60 + i));
    }
    assert_null(bm_netdev_queue(netdev, PAIRS));
    assert_int_equal(bm_netdev_statistics_get(netdev).received, 1 + 2 + 3 + 4);
}

static void frames_go_out_by_the_queue_that_was_asked(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(PAIRS);
    unsigned char *memory = (unsigned char *)bm_frame_allocate(0) + 64;
    const struct bm_netdev_segment segment = {memory, 60};
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = memory};
    struct bm_netqueue *queue = bm_netdev_queue(netdev, 2);
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    queue->ops->flush(queue);
    for (unsigned i = 0; i < PAIRS; i++)
        assert_int_equal(device_waiting(2 * i + 1), i == 2);
    device_return(5, device_take(5), 0);
    assert_true(poll(queue));
    assert_int_equal(sent[2], 1);
    assert_int_equal(queue->transmitted, 1);
    assert_int_equal(queue->transmit_completed, 1);
    assert_int_equal(bm_netdev_queue(netdev, 0)->transmitted, 0);
}

static void queues_are_bound_to_cores(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(PAIRS);
    struct bm_netqueue *queue = bm_netdev_queue(netdev, 1);
    assert_int_equal(bm_netqueue_bind(queue, 3), 0);
    assert_ptr_equal(bound, &queue->poller);
    assert_int_equal(bound_core, 3);
    const unsigned one[1 + 2 * PAIRS] = {[1 + 2] = 3, [1 + 3] = 3};
    assert_memory_equal(aimed, one, sizeof one);
    assert_int_equal(bm_netqueue_bind(queue, 2), 0); // and again
    assert_int_equal(aimed[1 + 2], 2);
    assert_int_equal(bm_netqueue_bind(bm_netdev_queue(netdev, 0), 1), 0);
    assert_int_equal(aimed[0], 1); // the link, too
    bound = NULL;
    assert_int_equal(bm_netqueue_bind(queue, PAIRS), -BM_EINVAL); // no such core
    device.interrupts = 3;                                        // shared
    assert_int_equal(bm_netqueue_bind(queue, 1), -BM_ENODEV);
    assert_null(bound);
    assert_int_equal(aimed[1 + 2], 2);
}

static void link_is_the_first_queues_business(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(PAIRS);
    config[6] = 0;
    atomic_store(&device.config_changed, true);
    struct bm_netqueue *other = bm_netdev_queue(netdev, 1);
    assert_false(other->poller.arm(other->poller.arg)); // may halt
    poll(other);
    assert_true(netdev->link_up);
    assert_true(netdev->queues->poller.arm(netdev->queues->poller.arg));
    poll(netdev->queues);
    assert_false(netdev->link_up);
    for (unsigned i = 0; i < PAIRS; i++)
        assert_int_equal(link_changes[i], 1); // each stack hears of it
}

static void devices_that_refuse_are_given_up(void **state)
{
    (void)state;
    struct bm_netdev *netdev = attach(F_MQ | F_CTRL_VQ);
    command.answer = 1;
    assert_int_equal(bm_netdev_start(netdev, PAIRS), -BM_EIO);
    assert_int_equal(errors, 1);
    assert_int_equal(netdev->queue_count, 0);
    assert_int_equal(bm_netdev_start(netdev, 1), -BM_EIO); // it is off
    netdev = attach(F_MQ | F_CTRL_VQ);
    command.silent = true; // for ever
    assert_int_equal(bm_netdev_start(netdev, PAIRS), -BM_EIO);
    assert_int_equal(errors, 1);
}

static void broken_device_is_broken_for_all(void **state)
{
    (void)state;
    struct bm_netdev *netdev = start(2);
    struct bm_netqueue *second = bm_netdev_queue(netdev, 1);
    device_return(0, 999, 60);
    poll(netdev->queues);
    assert_int_equal(errors, 1);
    assert_true(netdev->link_up);
    assert_true(poll(second)); // its buffers come back
    assert_false(poll(second));
    assert_true(poll(netdev->queues));
    assert_false(netdev->link_up);
    assert_int_equal(link_changes[1], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(as_many_as_wanted_offered_and_cores),       TEST(each_queue_has_its_own),
        TEST(frames_go_out_by_the_queue_that_was_asked), TEST(queues_are_bound_to_cores),
        TEST(link_is_the_first_queues_business),         TEST(devices_that_refuse_are_given_up),
        TEST(broken_device_is_broken_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
