// Intel's controllers with advanced descriptors: how they start, what comes, how they interrupt.
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

static void address_and_reset(void **state)
{
    (void)state;
    const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    prepare();
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    self = pci.device.state;
    assert_memory_equal(self->netdev.mac, mac, 6);
    assert_true(self->netdev.link_up && card.resets == 1 && !card.phy_writes);
    assert_true(card.registers[CTRL / 4] & CTRL_LINK_UP && card.registers[CTRL_EXT / 4] & CTRL_EXT_DRIVER);
    assert_false(card.registers[RCTL / 4] | card.causes_mask | card.vectors_mask); // at rest
    prepare();
    card.registers[RAH / 4] = 0x5634; // nothing valid: a made one
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(self->netdev.mac[0] & 3, 2);
    prepare();
    card.registers[RAL / 4] |= 1; // a group's
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    assert_int_equal(((struct advanced *)pci.device.state)->netdev.mac[0] & 3, 2);
    prepare();
    card.never_resets = true;
    assert_int_equal(bm_driver_igb.attach(&pci.device), -BM_EIO);
    assert_true(card.disabled && !bm_netdev_first());
    prepare();
    card.gone = true;
    assert_int_equal(bm_driver_igb.attach(&pci.device), -BM_EIO);
}

static void phy_is_woken_where_there_is_no_link(void **state)
{
    (void)state;
    prepare();
    card.registers[STATUS / 4] = 1 << STATUS_PORT_SHIFT; // port 1
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    assert_true(card.phy_writes == 1 && card.phy == (PHY_NEGOTIATE | PHY_RESTART));
    assert_int_equal(card.registers[SW_FW_SYNC / 4], 0); // given back
    assert_false(((struct advanced *)pci.device.state)->netdev.link_up);
    prepare();
    card.registers[STATUS / 4] = 0;
    card.registers[CTRL_EXT / 4] = CTRL_EXT_LINK_MODE; // no copper
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    assert_int_equal(card.phy_writes, 0);
    prepare();
    card.registers[STATUS / 4] = 0;
    card.firmware_keeps = true; // for ever: it is not written to, and the device is used
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    assert_true(!card.phy_writes && bm_netdev_first());
    prepare();
    card.registers[STATUS / 4] = 0;
    card.phy_silent = true;
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    assert_int_equal(card.registers[SW_FW_SYNC / 4], 0);
}

static void rings_run_before_they_are_filled(void **state)
{
    (void)state;
    start();
    assert_int_equal(ring(RECEIVE_RING)[RING_LENGTH / 4], self->receive.count * 16);
    assert_int_equal(ring(RECEIVE_RING)[RING_TAIL / 4], self->receive.count - 1);
    assert_int_equal(card.registers[RECEIVE_SPLIT / 4], SPLIT_ADVANCED | 2);
    assert_int_equal(ring(SEND_RING)[RING_LENGTH / 4], SEND_COUNT * 16);
    assert_true(card.registers[RCTL / 4] & RCTL_ENABLE && card.registers[TCTL / 4] & TCTL_ENABLE);
    assert_int_equal(card.registers[RAL / 4], 0x12005452);
    assert_int_equal(card.registers[RAH / 4], RAH_VALID | 0x5634);
    prepare();
    card.ring_stands = true;
    assert_int_equal(bm_driver_igb.attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(bm_netdev_start(&self->netdev, 1), -BM_EIO);
    assert_true(self->broken && card.disabled);
    assert_int_equal(bm_netdev_start(&self->netdev, 1), -BM_EIO);
}

static void what_comes_is_checked(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start();
    assert_false(poll_once());
    card_receives(RECEIVED_END | RECEIVED_SUMMED, 1514);
    assert_true(poll_once());
    assert_true(input_frames == 1 && input_bytes == 1514 && last_flags == BM_PACKET_CHECKSUM_GOOD);
    card_receives(RECEIVED_END | RECEIVED_SUMMED | 1u << 29, 60); // a wrong sum, TCP's or UDP's
    poll_once();
    assert_true(input_frames == 2 && last_flags == 0);
    card_receives(RECEIVED_END | RECEIVED_SUMMED | 1u << 30, 60); // … IP's
    poll_once();
    assert_true(input_frames == 3 && last_flags == 0);
    card_receives(RECEIVED_END, 60); // nothing was summed
    poll_once();
    assert_true(input_frames == 4 && last_flags == 0);
    card_receives(RECEIVED_END | RECEIVED_ERROR, 60);
    card_receives(RECEIVED_END, 0);  // nothing
    card_receives(RECEIVED_END, 13); // no Ethernet header
    poll_once();
    assert_true(input_frames == 4 && queue->receive_dropped == 3);
    card_receives(RECEIVED_END, UINT16_MAX); // more than a buffer
    poll_once();
    assert_true(self->broken && card.disabled && input_frames == 4 && errors == 1);
    poll_once();
    assert_int_equal(self->receive.given, 0);
    assert_false(self->netdev.link_up);
    assert_false(poll_once());
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
    start();
    card_receives(0, 100); // a part of a frame, of no full buffer
    poll_once();
    assert_true(self->broken);
    start();
    for (unsigned i = 0; i < self->receive.count; i++) // one more than it has
        card_receives(RECEIVED_END, 60);
    for (unsigned i = 0; i < 100; i++)
        poll_once();
    assert_true(input_frames == self->receive.count - 1 && !self->broken);
}

static void jumbo_frames_come_and_go(void **state)
{
    (void)state;
    static const char *const words[] = {"9000", NULL};
    prepare();
    card.messages = 25;
    card.mtu_words = words;
    begin();
    assert_int_equal(self->netdev.mtu, 9000);
    assert_int_equal(card.registers[RECEIVE_SPLIT / 4], SPLIT_ADVANCED | 1);
    assert_true(card.registers[RCTL / 4] & RCTL_LONG && card.registers[RLPML / 4] >= 9022);
    for (unsigned i = 0; i < 8; i++)
        card_receives(0, 1024);
    card_receives(RECEIVED_END | RECEIVED_SUMMED, 9014 - 8 * 1024);
    assert_true(poll_once() && input_frames == 1 && input_bytes == 9014);
    for (unsigned i = 0; i < 12; i++)
        card_receives(0, 1024);
    card_receives(RECEIVED_END, 1024); // more than the device carries
    poll_once();
    assert_true(input_frames == 1 && self->queue.receive_dropped == 1 && !self->broken);
    unsigned char *memory = bm_frame_allocate(2);
    memset(memory, 0, 4 * BM_PAGE_SIZE);
    assert_int_equal(send(&self->queue, memory, 9018, 0, 0), 0);
    assert_int_equal(send(&self->queue, memory, 9019, 0, 0), -BM_EINVAL);
    card_receives(0, 1023); // a piece that is not full
    poll_once();
    assert_true(self->broken);
}

static void messages_mask_themselves(void **state)
{
    (void)state;
    start();
    assert_int_equal(card.registers[IVAR / 4], IVAR_VALID); // frames that come: message 0
    assert_int_equal(card.registers[IVAR_MISC / 4], (IVAR_VALID | 1) << 8);
    assert_true(card.registers[EIAC / 4] == 3 && card.registers[EIAM / 4] == 3 && card.vectors_mask == 3);
    assert_int_equal(card.causes_mask, CAUSE_LINK);
    poll_once();
    poller->arm(poller->arg);
    poll_once(); // the look that arm() asked for
    card_interrupts(0);
    assert_int_equal(card.vectors_mask, 2);
    assert_false(poller->arm(poller->arg));
    assert_int_equal(card.vectors_mask, 3);
    card.registers[STATUS / 4] = 0; // the cable is out
    card.causes = CAUSE_LINK;
    card_interrupts(1);
    assert_int_equal(card.vectors_mask, 1);
    assert_true(poller->arm(poller->arg));
    poll_once();
    assert_true(link_changes == 1 && !self->netdev.link_up && card.vectors_mask == 3 && !card.causes);
    card.registers[STATUS / 4] = STATUS_LINK;
    card_interrupts(1);
    poll_once();
    assert_true(link_changes == 2 && self->netdev.link_up);
    assert_int_equal(self->queue.ops->aim(&self->queue, 3), 0);
    assert_true(card.aimed[0] == 3 && card.aimed[1] == 3);
    prepare();
    card.messages = 1; // one for all
    begin();
    assert_int_equal(card.registers[IVAR_MISC / 4], IVAR_VALID << 8);
    assert_int_equal(card.vectors_mask, 1);
    poll_once();
    card.registers[STATUS / 4] = 0;
    card_interrupts(0);
    poll_once();
    assert_true(!self->netdev.link_up && card.vectors_mask == 1);
    assert_int_equal(self->queue.ops->aim(&self->queue, 1), 0);
}

// An interrupt that finds a core at work masks the line until one is to halt; one that wakes it does not.
static void line_is_masked_while_a_core_works(void **state)
{
    (void)state;
    prepare();
    card.has_line = true;
    begin();
    assert_int_equal(card.causes_mask & CAUSE_RECEIVED, CAUSE_RECEIVED);
    poll_once();
    poll_once();
    card_interrupts(0); // another device's of the same line
    assert_false(self->masked || self->heard);
    card.causes = CAUSE_RECEIVED;
    card_interrupts(0);
    assert_true(card.causes_mask == 0 && self->masked && self->heard);
    card.causes = CAUSE_RECEIVED | CAUSE_LINK; // what has come meanwhile is not lost
    assert_true(poller->arm(poller->arg) && self->link_event && !self->masked);
    assert_true(card.causes_mask & CAUSE_RECEIVED && card.causes_mask & CAUSE_LINK);
    card.causes = CAUSE_RECEIVED;
    card_interrupts(0); // it halts
    assert_true(card.causes_mask && !self->masked);
    poll_once();
    assert_false(poller->arm(poller->arg));
    card_receives(RECEIVED_END, 60);
    assert_true(poller->arm(poller->arg));
    assert_int_equal(self->queue.ops->aim(&self->queue, 1), -BM_EBUSY);
    prepare();
    card.has_message = true; // MSI: likewise
    begin();
    assert_true(card.registers[GPIE / 4] == 0 && card.causes_mask & CAUSE_RECEIVED);
    assert_int_equal(self->queue.ops->aim(&self->queue, 1), 0);
    prepare(); // neither
    begin();
    assert_int_equal(self->queue.ops->aim(&self->queue, 1), -BM_ENODEV);
    assert_true(poller->deadline(poller->arg) <= bm_time_monotonic() + POLL_INTERVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(address_and_reset),
        TEST(phy_is_woken_where_there_is_no_link),
        TEST(rings_run_before_they_are_filled),
        TEST(what_comes_is_checked),
        TEST(jumbo_frames_come_and_go),
        TEST(messages_mask_themselves),
        TEST(line_is_masked_while_a_core_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
