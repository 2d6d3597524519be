// Intel's 10 GbE controllers: what is different about them from the gigabit ones (test_advanced.c).
// SPDX-License-Identifier: MIT
// @sources drivers/net/advanced/advanced.c drivers/net/advanced/advanced_receive.c
// @sources drivers/net/advanced/advanced_send.c drivers/net/advanced/advanced_poll.c
// @sources drivers/net/ixgbe/ixgbe.c libbaremetal/device/netdev_mtu.c
// @sources libbaremetal/device/packet.c tests/unit/virtio_net/machine.c drivers/virtio/virtio.c
// @sources drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c tests/unit/advanced/card.c
// @sources tests/unit/advanced/card_ixgbe.c
#include "../../drivers/net/ixgbe/registers.h"

#define DRIVER bm_driver_ixgbe
#define CARD   card_ixgbe
#include "advanced/host.h"

static void address_and_reset(void **state)
{
    (void)state;
    const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    prepare();
    card.registers[ESDP / 4] = ESDP_LASER_OFF | 1 << 11;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), 0);
    self = pci.device.state;
    assert_memory_equal(self->netdev.mac, mac, 6);
    assert_true(self->netdev.link_up && card.resets == 1);
    assert_int_equal(card.registers[ESDP / 4], 1 << 11); // the laser shines
    assert_true(card.registers[CTRL_EXT / 4] == (CTRL_EXT_NO_SNOOP_OFF | CTRL_EXT_DRIVER));
    assert_false(card.registers[RXCTRL / 4] | card.registers[DMATXCTL / 4] | card.vectors_mask); // at rest
    prepare();
    pci.device.device = 0x1528; // 10GBASE-T: that pin is something else
    card.registers[ESDP / 4] = ESDP_LASER_OFF;
    card.registers[RAH / 4] = 0;
    card.registers[LINKS / 4] = 0;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), 0);
    self = pci.device.state;
    assert_true(card.registers[ESDP / 4] == ESDP_LASER_OFF && !self->netdev.link_up);
    assert_int_equal(self->netdev.mac[0] & 3, 2); // a made address
    prepare();
    card.never_resets = true;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), -BM_EIO);
    assert_true(card.disabled && !bm_netdev_first());
    prepare();
    card.never_ready = true;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), -BM_EIO);
    assert_true(card.disabled && !bm_netdev_first());
    prepare();
    card.gone = true;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), -BM_EIO);
}

static void rings_and_paths_are_opened(void **state)
{
    (void)state;
    start();
    assert_int_equal(ring(RECEIVE_RING)[RING_LENGTH / 4], self->receive.count * 16);
    assert_int_equal(ring(RECEIVE_RING)[RING_TAIL / 4], self->receive.count - 1);
    assert_int_equal(ring(RECEIVE_RING)[RING_CONTROL / 4], RING_ENABLE);
    assert_int_equal(card.registers[RECEIVE_SPLIT / 4], SPLIT_ADVANCED | 2);
    assert_int_equal(card.registers[RECEIVE_DCA / 4], 0);
    assert_int_equal(card.registers[RDRXCTL / 4], RDRXCTL_DMA_READY | RDRXCTL_STRIP_CRC | RDRXCTL_FIXED);
    assert_int_equal(ring(SEND_RING)[RING_LENGTH / 4], SEND_COUNT * 16);
    assert_true(card.registers[DMATXCTL / 4] & DMATXCTL_ENABLE && card.registers[RXCTRL / 4] & RXCTRL_ENABLE);
    assert_int_equal(card.registers[SECRXCTRL / 4], 0); // open again
    assert_int_equal(card.registers[HLREG0 / 4], HLREG0_SEND_CRC | HLREG0_STRIP_CRC | HLREG0_PAD);
    assert_int_equal(card.registers[RAH / 4], RAH_VALID | 0x5634);
    prepare();
    card.ring_stands = true;
    assert_int_equal(bm_driver_ixgbe.attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(bm_netdev_start(&self->netdev, 1), -BM_EIO);
    assert_true(self->broken && card.disabled);
}

static void what_comes_is_checked(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    card_receives(RECEIVED_END | RECEIVED_SUMMED, 1514);
    assert_true(poll_once() && input_bytes == 1514 && last_flags == BM_PACKET_CHECKSUM_GOOD);
    card_receives(RECEIVED_END | RECEIVED_SUMMED | 1u << 30, 60); // a wrong sum, TCP's or UDP's
    poll_once();
    assert_true(input_frames == 2 && last_flags == 0);
    card_receives(RECEIVED_END | RECEIVED_SUMMED | 1u << 31, 60); // … IP's
    poll_once();
    assert_true(input_frames == 3 && last_flags == 0);
    card_receives(RECEIVED_END | RECEIVED_ERROR, 60);
    poll_once();
    assert_true(input_frames == 3 && queue->receive_dropped == 1);
    card_receives(RECEIVED_END, FRAME_ROOM + 1); // more than a buffer
    poll_once();
    assert_true(self->broken && card.disabled && input_frames == 3);
    while (poll_once())
        ;
    assert_int_equal(self->receive.given, 0);
}

static void jumbo_frames_come(void **state)
{
    (void)state;
    static const char *const words[] = {"9000", NULL};
    prepare();
    card.messages = 64;
    card.mtu_words = words;
    begin();
    assert_true(card.registers[HLREG0 / 4] & HLREG0_LONG && card.registers[MAXFRS / 4] >> 16 >= 9022);
    for (unsigned i = 0; i < 8; i++)
        card_receives(0, 1024);
    card_receives(RECEIVED_END, 9014 - 8 * 1024);
    assert_true(poll_once() && input_frames == 1 && input_bytes == 9014);
}

// A data descriptor says that it has a context (CC, section 7.2.3.2.4).
static void what_goes_has_its_context(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
    assert_int_equal(send(queue, memory, 1514, 34, 16), 0);
    assert_int_equal(send(queue, memory, 600, 0, 0), 0);
    queue->ops->flush(queue);
    assert_int_equal(ring(SEND_RING)[RING_TAIL / 4], 3);
    assert_int_equal(sends(0)->low, SEND_EXTENDED | SEND_CONTEXT | CONTEXT_TCP);
    assert_int_equal(sends(1)->high, 1514 << 14 | OPTION_SUM | OPTION_CONTEXT);
    assert_int_equal(sends(2)->high, 600 << 14);
}

static void messages_mask_themselves(void **state)
{
    (void)state;
    start();
    assert_int_equal(card.registers[IVAR / 4], IVAR_VALID);
    assert_int_equal(card.registers[IVAR_MISC / 4], (IVAR_VALID | 1) << 8);
    assert_int_equal(card.registers[EIAC / 4], CAUSE_FRAMES); // the link's is acknowledged by hand
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES | CAUSE_LINK);
    poll_once();
    poller->arm(poller->arg);
    poll_once();
    card_interrupts(0);
    assert_int_equal(card.vectors_mask, CAUSE_LINK);
    assert_false(poller->arm(poller->arg));
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES | CAUSE_LINK);
    card.registers[LINKS / 4] = 0; // the cable is out
    card.causes = CAUSE_LINK;
    card_interrupts(1);
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES);
    assert_true(poller->arm(poller->arg));
    poll_once();
    assert_true(!self->netdev.link_up && !card.causes && card.vectors_mask == (CAUSE_FRAMES | CAUSE_LINK));
    card.registers[MPC / 4] = 7;
    card.registers[LINKS / 4] = LINKS_UP;
    card_interrupts(1);
    poll_once();
    assert_true(self->netdev.link_up && self->queue.receive_dropped == 7);
    card.gone = true; // pulled out
    atomic_store(&self->link_event, true);
    poll_once();
    assert_true(self->broken && self->queue.receive_dropped == 7);
}

static void line_and_full_ring(void **state)
{
    (void)state;
    prepare();
    card.has_line = true;
    struct bm_netqueue *queue = begin();
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES | CAUSE_LINK);
    assert_int_equal(card.registers[IVAR / 4], IVAR_VALID);
    poll_once();
    card.causes = CAUSE_FRAMES;
    card_interrupts(0); // finds a core at work
    assert_true(!card.vectors_mask && self->masked);
    card.causes = CAUSE_LINK; // what has come meanwhile is not lost
    assert_true(poller->arm(poller->arg) && self->link_event);
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES | CAUSE_LINK);
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
}

// From a device that sends nothing any more all is begun anew.
static void stuck_device_is_reset(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
    assert_int_equal(send(queue, memory, 60, 34, 16), 0);
    queue->ops->flush(queue);
    poller->arm(poller->arg);
    for (unsigned i = 0; i < 3000 && !sent; i++) // a millisecond each
        poll_once();
    assert_true(sent == 1 && card.resets == 2 && !self->broken && queue->transmit_errors == 1);
    assert_true(card.registers[RXCTRL / 4] & RXCTRL_ENABLE);
    assert_int_equal(card.vectors_mask, CAUSE_FRAMES | CAUSE_LINK);
    assert_int_equal(ring(RECEIVE_RING)[RING_TAIL / 4], self->receive.count - 1);
    assert_int_equal(send(queue, memory, 60, 34, 16), 0);
    assert_int_equal(sends(0)->low, SEND_EXTENDED | SEND_CONTEXT | CONTEXT_TCP); // it has forgotten
    card.never_ready = true;
    queue->ops->flush(queue);
    poller->arm(poller->arg);
    for (unsigned i = 0; i < 3000 && sent < 2; i++)
        poll_once();
    assert_true(sent == 2 && self->broken && card.disabled);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(address_and_reset),  TEST(rings_and_paths_are_opened), TEST(what_comes_is_checked),
        TEST(jumbo_frames_come),  TEST(what_goes_has_its_context),  TEST(messages_mask_themselves),
        TEST(line_and_full_ring), TEST(stuck_device_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
