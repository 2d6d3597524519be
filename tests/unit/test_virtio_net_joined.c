// The virtio network driver receives joined segments: frames in several buffers.
// SPDX-License-Identifier: MIT
// @sources drivers/net/virtio_net.c drivers/net/virtio_net_queue.c
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

static struct bm_virtio_device device;

// --- The stack ---

static struct bm_packet *kept; // last first
static unsigned input_frames, input_batches;

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_non_null(queue);
    input_batches++;
    while (batch) {
        struct bm_packet *next = batch->next;
        input_frames++;
        batch->next = kept;
        kept = batch;
        batch = next;
    }
}

static void link_changed(struct bm_netqueue *queue)
{
    assert_false(queue->device->link_up); // of a device that was given up
}

static const struct bm_netdev_stack stack = {.input = input, .link_changed = link_changed};

extern const struct bm_driver bm_driver_virtio_net;

static struct bm_netqueue *start(uint64_t features)
{
    machine_reset();
    input_frames = input_batches = 0;
    kept = NULL;
    offered = features | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX;
    device = (struct bm_virtio_device){.transport = &transport};
    assert_int_equal(bm_driver_virtio_net.attach(&device.device), 0);
    struct bm_netdev *netdev = bm_netdev_first();
    assert_int_equal(bm_netdev_start(netdev, 1), 1);
    assert_int_equal(bm_netqueue_take(netdev->queues, &stack, NULL), 0);
    return netdev->queues;
}

static int set_up(void **state)
{
    (void)state;
    frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 64 << 20;
    return frames ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(frames);
    return 0;
}

enum { JOINED = F_GUEST_CSUM | F_MRG_RXBUF | F_GUEST_TSO4 | F_GUEST_TSO6 };

static void joined_segments_need_a_queue_that_holds_them(void **state)
{
    (void)state;
    start(JOINED);
    assert_int_equal(accepted & JOINED, JOINED);
    start(JOINED & ~F_GUEST_TSO6);
    assert_int_equal(accepted & JOINED, JOINED & ~F_GUEST_TSO6);
    start(JOINED & ~F_GUEST_CSUM);
    assert_int_equal(accepted & JOINED, 0);
    start(JOINED & ~F_MRG_RXBUF);
    assert_int_equal(accepted & JOINED, F_GUEST_CSUM);
    queue_size = 32;
    start(JOINED);
    queue_size = 256;
    assert_int_equal(accepted & JOINED, F_GUEST_CSUM);
    memory_total = 4 << 20;
    start(JOINED);
    assert_int_equal(accepted & JOINED, F_GUEST_CSUM);
    memory_total = 8 << 20;
    start(JOINED);
    assert_int_equal(accepted & JOINED, JOINED);
    assert_true(device_waiting(0) * (BM_PACKET_SIZE - HEADER_OFFSET) > 65535 + 14 + 12);
}

static void small_queues_get_no_frames_of_many_pieces(void **state)
{
    (void)state;
    const uint32_t both = BM_NETDEV_TSO4 | BM_NETDEV_TSO6;
    for (unsigned size = 32; size <= 256; size *= 2) {
        queue_size = size;
        struct bm_netqueue *queue = start(F_CSUM | F_HOST_TSO4 | F_HOST_TSO6);
        assert_int_equal(queue->device->capabilities & both, size >= 2 * BM_NETDEV_SEGMENTS_MAX ? both : 0);
        assert_true(queue->device->capabilities & BM_NETDEV_CHECKSUM_TX);
    }
    queue_size = 256;
}

// No buffer is with the device twice.
static void assert_waiting_buffers_differ(void)
{
    uint64_t addresses[RECEIVE_MAX];
    for (unsigned i = 0; i < device_waiting(0); i++) {
        uint16_t id = queues[0]->available->ring[(seen[0] + i) % queues[0]->size];
        addresses[i] = queues[0]->descriptors[id].address;
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(addresses[i], addresses[j]);
    }
}

static void joined_segments_come_in_several_packets(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(JOINED);
    device_receives(60, 0x11, 0);
    device_receives_part(1900, 0x22, true, GSO_TCP4, 3);
    device_receives_part(1930, 0x33, false, 0, 0);
    device_receives_part(7, 0x44, false, 0, 0);
    device_receives_part(1000, 0x55, true, GSO_TCP6, 1); // in one buffer: nothing special
    assert_true(poller->poll(poller->arg));
    assert_int_equal(input_batches, 1);
    assert_int_equal(input_frames, 5);
    assert_int_equal(queue->received, 3);
    assert_int_equal(queue->received_bytes, 60 + 1900 + 1930 + 7 + 1000);
    const unsigned lengths[] = {1000, 7, 1930, 1900, 60}, fills[] = {0x55, 0x44, 0x33, 0x22, 0x11};
    const unsigned joined = BM_PACKET_CHECKSUM_GOOD | BM_PACKET_JOINED;
    const unsigned flags[] = {joined, 0, BM_PACKET_MORE, joined | BM_PACKET_MORE, 0};
    const struct bm_packet *packet = kept;
    for (unsigned i = 0; i < 5; i++, packet = packet->next) {
        assert_int_equal(packet->length, lengths[i]);
        assert_int_equal(packet->data[0], fills[i]);
        assert_int_equal(packet->data[packet->length - 1], fills[i]);
        assert_int_equal(packet->flags, flags[i]);
        if (packet->flags & BM_PACKET_JOINED)
            assert_int_equal(packet->segment_size, 1460);
    }
    assert_int_equal(device_waiting(0), RECEIVE_MAX);
    queue->stack = NULL; // nobody there
    device_receives_part(1900, 0x22, true, GSO_TCP4, 2);
    device_receives_part(1930, 0x33, false, 0, 0);
    assert_true(poller->poll(poller->arg));
    assert_int_equal(queue->receive_dropped, 1);
    assert_int_equal(device_waiting(0), RECEIVE_MAX); // both are back
    assert_int_equal(errors, 0);
    assert_waiting_buffers_differ();
}

// A frame that the device must not return: it is switched off, and nothing of it reaches the stack.
static void refuse(uint64_t features, uint8_t type, uint16_t count, unsigned parts, unsigned last)
{
    start(features);
    device_receives_part(1900, 0x22, true, type, count);
    for (unsigned i = 1; i < parts; i++)
        device_receives_part(i + 1 < parts ? 1930 : last, 0x33, false, 0, 0);
    poller->poll(poller->arg);
    assert_true(device.broken);
    assert_int_equal(errors, 1);
    assert_int_equal(input_frames, 0);
}

// The stack gets nothing, and each buffer is in the pool again: as many as the queue has, without new memory.
static void nothing_is_left(void)
{
    const unsigned char *before = bm_frame_allocate(0);
    poller->poll(poller->arg);
    assert_true(device.broken);
    assert_int_equal(input_frames, 0);
    while (poller->poll(poller->arg))
        ;
    struct virtio_net_pair *pair = poller->arg;
    unsigned count = 0, size = pair->receive.size;
    for (struct bm_packet *packet = bm_packet_allocate(pair->queue.pool, size); packet; packet = packet->next)
        count++;
    assert_int_equal(count, size);
    assert_ptr_equal(bm_frame_allocate(0), before + BM_PAGE_SIZE);
}

static void frames_behind_a_wrong_one_are_dropped(void **state)
{
    (void)state;
    start(JOINED);
    device_receives_part(1900, 0x22, true, 3, 1); // a kind that was not agreed on
    device_receives(60, 0x44, 0);
    nothing_is_left();
    start(JOINED);
    device_receives_part(1900, 0x22, true, GSO_TCP4, 4);
    device_receives_part(0, 0x33, false, 0, 0); // a part without bytes
    device_receives(60, 0x44, 0);
    device_receives(60, 0x55, 0);
    nothing_is_left();
}

static void parts_of_frames_end_the_device(void **state)
{
    (void)state;
    refuse(JOINED, GSO_TCP4, 0, 1, 0);
    refuse(JOINED, GSO_NONE, 2, 1, 0);
    refuse(JOINED, GSO_TCP4, 4, 3, 100);
    refuse(JOINED, GSO_TCP4, 3, 3, 0);
    refuse(JOINED, GSO_TCP4, 0xffff, 100, 100);
    refuse(JOINED, 3, 1, 1, 0);               // UDP
    refuse(JOINED, GSO_TCP4 | 0x80, 1, 1, 0); // with ECN
    refuse(JOINED & ~F_GUEST_TSO6, GSO_TCP6, 1, 1, 0);
    refuse(0, GSO_TCP4, 1, 1, 0);
    start(F_GUEST_CSUM); // without the feature, the number of buffers says nothing
    device_receives_part(1900, 0x22, true, GSO_NONE, 77);
    poller->poll(poller->arg);
    assert_false(device.broken);
    assert_int_equal(input_frames, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(joined_segments_need_a_queue_that_holds_them),
        TEST(joined_segments_come_in_several_packets),
        TEST(small_queues_get_no_frames_of_many_pieces),
        TEST(frames_behind_a_wrong_one_are_dropped),
        TEST(parts_of_frames_end_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
