// Intel's controllers with advanced descriptors: what goes, and what becomes of devices that do not send it.
// SPDX-License-Identifier: MIT
// @sources drivers/net/advanced/advanced.c drivers/net/advanced/advanced_receive.c
// @sources drivers/net/advanced/advanced_send.c drivers/net/advanced/advanced_poll.c
// @sources drivers/net/igb/igb.c drivers/net/igb/igb_phy.c libbaremetal/device/netdev_mtu.c
// @sources libbaremetal/device/packet.c tests/unit/virtio_net/machine.c drivers/virtio/virtio.c
// @sources drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c tests/unit/advanced/card.c
// @sources tests/unit/advanced/card_igb.c
#include "../../drivers/net/igb/registers.h"

#define DRIVER bm_driver_igb
#define CARD   card_igb
#include "advanced/host.h"

static void what_goes_is_told_once(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(1);
    memset(memory, 0, 2 * BM_PAGE_SIZE);
    assert_int_equal(send(queue, memory, 1514, 34, 16), 0);
    assert_int_equal(send(queue, memory, 600, 34, 16), 0);
    assert_int_equal(ring(SEND_RING)[RING_TAIL / 4], 0); // nothing before the doorbell
    queue->ops->flush(queue);
    assert_int_equal(ring(SEND_RING)[RING_TAIL / 4], 3); // one context for both
    assert_int_equal(sends(0)->address, 14 << 9 | 20);
    assert_int_equal(sends(0)->low, SEND_EXTENDED | SEND_CONTEXT | CONTEXT_TCP);
    assert_int_equal(sends(1)->low, SEND_EXTENDED | SEND_DATA | SEND_CRC | SEND_END | SEND_REPORT | 1514);
    assert_int_equal(sends(1)->high, 1514 << 14 | OPTION_SUM);
    assert_int_equal(send(queue, memory, 600, 34, 6), 0); // UDP: another one
    assert_int_equal(sends(3)->low, SEND_EXTENDED | SEND_CONTEXT);
    assert_int_equal(send(queue, memory, 600, 34, 10), -BM_EINVAL); // what the device does not know
    assert_int_equal(send(queue, memory, 600, 14, 6), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 1400, 600, 16), -BM_EINVAL); // headers longer than its field
    assert_int_equal(send(queue, memory, 1600, 0, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 13, 0, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 14, 0, 0), 0);
    assert_int_equal(sends(5)->low & 0xffff, 60); // padded
    assert_int_equal(sends(5)->high, 60 << 14);
    sends(5)->high |= SENT_DONE; // the device was not told of it
    poll_once();
    assert_int_equal(sent, 0);
    sends(1)->high |= SENT_DONE;
    poll_once();
    assert_int_equal(sent, 1);
}

static void segments_get_headers_of_their_own(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(1);
    memset(memory, 1, 2 * BM_PAGE_SIZE);
    memory[12] = 8;
    memory[13] = 0;
    const struct bm_netdev_segment segment = {memory, 4054};
    struct bm_netdev_frame frame = {.segments = &segment,
                                    .segment_count = 1,
                                    .checksum_start = 34,
                                    .checksum_offset = 16,
                                    .gso_size = 1460,
                                    .gso_type = BM_NETDEV_GSO_TCP4,
                                    .header_length = 54,
                                    .cookie = memory};
    assert_int_equal(queue->ops->send(queue, &frame), 0);
    const unsigned char *headers = self->send.headers;
    assert_true(headers[16] == 0 && headers[17] == 0 && memory[16] == 1); // the stack's memory is as it was
    assert_int_equal(headers[50] << 8 | headers[51], 4 * 0x101 + 6); // the pseudo header without a length
    assert_int_equal(sends(0)->low, SEND_EXTENDED | SEND_CONTEXT | CONTEXT_TCP | CONTEXT_IP4);
    assert_int_equal(sends(0)->high, 20 << 8 | 1460 << 16);
    assert_int_equal(sends(1)->low, SEND_EXTENDED | SEND_DATA | SEND_CRC | SEND_SEGMENTS | 54);
    assert_int_equal(sends(1)->high, 4000 << 14 | OPTION_SUM | OPTION_IP_SUM);
    assert_int_equal(sends(2)->low & 0xffff, 4000);
    frame.header_length = 4054; // no payload
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    frame.header_length = 40; // less than TCP's header
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
}

// 48 pieces, which are more than the device takes, end in a copy.
static void many_pieces_end_in_a_copy(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(0);
    struct bm_netdev_segment segments[BM_NETDEV_SEGMENTS_MAX];
    for (unsigned i = 0; i < BM_PAGE_SIZE; i++)
        memory[i] = (unsigned char)(i * 7);
    for (unsigned i = 0; i < BM_NETDEV_SEGMENTS_MAX; i++)
        segments[i] = (struct bm_netdev_segment){memory + 40 * i, 20};
    const struct bm_netdev_frame frame = {
        .segments = segments, .segment_count = BM_NETDEV_SEGMENTS_MAX, .cookie = memory};
    for (unsigned i = 0; i < BOUNCES; i++)
        assert_int_equal(queue->ops->send(queue, &frame), 0);
    unsigned pieces = PIECES_MAX - BOUNCE_PIECES + 1;
    assert_int_equal(self->send.next, BOUNCES * pieces);
    assert_int_equal(sends(pieces - 1)->low & 0xffff, 16 * 20);
    for (unsigned i = 0; i < 16 * 20; i++)
        assert_int_equal(self->send.bounces[0][i], (unsigned char)((40 * (32 + i / 20) + i % 20) * 7));
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EAGAIN); // no place is free
    queue->ops->flush(queue);
    sends(pieces - 1)->high |= SENT_DONE;
    poll_once();
    assert_int_equal(queue->ops->send(queue, &frame), 0);
}

static void full_ring_asks_for_an_interrupt(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
    unsigned count = 0;
    while (send(queue, memory, 60, 0, 0) == 0)
        count++;
    assert_int_equal(count, SEND_COUNT - 1);
    queue->ops->flush(queue);
    poller->arm(poller->arg);
    assert_int_equal(card.registers[IVAR / 4], IVAR_VALID | IVAR_VALID << IVAR_SEND_SHIFT);
    for (unsigned i = 0; i < count; i++)
        sends(i)->high |= SENT_DONE;
    while (sent < count)
        assert_true(poll_once());
    poller->arm(poller->arg);
    assert_int_equal(card.registers[IVAR / 4], IVAR_VALID);
    assert_int_equal(send(queue, memory, 60, 0, 0), 0);
    card.registers[MPC / 4] = 5; // the device dropped some
    atomic_store(&self->link_event, true);
    poll_once();
    assert_int_equal(queue->receive_dropped, 5);
    card.gone = true; // pulled out
    atomic_store(&self->link_event, true);
    poll_once();
    assert_true(self->broken && queue->receive_dropped == 5);
    poll_once();
    assert_int_equal(sent, count + 1);
}

static void stuck_device_is_reset_then_given_up(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
    for (unsigned round = 1; round <= RESTARTS_MAX + 1u; round++) {
        assert_false(self->broken);
        assert_int_equal(send(queue, memory, 60, 34, 16), 0);
        queue->ops->flush(queue);
        poller->arm(poller->arg);
        for (unsigned i = 0; i < 3000 && sent < round; i++) // a millisecond each
            poll_once();
        assert_int_equal(sent, round);
        if (round <= RESTARTS_MAX) { // it begins anew: rings, interrupts, the context
            assert_int_equal(card.resets, 1 + round);
            assert_true(card.vectors_mask == 3 && card.registers[GPIE / 4] & GPIE_MESSAGES);
            assert_true(self->send.next == 0 && ring(RECEIVE_RING)[RING_TAIL / 4] == self->receive.count - 1);
        }
    }
    assert_true(self->broken && card.disabled);
    assert_int_equal(send(queue, memory, 60, 0, 0), -BM_EINVAL);
    queue = start();
    memory = bm_frame_allocate(0);
    card.registers[STATUS / 4] = 0; // no link: frames wait
    atomic_store(&self->link_event, true);
    assert_int_equal(send(queue, memory, 60, 0, 0), 0);
    queue->ops->flush(queue);
    poller->arm(poller->arg);
    for (unsigned i = 0; i < 5000; i++)
        poll_once();
    assert_true(sent == 0 && card.resets == 1 && link_changes == 1);
    card.never_resets = true; // … and with one it has to come back
    card.registers[STATUS / 4] = STATUS_LINK;
    atomic_store(&self->link_event, true);
    poller->arm(poller->arg);
    for (unsigned i = 0; i < 5000 && !sent; i++)
        poll_once();
    assert_true(sent == 1 && self->broken);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_goes_is_told_once),
        TEST(segments_get_headers_of_their_own),
        TEST(many_pieces_end_in_a_copy),
        TEST(full_ring_asks_for_an_interrupt),
        TEST(stuck_device_is_reset_then_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
