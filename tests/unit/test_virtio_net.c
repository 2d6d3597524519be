// The virtio network driver between an invented device and an invented stack.
// SPDX-License-Identifier: MIT
// @sources drivers/net/virtio_net.c drivers/net/virtio_net_queue.c drivers/net/virtio_net_short.c
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
static bool legacy; // of the next one

// --- The stack ---

static struct bm_packet *kept; // last first
static unsigned input_frames, input_batches, sent, link_changes;
static uintptr_t sent_sum;

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

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    assert_non_null(queue);
    sent++;
    sent_sum += (uintptr_t)cookie;
}

static void link_changed(struct bm_netqueue *queue)
{
    assert_non_null(queue);
    link_changes++;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

static void free_kept(unsigned count)
{
    while (count--) {
        struct bm_packet *packet = kept;
        assert_non_null(packet);
        kept = packet->next;
        bm_packet_free(packet);
    }
}

// --- Set-up ---

extern const struct bm_driver bm_driver_virtio_net;
static struct virtio_net_pair *pair;

static struct bm_netqueue *start(uint64_t features)
{
    machine_reset();
    input_frames = input_batches = sent = link_changes = 0;
    sent_sum = 0;
    kept = NULL;
    offered = features | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX;
    device = (struct bm_virtio_device){.transport = &transport, .legacy = legacy};
    assert_int_equal(bm_driver_virtio_net.attach(&device.device), 0);
    struct bm_netdev *netdev = bm_netdev_first();
    assert_ptr_equal(netdev, device.device.state);
    assert_int_equal(status & 4, 0); // not live before a stack wants it
    assert_int_equal(bm_netdev_start(netdev, 1), 1);
    assert_int_equal(status & 4, 4);
    assert_int_equal(bm_netqueue_take(netdev->queues, &stack, NULL), 0);
    pair = (struct virtio_net_pair *)netdev->queues;
    return netdev->queues;
}

static int set_up(void **state)
{
    (void)state;
    frames = aligned_alloc(BM_PAGE_SIZE * 256, FRAMES * BM_PAGE_SIZE);
    memory_total = 64 << 20;
    const uint8_t plain[12] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, 1, 0, 0x78, 5};
    memcpy(config, plain, sizeof config);
    return frames ? 0 : -1;
}

// --- Tests ---

static void what_the_device_says_is_taken_or_replaced(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(F_MAC | F_STATUS | F_MTU | F_HOST_TSO4 | 1ull << 15 | 1ull << 22);
    const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    assert_memory_equal(queue->device->mac, mac, 6);
    assert_int_equal(queue->device->mtu, 1400);
    assert_true(queue->device->link_up);
    assert_int_equal(queue->device->capabilities, 0); // segmentation without checksums is not taken
    assert_int_equal(accepted, F_MAC | F_STATUS | F_MTU | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX);
    config[0] = 0xff; // a group address
    config[6] = 0;    // link down
    config[10] = 64;  // an MTU that no IP has
    config[11] = 0;
    queue = start(F_MAC | F_STATUS | F_MTU | F_CSUM | F_GUEST_CSUM | F_HOST_TSO4 | F_HOST_TSO6);
    assert_int_equal(queue->device->mac[0] & 3, 2); // local, one station
    assert_int_equal(queue->device->mtu, 1500);
    assert_false(queue->device->link_up);
    assert_int_equal(queue->device->capabilities,
                     BM_NETDEV_CHECKSUM_TX | BM_NETDEV_CHECKSUM_RX | BM_NETDEV_TSO4 | BM_NETDEV_TSO6);
    assert_int_equal(accepted & (F_MTU | F_MAC), 0);
    config[10] = 9000 & 255; // jumbo frames: in several buffers, or not at all
    config[11] = 9000 >> 8;
    assert_int_equal(start(F_MTU)->device->mtu, 1500);
    assert_int_equal(accepted & F_MTU, 0);
    assert_int_equal(start(F_MTU | 1ull << 15)->device->mtu, 9000);
    assert_int_equal(accepted & (F_MTU | 1ull << 15), F_MTU | 1ull << 15);
}

static void frames_are_received_in_place(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(F_GUEST_CSUM);
    unsigned posted = device_waiting(0);
    assert_int_equal(posted, RECEIVE_MAX);
    assert_true(notified[0] > 0);
    device_receives(60, 0x11, 0);
    device_receives(1514, 0x22, NET_DATA_VALID);
    device_receives(100, 0x33, NET_NEEDS_CHECKSUM);
    assert_true(poller->poll(poller->arg));
    assert_int_equal(input_batches, 1);
    assert_int_equal(input_frames, 3);
    assert_int_equal(queue->received_bytes, 60 + 1514 + 100);
    const unsigned lengths[3] = {100, 1514, 60}, fills[3] = {0x33, 0x22, 0x11}, good[3] = {1, 1, 0};
    const struct bm_packet *packet = kept;
    for (unsigned i = 0; i < 3; i++, packet = packet->next) {
        assert_int_equal(packet->length, lengths[i]);
        assert_int_equal(packet->data[0], fills[i]);
        assert_int_equal(packet->data[packet->length - 1], fills[i]);
        assert_int_equal(packet->flags & BM_PACKET_CHECKSUM_GOOD ? 1 : 0, good[i]);
        assert_int_equal((uintptr_t)(packet->data + 14) % 4, 0); // the IP header
    }
    assert_int_equal(device_waiting(0), posted); // filled up again
    assert_false(poller->poll(poller->arg));
}

static void frames_that_are_none_are_dropped(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(0);
    device_return(0, device_take(0), 0);
    device_return(0, device_take(0), 11);
    device_return(0, device_take(0), 12 + 13);
    device_receives(14, 0x44, NET_DATA_VALID); // the smallest one; the flag was not negotiated
    assert_true(poller->poll(poller->arg));
    assert_int_equal(queue->receive_dropped, 3);
    assert_int_equal(input_frames, 1);
    assert_int_equal(kept->flags, 0);
    queue->stack = NULL; // nobody there
    device_receives(60, 0x55, 0);
    assert_true(poller->poll(poller->arg));
    assert_int_equal(queue->receive_dropped, 4);
    assert_int_equal(device_waiting(0), RECEIVE_MAX);
}

static void empty_pool_recovers_and_wakes(void **state)
{
    (void)state;
    memory_total = 1 << 20; // the least: 32 buffers in the queue, 64 in all
    start(0);
    assert_int_equal(device_waiting(0), 32);
    unsigned total = 0;
    while (device_waiting(0)) {
        device_receives(60, 0x66, 0);
        total++;
        poller->poll(poller->arg);
    }
    assert_int_equal(total, 64); // the stack keeps all
    assert_false(poller->poll(poller->arg));
    assert_int_equal(wakes, 0);
    unsigned before = notified[0];
    free_kept(1);
    assert_int_equal(wakes, 1); // the core that found the pool empty looks again
    free_kept(1);
    assert_int_equal(wakes, 1);
    poller->poll(poller->arg);
    assert_int_equal(device_waiting(0), 2);
    *(uint16_t *)&queues[0]->used->ring[queues[0]->size] =
        (uint16_t)(seen[0] + 2); // tell me when the next comes
    free_kept(62);
    assert_int_equal(wakes, 2);
    poller->poll(poller->arg);
    assert_int_equal(device_waiting(0), 32);
    assert_true(notified[0] > before);
}

// Frames to send lie in a frame of the frame allocator, behind what is the driver's; whoever writes further
// in front is found out.
static unsigned char *sendable(size_t length, uint8_t fill)
{
    unsigned char *memory = bm_frame_allocate(1);
    memset(memory, 0x99, BM_PAGE_SIZE);
    memset(memory + 100, fill, length);
    return memory + 100;
}

static void front_is_kept(const unsigned char *memory)
{
    for (int i = -100; i < -BM_NETDEV_HEADROOM; i++)
        assert_int_equal(memory[i], 0x99);
}

static void frames_are_gathered(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(0);
    unsigned char *memory = sendable(8000, 0), received[2048];
    memset(memory, 0xaa, 54);
    memset(memory + 3900, 0xbb, 1000); // over a page's end
    const struct bm_netdev_segment segments[] = {{memory, 54}, {memory, 0}, {memory + 3900, 1000}};
    const struct bm_netdev_frame frame = {.segments = segments, .segment_count = 3, .cookie = (void *)77};
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    assert_int_equal(device_waiting(1), 0); // nothing before the doorbell
    queue->ops->flush(queue);
    assert_int_equal(notified[1], 1);
    uint16_t id;
    assert_int_equal(device_sends(received, &id), 12 + 1054);
    for (unsigned i = 0; i < 12 + 1054; i++)
        assert_int_equal(received[i], i < 12 ? 0 : i < 66 ? 0xaa : 0xbb);
    front_is_kept(memory);
    assert_int_equal(queues[1]->descriptors[id].length, 12 + 54); // header and first segment lie together
    assert_int_equal(pair->transmit.free_count, 256 - 2);         // so do physically adjacent pages
    assert_false(poller->poll(poller->arg));
    device_return(1, id, 0);
    assert_true(poller->poll(poller->arg));
    assert_int_equal(sent, 1);
    assert_int_equal(sent_sum, 77);
    assert_int_equal(queue->transmitted_bytes, 1054);
}

// The next frame that the device gets; its header.
static struct virtio_net_header header_sent(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    static unsigned char received[4096];
    struct virtio_net_header header;
    uint16_t id;
    assert_int_equal(queue->ops->send(queue, frame), 0);
    queue->ops->flush(queue);
    assert_int_equal(device_sends(received, &id), 12 + 3900);
    for (unsigned i = 12; i < 12 + 3900; i++)
        assert_int_equal(received[i], 0xcc);
    memcpy(&header, received, sizeof header);
    return header;
}

static void offload_goes_into_the_header(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(F_CSUM | F_HOST_TSO4);
    unsigned char *memory = sendable(3900, 0xcc);
    const struct bm_netdev_segment segment = {memory, 3900};
    struct bm_netdev_frame frame = {.segments = &segment,
                                    .segment_count = 1,
                                    .cookie = memory,
                                    .checksum_start = 34,
                                    .checksum_offset = 16,
                                    .gso_size = 1460,
                                    .gso_type = BM_NETDEV_GSO_TCP4,
                                    .header_length = 54};
    struct virtio_net_header header = header_sent(queue, &frame);
    assert_true(header.flags == NET_NEEDS_CHECKSUM && header.checksum_start == 34 &&
                header.checksum_offset == 16);
    assert_true(header.gso_type == GSO_TCP4 && header.gso_size == 1460 && header.header_length == 54);
    frame.gso_type = BM_NETDEV_GSO_NONE;
    header = header_sent(queue, &frame);
    assert_true(header.flags == NET_NEEDS_CHECKSUM && header.checksum_start == 34 && header.gso_type == 0);
    assert_int_equal(header.gso_size, 0);
    frame.checksum_start = 0;
    header = header_sent(queue, &frame);
    assert_true(header.flags == 0 && header.checksum_start == 0 && header.gso_type == 0);
    frame.checksum_start = 34;
    frame.gso_type = BM_NETDEV_GSO_TCP6; // not negotiated
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    assert_int_equal(queue->transmit_errors, 1);
}

static void memory_that_is_none_is_refused(void **state)
{
    (void)state;
    static char elsewhere[BM_NETDEV_HEADROOM + 100];
    struct bm_netqueue *queue = start(0);
    struct bm_netdev_segment segment = {elsewhere + BM_NETDEV_HEADROOM, 100};
    struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = &segment};
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    segment.length = 0; // nothing to send
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    segment = (struct bm_netdev_segment){sendable(64, 0), 64};
    frame.cookie = NULL; // could not come back
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    queue->ops->flush(queue);
    assert_int_equal(device_waiting(1), 0);
    assert_int_equal(pair->transmit.free_count, 256);
}

static void full_queue_asks_for_an_interrupt(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(0);
    unsigned char *memory = sendable(64, 0xdd), received[128];
    const struct bm_netdev_segment segment = {memory, 64};
    struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = memory};
    uint16_t *event = &queues[1]->available->ring[256], id;
    assert_false(poller->arm(poller->arg));
    assert_int_equal(*event, 0xffff); // no interrupts for a queue with room
    unsigned count = 0;
    int error;
    while ((error = queue->ops->send(queue, &frame)) == 0)
        count++;
    assert_int_equal(error, -BM_EAGAIN);
    assert_int_equal(count, 256); // a descriptor each
    queue->ops->flush(queue);
    assert_int_equal(notified[1], 1);
    assert_false(poller->arm(poller->arg));
    assert_int_equal(*event, 127); // when half of them are sent
    for (unsigned i = 0; i < 128; i++) {
        device_sends(received, &id);
        device_return(1, id, 0);
    }
    assert_true(poller->arm(poller->arg)); // and they are
    while (poller->poll(poller->arg))
        ;
    assert_int_equal(sent, 128);
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    assert_int_equal(queue->transmitted, 257);
}

static void link_follows_the_configuration(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(F_STATUS);
    assert_true(queue->device->link_up);
    config[6] = 0;
    poller->poll(poller->arg); // nobody said so yet
    assert_true(queue->device->link_up);
    atomic_store(&device.config_changed, true); // the interrupt
    assert_true(poller->arm(poller->arg));
    poller->poll(poller->arg);
    assert_false(queue->device->link_up);
    assert_int_equal(link_changes, 1);
    poller->poll(poller->arg);
    assert_int_equal(link_changes, 1);
}

static void device_without_interrupts_is_polled(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(F_STATUS);
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
    no_interrupts = true;
    queue = start(F_STATUS);
    no_interrupts = false;
    assert_int_not_equal(poller->deadline(poller->arg), UINT64_MAX);
    config[6] = 0;
    poller->poll(poller->arg);
    assert_false(queue->device->link_up);
    assert_false(poller->arm(poller->arg)); // the core may halt until the deadline
}

static void broken_device_gives_everything_back(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(0);
    unsigned char *memory = sendable(64, 0xdd);
    const struct bm_netdev_segment segment = {memory, 64};
    struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1};
    for (uintptr_t i = 1; i <= 10; i++) {
        frame.cookie = (void *)i;
        assert_int_equal(queue->ops->send(queue, &frame), 0);
    }
    queue->ops->flush(queue);
    device_return(0, 9999, 60); // a lie
    poller->poll(poller->arg);
    assert_true(device.broken);
    assert_int_equal(errors, 1);
    assert_int_equal(input_frames, 0);
    poller->poll(poller->arg);
    assert_int_equal(sent, 10);
    assert_int_equal(sent_sum, 55);
    assert_false(queue->device->link_up);
    assert_int_equal(link_changes, 1);
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    queue->ops->flush(queue);
    assert_false(poller->poll(poller->arg));
    assert_false(poller->arm(poller->arg));
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
    assert_int_equal(errors, 1);
    assert_int_equal(link_changes, 1);
}

// An old device without MRG_RXBUF: the header has 10 bytes and a descriptor of its own (section 5.1.6.6).
static void short_header_lies_apart(void **state)
{
    (void)state;
    legacy = true;
    struct bm_netqueue *queue = start(F_CSUM | F_GUEST_CSUM);
    legacy = false;
    assert_int_equal(device_waiting(0), RECEIVE_MAX / 2);
    const uint16_t id = device_take(0);
    const struct bm_virtqueue_descriptor *head = &queues[0]->descriptors[id],
                                         *body = &queues[0]->descriptors[head->next];
    assert_int_equal(head->length, 10);
    assert_int_equal(head->flags, BM_VIRTQUEUE_NEXT | BM_VIRTQUEUE_WRITE);
    assert_int_equal(body->flags, BM_VIRTQUEUE_WRITE);
    memset(frames + (head->address - BASE), 0, 10);
    frames[head->address - BASE] = NET_DATA_VALID;
    memset(frames + (body->address - BASE), 0x44, 1514);
    device_return(0, id, 10 + 1514);
    device_return(0, device_take(0), 10 + 13); // no frame
    device_return(0, device_take(0), 9);       // not even a header
    assert_true(poller->poll(poller->arg));
    assert_int_equal(input_frames, 1);
    assert_int_equal(queue->receive_dropped, 2);
    assert_int_equal(kept->length, 1514);
    assert_int_equal(kept->data[0], 0x44);
    assert_int_equal(kept->data[1513], 0x44);
    assert_int_equal((uintptr_t)(kept->data + 14) % 4, 0);
    assert_int_equal(kept->flags, BM_PACKET_CHECKSUM_GOOD);
    assert_int_equal(device_waiting(0), RECEIVE_MAX / 2); // filled up again
    unsigned char *memory = sendable(100, 0x55), received[128];
    const struct bm_netdev_segment segment = {memory, 100};
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = memory};
    uint16_t sent_id;
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    queue->ops->flush(queue);
    assert_int_equal(device_sends(received, &sent_id), 10 + 100);
    for (unsigned i = 0; i < 110; i++)
        assert_int_equal(received[i], i < 10 ? 0 : 0x55);
    assert_int_equal(queues[1]->descriptors[sent_id].length, 10);
    device_return(0, device_take(0), 10 + FRAME_MAX + 1); // more than it was given
    poller->poll(poller->arg);
    assert_true(device.broken);
}

static int tear_down(void **state)
{
    (void)state;
    free(frames);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_device_says_is_taken_or_replaced),
        TEST(frames_are_received_in_place),
        TEST(frames_that_are_none_are_dropped),
        TEST(empty_pool_recovers_and_wakes),
        TEST(frames_are_gathered),
        TEST(offload_goes_into_the_header),
        TEST(memory_that_is_none_is_refused),
        TEST(full_queue_asks_for_an_interrupt),
        TEST(link_follows_the_configuration),
        TEST(device_without_interrupts_is_polled),
        TEST(broken_device_gives_everything_back),
        TEST(short_header_lies_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
