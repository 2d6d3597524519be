// The driver of vmxnet3 between an invented device, which lies, and an invented stack.
// SPDX-License-Identifier: MIT
// @sources drivers/net/vmxnet3/vmxnet3.c drivers/net/vmxnet3/vmxnet3_receive.c
// @sources drivers/net/vmxnet3/vmxnet3_send.c drivers/net/vmxnet3/vmxnet3_poll.c
// @sources libbaremetal/device/packet.c tests/unit/vmxnet3/card.c tests/unit/virtio_net/machine.c
// @sources libbaremetal/device/netdev_mtu.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
#include "vmxnet3/card.h"

#include "virtio_net/machine.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct bm_driver bm_driver_vmxnet3;

enum { GOOD = RECEIVED_START | RECEIVED_END, SUMMED = RECEIVED_TCP | RECEIVED_SUM_GOOD };

// --- The stack ---

static unsigned input_frames, input_bytes, sent, links;
static uint16_t last_flags;

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_non_null(queue);
    while (batch) {
        struct bm_packet *next = batch->next;
        input_frames += !(batch->flags & BM_PACKET_MORE);
        input_bytes += batch->length;
        last_flags = batch->flags;
        assert_int_equal((uintptr_t)(batch->data + 14) % 4, 0);
        assert_int_equal(batch->data[batch->length - 1], 0x5a);
        bm_packet_free(batch);
        batch = next;
    }
}

static void on_sent(struct bm_netqueue *queue, void *cookie)
{
    assert_true(queue && cookie);
    sent++;
}

static void link_changed(struct bm_netqueue *queue)
{
    assert_non_null(queue);
    links++;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

// --- Set-up ---

static struct vmxnet3 *self;

static void prepare(void)
{
    machine_reset();
    card_reset();
    input_frames = input_bytes = sent = links = 0;
}

static struct bm_netqueue *start_prepared(void)
{
    assert_int_equal(bm_driver_vmxnet3.attach(&card_pci.device), 0);
    self = card_pci.device.state;
    assert_int_equal(card.starts, 0); // at rest
    assert_int_equal(bm_netdev_start(&self->netdev, 1), 1);
    assert_int_equal(bm_netqueue_take(&self->queue, &stack, NULL), 0);
    return &self->queue;
}

static struct bm_netqueue *start(void)
{
    prepare();
    return start_prepared();
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

static bool poll_once(void)
{
    return poller->poll(poller->arg);
}

static int send(struct bm_netqueue *queue, unsigned char *memory, uint32_t length, uint16_t checksum)
{
    const struct bm_netdev_segment segment = {memory, length};
    const struct bm_netdev_frame frame = {.segments = &segment,
                                          .segment_count = 1,
                                          .checksum_start = checksum,
                                          .checksum_offset = checksum ? 16 : 0,
                                          .cookie = memory};
    return queue->ops->send(queue, &frame);
}

static unsigned char *memory_new(void)
{
    unsigned char *memory = bm_frame_allocate(5);
    for (unsigned i = 0; i < BM_PAGE_SIZE << 5; i++)
        memory[i] = (unsigned char)(i ^ i >> 8);
    return memory;
}

// --- Tests ---

static void devices_that_do_not_start(void **state)
{
    (void)state;
    prepare();
    card.revisions = 2; // none that is known
    assert_int_equal(bm_driver_vmxnet3.attach(&card_pci.device), -BM_EIO);
    assert_true(card.disabled && !bm_netdev_first() && errors == 1);
    prepare();
    card.gone = true;
    assert_int_equal(bm_driver_vmxnet3.attach(&card_pci.device), -BM_EIO);
    assert_true(card.disabled);
    prepare();
    card.refuses = 1;
    assert_int_equal(bm_driver_vmxnet3.attach(&card_pci.device), 0);
    self = card_pci.device.state;
    assert_int_equal(bm_netdev_start(&self->netdev, 1), -BM_EIO);
    assert_true(card.disabled && self->receive.heads.given == 0 && errors == 1);
    assert_int_equal(bm_netdev_start(&self->netdev, 1), -BM_EIO);
}

static void what_comes_is_handed_over(void **state)
{
    (void)state;
    const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    struct bm_netqueue *queue = start();
    assert_memory_equal(self->netdev.mac, mac, 6);
    assert_true(self->netdev.link_up);
    assert_false(poll_once());
    card_receives(1514, GOOD, 0, SUMMED);
    assert_true(poll_once());
    assert_true(input_frames == 1 && input_bytes == 1514 && last_flags == BM_PACKET_CHECKSUM_GOOD);
    const struct {
        uint32_t word0, word3;
    } unsummed[] = {{GOOD | RECEIVED_NO_SUM, SUMMED}, // not looked at
                    {GOOD, RECEIVED_TCP},             // wrong
                    {GOOD, SUMMED | RECEIVED_FRAGMENT},
                    {GOOD, RECEIVED_SUM_GOOD}}; // neither TCP nor UDP
    for (unsigned i = 0; i < 4; i++) {
        card_receives(60, unsummed[i].word0, 0, unsummed[i].word3);
        poll_once();
        assert_true(input_frames == 2 + i && last_flags == 0);
    }
    card_receives(60, GOOD, RECEIVED_ERROR, 0);
    card_receives(60, RECEIVED_START, 0, 0); // a part
    card_receives(0, GOOD, 0, 0);
    card_receives(13, GOOD, 0, 0);   // no Ethernet header
    card_receives(1519, GOOD, 0, 0); // too long
    poll_once();
    assert_true(input_frames == 5 && queue->receive_dropped == 5 && errors == 0);
    for (unsigned i = 0; i < 2000; i++) { // round and round
        card_receives(100, GOOD, 0, SUMMED);
        assert_true(poll_once());
        assert_int_equal(input_frames, 6 + i);
    }
    assert_int_equal(errors, 0);
}

static void jumbo_frames_come(void **state)
{
    (void)state;
    static const char *const words[] = {"9000", NULL};
    prepare();
    card.mtu_words = words;
    struct bm_netqueue *queue = start_prepared();
    const unsigned rest = 9014 - 4 * FRAME_ROOM;
    assert_int_equal(self->netdev.mtu, 9000);
    assert_int_equal(self->receive.bodies.given, self->receive.bodies.count - 1);
    for (unsigned round = 0; round < 1000; round++) { // the rings turn
        card_receives(FRAME_ROOM, RECEIVED_START, 0, 0);
        for (unsigned i = 0; i < 3; i++)
            card_goes_on(FRAME_ROOM, 0, 0);
        card_goes_on(rest, RECEIVED_END, RECEIVED_TCP | RECEIVED_SUM_GOOD);
        card_receives(60, RECEIVED_START | RECEIVED_END, 0, 0);
        assert_true(poller->poll(poller->arg));
    }
    assert_true(input_frames == 2000 && input_bytes == 1000 * 9074 && !queue->receive_dropped);
    card_receives(FRAME_ROOM, RECEIVED_START, 0, 0); // its end never comes
    card_receives(60, RECEIVED_START | RECEIVED_END, 0, 0);
    poller->poll(poller->arg);
    assert_true(input_frames == 2001 && queue->receive_dropped == 1);
    card_goes_on(60, RECEIVED_END, 0); // without a beginning
    poller->poll(poller->arg);
    assert_true(input_frames == 2001 && queue->receive_dropped == 2);
    card_receives(FRAME_ROOM - 1, RECEIVED_START, 0, 0); // a hole
    card_goes_on(60, RECEIVED_END, 0);
    poller->poll(poller->arg);
    assert_true(input_frames == 2001 && queue->receive_dropped == 3);
    card_receives(FRAME_ROOM, RECEIVED_START, 0, 0);
    for (unsigned i = 0; i < 5; i++) // more than the MTU
        card_goes_on(FRAME_ROOM, i == 4 ? RECEIVED_END : 0, 0);
    poller->poll(poller->arg);
    assert_true(input_frames == 2001 && queue->receive_dropped == 4 && !self->broken);
    card_receives(FRAME_ROOM, RECEIVED_START, 0, 0);
    card_goes_on(60, 1, 0); // another buffer
    poller->poll(poller->arg);
    assert_true(self->broken);
    while (poller->poll(poller->arg))
        ;
    assert_true(!self->receive.heads.given && !self->receive.bodies.given && !self->receive.first);
    prepare();
    start_prepared();
    card_goes_on(60, RECEIVED_START | RECEIVED_END, 0); // of a ring that is empty
    poller->poll(poller->arg);
    assert_true(self->broken);
}

static void lies_about_what_comes(void **state)
{
    (void)state;
    static const struct {
        uint32_t word0, word2;
    } lies[] = {{GOOD ^ 1, 0},          // another buffer
                {GOOD | 1 << 16, 0},    // of ring 2, which has none
                {GOOD, FRAME_ROOM + 1}, // more than it holds
                {GOOD | 0x800, 0}};     // one that there is not
    for (unsigned i = 0; i < 4; i++) {
        start();
        card_receives(0, lies[i].word0, lies[i].word2, 0);
        poll_once();
        assert_true(self->broken && card.disabled && input_frames == 0 && errors == 1);
        poll_once();
        assert_int_equal(self->receive.heads.given, 0);
        assert_false(self->netdev.link_up);
        assert_false(poll_once());
        assert_false(poller->arm(poller->arg));
        assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
    }
}

static void what_goes_is_gathered(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    struct vmxnet3_descriptor first;
    unsigned count;
    unsigned char *memory = memory_new(), received[2048];
    const struct bm_netdev_segment segments[] = {{memory, 54}, {memory, 0}, {memory + 3900, 1000}};
    const struct bm_netdev_frame frame = {.segments = segments,
                                          .segment_count = 3,
                                          .checksum_start = 34,
                                          .checksum_offset = 16,
                                          .cookie = memory};
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    assert_int_equal(card.doorbells, 0);
    queue->ops->flush(queue);
    queue->ops->flush(queue);
    assert_int_equal(card.doorbells, 1);
    assert_int_equal(card.send_door, 2);
    assert_int_equal(card_sends(received, &first, &count), 1054);
    assert_int_equal(count, 2); // over a page's end, in pages that lie together
    assert_memory_equal(received, memory, 54);
    assert_memory_equal(received + 54, memory + 3900, 1000);
    assert_int_equal(first.high, SEND_SUM | 34);
    assert_int_equal(first.low >> SEND_PLACE_SHIFT, 50);
    assert_false(poll_once());
    card_sent();
    assert_true(poll_once());
    assert_true(sent == 1 && queue->transmitted_bytes == 1054);
    assert_int_equal(send(queue, memory, 1519, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 13, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 60, 1024), -BM_EINVAL); // where no field says it
    static unsigned char none[60];
    assert_int_equal(send(queue, none, 60, 0), -BM_EINVAL);
    assert_int_equal(card_sends(NULL, &first, &count), 0);
    for (unsigned i = 0; i < 1000; i++) { // round and round
        assert_int_equal(send(queue, memory, 60 + i, 34), 0);
        queue->ops->flush(queue);
        assert_int_equal(card_sends(NULL, &first, &count), 60 + i);
        card_sent();
        assert_true(poll_once());
    }
    assert_true(sent == 1001 && errors == 0);
}

static void frames_of_many_pieces_end_in_a_copy(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    struct vmxnet3_descriptor first;
    unsigned count;
    unsigned char *memory = memory_new(), received[70000], wanted[70000];
    struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX];
    struct bm_netdev_frame frame = {.segments = segments, .segment_count = 40, .cookie = memory};
    unsigned length = 0;
    for (unsigned i = 0; i < 40; i++) {
        segments[i] = (struct bm_netdev_segment){memory + 40 * i, 30};
        memcpy(wanted + length, segments[i].data, 30);
        length += 30;
    }
    for (unsigned i = 0; i < BOUNCES; i++)
        assert_int_equal(queue->ops->send(queue, &frame), 0);
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EAGAIN); // all places are under way
    for (unsigned i = 0; i < BOUNCES; i++) {
        assert_int_equal(card_sends(received, &first, &count), length);
        assert_int_equal(count, PIECES_MAX);
        assert_memory_equal(received, wanted, length);
        queue->ops->flush(queue);
        card_sent();
    }
    poll_once();
    assert_int_equal(sent, BOUNCES);
    // The largest frame that is cut up.
    length = 54;
    memory[12] = 8;
    memory[13] = 0;
    segments[0] = (struct bm_netdev_segment){memory, 54};
    for (unsigned i = 1; i < 45; i++, length += 1460)
        segments[i] = (struct bm_netdev_segment){memory + 1000 + 1480 * i, 1460};
    frame = (struct bm_netdev_frame){.segments = segments,
                                     .segment_count = 45,
                                     .checksum_start = 34,
                                     .checksum_offset = 16,
                                     .gso_size = 1460,
                                     .gso_type = BM_NETDEV_GSO_TCP4,
                                     .header_length = 54,
                                     .cookie = memory};
    unsigned char before[54];
    memcpy(before, memory, 54);
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    assert_memory_equal(before, memory, 54); // the stack's memory is as it was
    assert_int_equal(card_sends(received, &first, &count), length);
    assert_true(count <= SEGMENTS_MAX);
    for (unsigned i = 1; i < 45; i++)
        assert_memory_equal(received + 54 + 1460 * (i - 1), segments[i].data, 1460);
    assert_int_equal(first.high, SEND_SEGMENTS | 54);
    assert_int_equal(first.low >> SEND_PLACE_SHIFT, 1460);
    uint32_t sum = 6;
    for (unsigned i = 26; i < 34; i += 2)
        sum += (uint32_t)memory[i] << 8 | memory[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    assert_int_equal(received[50] << 8 | received[51], (uint16_t)(sum + (sum >> 16)));
    assert_true(received[24] == 0 && received[25] == 0);
    frame.header_length = 40; // less than TCP's header
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    frame.header_length = 54;
    frame.gso_type = BM_NETDEV_GSO_TCP6;
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
}

static void lies_about_what_went(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    struct vmxnet3_descriptor first;
    unsigned count;
    unsigned char *memory = memory_new();
    card.send_next = 1;
    card_sent(); // of nothing
    poll_once();
    assert_true(self->broken && errors == 1);
    queue = start();
    memory = memory_new();
    assert_int_equal(send(queue, memory, 60, 0), 0);
    assert_int_equal(send(queue, memory, 60, 0), 0);
    queue->ops->flush(queue);
    card_sends(NULL, &first, &count);
    card_sends(NULL, &first, &count);
    card_sent(); // the second before the first
    poll_once();
    assert_true(self->broken && sent == 0);
    poll_once();
    assert_int_equal(sent, 2); // given back
    assert_int_equal(send(queue, memory, 60, 0), -BM_EINVAL);
}

// What the device has lost for want of buffers is asked for before a core halts, at most once a second.
static void losses_are_counted(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    card.missed = 5;
    poller->arm(poller->arg);
    assert_int_equal(queue->receive_dropped, 5);
    card.missed = 9;
    poller->arm(poller->arg); // too early
    assert_int_equal(queue->receive_dropped, 5);
    for (unsigned i = 0; i < 1000; i++) // a millisecond each
        poller->arm(poller->arg);
    assert_int_equal(queue->receive_dropped, 9);
    card.missed = 2; // it has begun anew
    for (unsigned i = 0; i < 1001; i++)
        poller->arm(poller->arg);
    card.missed = 3;
    for (unsigned i = 0; i < 1001; i++)
        poller->arm(poller->arg);
    assert_int_equal(queue->receive_dropped, 10);
}

static void full_ring_says_so(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    struct vmxnet3_descriptor first;
    unsigned count = 0, pieces;
    unsigned char *memory = memory_new();
    poller->arm(poller->arg);
    assert_true(card.unmasked[0] == 1 && card.unmasked[1] == 0);
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 1); // it is asked for still
    card.handler(card.handler_arg);
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 2);
    while (send(queue, memory, 60, 0) == 0)
        count++;
    assert_int_equal(count, SEND_COUNT - 1);
    queue->ops->flush(queue);
    assert_false(poller->arm(poller->arg));
    assert_int_equal(card.unmasked[1], 1); // frames that leave are worth an interrupt now
    while (card_sends(NULL, &first, &pieces))
        card_sent();
    assert_true(poller->arm(poller->arg));
    while (sent < count)
        assert_true(poll_once());
    assert_int_equal(send(queue, memory, 60, 0), 0);
}

static void link_and_errors_come_as_events(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = memory_new();
    card.link = 0;
    self->shared->events = EVENT_LINK;
    assert_true(poller->arm(poller->arg));
    poll_once();
    assert_true(!self->netdev.link_up && links == 1 && self->shared->events == 0);
    card.link = 1;
    self->shared->events = EVENT_LINK;
    poll_once();
    assert_true(self->netdev.link_up && links == 2);
    assert_int_equal(send(queue, memory, 60, 0), 0);
    self->shared->events = EVENT_SEND_ERROR;
    poll_once();
    assert_true(card.starts == 2 && card.resets == 2 && sent == 1 && !self->broken);
    assert_int_equal(self->receive.heads.given, self->receive.heads.count - 1);
    card_receives(100, GOOD, 0, SUMMED);
    poll_once();
    assert_int_equal(input_frames, 1);
    for (unsigned i = 0; i < RESTARTS_MAX; i++) {
        assert_false(self->broken);
        self->shared->events = EVENT_RECEIVE_ERROR;
        poll_once();
    }
    assert_true(self->broken && card.disabled);
    start();
    self->shared->events = EVENT_LINK;
    card.gone = true; // pulled out
    poll_once();
    assert_true(self->broken);
}

static void stuck_device_is_reset_then_given_up(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = memory_new();
    for (unsigned round = 1; round <= RESTARTS_MAX + 1u; round++) {
        assert_false(self->broken);
        assert_int_equal(send(queue, memory, 60, 0), 0);
        queue->ops->flush(queue);
        poller->arm(poller->arg);
        for (unsigned i = 0; i < 3000 && sent < round; i++) // a millisecond each
            poll_once();
        assert_int_equal(sent, round);
    }
    assert_true(self->broken && card.disabled);
}

static void devices_without_messages(void **state)
{
    (void)state;
    prepare();
    card.messages = false;
    start_prepared();
    assert_int_equal(self->interrupts, VMXNET3_POLLED);
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 0);
    assert_int_not_equal(poller->deadline(poller->arg), UINT64_MAX);
    prepare();
    card.messages = false;
    card.line = true;
    start_prepared();
    assert_int_equal(self->interrupts, VMXNET3_LINE);
    assert_int_equal(self->queues->send.interrupt, 0);
    assert_int_not_equal(poller->deadline(poller->arg), UINT64_MAX); // until it has been heard of
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 1);
    card.handler(card.handler_arg);
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 2);
    card.line = false; // another device's
    card.handler(card.handler_arg);
    poller->arm(poller->arg);
    assert_int_equal(card.unmasked[0], 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(devices_that_do_not_start),
        TEST(what_comes_is_handed_over),
        TEST(jumbo_frames_come),
        TEST(lies_about_what_comes),
        TEST(what_goes_is_gathered),
        TEST(frames_of_many_pieces_end_in_a_copy),
        TEST(lies_about_what_went),
        TEST(losses_are_counted),
        TEST(full_ring_says_so),
        TEST(link_and_errors_come_as_events),
        TEST(stuck_device_is_reset_then_given_up),
        TEST(devices_without_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
