// Intel's gigabit controllers between an invented device, which lies, and an invented stack.
// SPDX-License-Identifier: MIT
// @sources drivers/net/gigabit/gigabit.c drivers/net/gigabit/gigabit_receive.c
// @sources drivers/net/gigabit/gigabit_send.c drivers/net/gigabit/gigabit_poll.c
// @sources drivers/net/gigabit/gigabit_sum.c libbaremetal/device/netdev_mtu.c
// @sources drivers/net/e1000/e1000.c drivers/net/e1000e/e1000e.c libbaremetal/device/packet.c
// @sources tests/unit/virtio_net/machine.c drivers/virtio/virtio.c drivers/virtio/virtqueue.c
// @sources tests/unit/memory_host/permanent.c tests/unit/gigabit/card.c

#include "gigabit/card.h"
#include "virtio_net/machine.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct bm_driver bm_driver_e1000, bm_driver_e1000e;

// --- The stack ---

static unsigned input_frames, input_bytes, sent;
static uint16_t last_flags;

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    assert_non_null(queue);
    while (batch) {
        struct bm_packet *next = batch->next;
        input_frames += !(batch->flags & BM_PACKET_MORE);
        input_bytes += batch->length;
        last_flags = batch->flags;
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
}

static const struct bm_netdev_stack stack = {.input = input, .sent = on_sent, .link_changed = link_changed};

// --- Set-up ---

static struct bm_pci_device pci;
static struct gigabit *self;

static void prepare(uint16_t id)
{
    machine_reset();
    memset(card.registers, 0, sizeof card.registers);
    card.never_resets = card.gone = false;
    card.resets = input_frames = input_bytes = sent = 0;
    card.registers[STATUS / 4] = STATUS_LINK;
    card.registers[RAL / 4] = 0x12005452;
    card.registers[RAH / 4] = RAH_VALID | 0x5634;
    pci = (struct bm_pci_device){.device = {.device = id}};
}

static struct bm_netqueue *start(const struct bm_driver *driver, uint16_t id)
{
    prepare(id);
    assert_int_equal(driver->attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(bm_netdev_start(&self->netdev, 1), 1);
    assert_int_equal(bm_netqueue_take(&self->queue, &stack, NULL), 0);
    return &self->queue;
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

static unsigned place; // of the descriptor that the device fills next

static void card_receives(uint8_t descriptor_status, uint8_t descriptor_errors, uint16_t length)
{
    struct gigabit_descriptor *descriptor = &self->receive.descriptors[place++ % self->receive.count];
    uint32_t word = descriptor_status | RECEIVED_DONE;
    descriptor->low = self->chip->express ? word | (uint32_t)descriptor_errors << 24 : length;
    descriptor->high = self->chip->express ? length : word | (uint32_t)descriptor_errors << 8;
}

static bool poll_once(void)
{
    return poller->poll(poller->arg);
}

// --- Tests ---

static void address_and_reset(void **state)
{
    (void)state;
    const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    prepare(0x100e);
    assert_int_equal(bm_driver_e1000.attach(&pci.device), 0);
    self = pci.device.state;
    assert_memory_equal(self->netdev.mac, mac, 6);
    assert_true(self->netdev.link_up && card.resets == 1);
    prepare(0x100e);
    card.registers[RAH / 4] = 0; // nothing there: the EEPROM's
    assert_int_equal(bm_driver_e1000.attach(&pci.device), 0);
    self = pci.device.state;
    assert_int_equal(self->netdev.mac[1], 0x54);
    prepare(0x10d3);
    card.never_resets = true;
    assert_int_equal(bm_driver_e1000e.attach(&pci.device), -BM_EIO);
    assert_true(card.disabled && !bm_netdev_first());
    prepare(0x10d3);
    card.gone = true;
    assert_int_equal(bm_driver_e1000e.attach(&pci.device), -BM_EIO);
    prepare(0x100c);
    card.registers[STATUS / 4] |= STATUS_PCIX;
    assert_int_equal(bm_driver_e1000.attach(&pci.device), -BM_EIO);
}

static void received(const struct bm_driver *driver, uint16_t id)
{
    struct bm_netqueue *queue = start(driver, id);
    place = 0;
    assert_int_equal(card.registers[RDT / 4], self->receive.count - 1);
    assert_false(poll_once());
    card_receives(RECEIVED_END | RECEIVED_TCP_SUMMED, 0, 1514);
    assert_true(poll_once());
    assert_true(input_frames == 1 && input_bytes == 1514 && last_flags == BM_PACKET_CHECKSUM_GOOD);
    card_receives(RECEIVED_END | RECEIVED_TCP_SUMMED, 0x20, 60); // a wrong sum
    poll_once();
    assert_true(input_frames == 2 && last_flags == 0);
    card_receives(RECEIVED_END, 1, 60); // a wrong CRC
    card_receives(RECEIVED_END, 0, 0);  // nothing
    card_receives(RECEIVED_END, 0, 13); // no Ethernet header
    poll_once();
    assert_true(input_frames == 2 && queue->receive_dropped == 3);
    card_receives(RECEIVED_END, 0, UINT16_MAX); // more than a buffer
    poll_once();
    assert_true(self->broken && card.disabled && input_frames == 2 && errors == 1);
    poll_once();
    assert_int_equal(self->receive.given, 0);
    assert_false(self->netdev.link_up);
    assert_false(poll_once());
    assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
}

static void what_comes_is_checked(void **state)
{
    (void)state;
    received(&bm_driver_e1000, 0x100e);
    received(&bm_driver_e1000e, 0x10d3);
    start(&bm_driver_e1000, 0x100e);
    place = 0;
    card_receives(0, 0, 100); // a part of a frame, of no full buffer
    poll_once();
    assert_true(self->broken);
}

// The MTU that the words give the first device, 52:54:00:12:34:56.
static unsigned mtu_with(const char *const *words, const struct bm_driver *driver, uint16_t id)
{
    card.mtu_words = words;
    start(driver, id);
    card.mtu_words = NULL;
    return self->netdev.mtu;
}

static void mtu_is_asked_for(void **state)
{
    (void)state;
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
    const struct bm_driver *old = &bm_driver_e1000, *new = &bm_driver_e1000e;
    assert_int_equal(mtu_with(WORDS("9000"), old, 0x100e), 9000);
    assert_int_equal(mtu_with(WORDS("9000"), new, 0x10d3), 9000);
    assert_int_equal(mtu_with(WORDS("eth0:4000"), new, 0x10d3), 4000);
    assert_int_equal(mtu_with(WORDS("eth0.5:4000"), new, 0x10d3), 4000);
    assert_int_equal(mtu_with(WORDS("52:54:00:12:34:56:4000"), new, 0x10d3), 4000);
    assert_int_equal(mtu_with(WORDS("eth1:9000", "eth0:2000"), new, 0x10d3), 2000);
    assert_int_equal(mtu_with(WORDS("16088"), old, 0x100e), 16088);
    assert_int_equal(mtu_with(WORDS("16089"), old, 0x100e), 1500); // more than it carries
    assert_int_equal(mtu_with(WORDS("9213"), new, 0x10d3), 1500);
    assert_int_equal(mtu_with(WORDS("1400"), new, 0x10d3), 1500); // the stack's affair
    assert_int_equal(mtu_with(WORDS("52:54:00:12:34:57:4000", "52:5", "eth", "eth0", "eth0.:", "eth10:4000",
                                    "400x", "4294968296", "", "52:54:00:12:34:56:"),
                              new, 0x10d3),
                     1500);
}

static int send(struct bm_netqueue *queue, unsigned char *memory, uint32_t length, uint16_t checksum);

// A frame of 9,000 bytes comes in pieces of 1,024.
static void jumbo_frames_come_and_go(void **state)
{
    (void)state;
    mtu_with(WORDS("9000"), &bm_driver_e1000e, 0x10d3);
    assert_true(card.registers[RCTL / 4] & RCTL_LONG &&
                (card.registers[RCTL / 4] & 3 << 16) == RCTL_BUFFERS_1024);
    place = 0;
    for (unsigned i = 0; i < 8; i++)
        card_receives(0, 0, 1024);
    card_receives(RECEIVED_END | RECEIVED_TCP_SUMMED, 0, 9014 - 8 * 1024);
    assert_true(poll_once() && input_frames == 1 && input_bytes == 9014);
    for (unsigned i = 0; i < 9; i++)
        card_receives(0, 0, 1024);
    card_receives(RECEIVED_END, 0, 9231 - 9 * 1024); // more than the device carries
    poll_once();
    assert_true(input_frames == 1 && self->queue.receive_dropped == 1 && !self->broken);
    card_receives(0, 0, 1023); // a piece that is not full
    poll_once();
    assert_true(self->broken);
    mtu_with(WORDS("9000"), &bm_driver_e1000, 0x100e);
    unsigned char *memory = bm_frame_allocate(2);
    memset(memory, 0, 4 * BM_PAGE_SIZE);
    assert_int_equal(send(&self->queue, memory, 9018, 0), 0);
    assert_int_equal(send(&self->queue, memory, 9019, 0), -BM_EINVAL);
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

static void what_goes_is_told_once(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(&bm_driver_e1000, 0x100e);
    unsigned char *memory = bm_frame_allocate(1);
    memset(memory, 0, 2 * BM_PAGE_SIZE);
    assert_int_equal(send(queue, memory, 1514, 34), 0);
    assert_int_equal(send(queue, memory, 600, 34), 0);
    assert_int_equal(card.registers[TDT / 4], 0); // nothing before the doorbell
    queue->ops->flush(queue);
    assert_int_equal(card.registers[TDT / 4], 3); // one context for both
    assert_int_equal(send(queue, memory, 1600, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 13, 0), -BM_EINVAL);
    assert_int_equal(send(queue, memory, 14, 0), 0);
    assert_int_equal(self->send.descriptors[3].low & 0xffff, 60); // padded
    self->send.descriptors[3].high |= SENT_DONE;                  // the device was not told of it
    poll_once();
    assert_int_equal(sent, 0);
    self->send.descriptors[1].high |= SENT_DONE;
    poll_once();
    assert_int_equal(sent, 1);
}

static void segments_get_headers_of_their_own(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(&bm_driver_e1000, 0x100e);
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
    assert_int_equal(self->send.descriptors[0].low & 0xfffff, 4000);
    assert_int_equal(self->send.descriptors[3].low & 0xfffff, 4); // the sentinel
    frame.header_length = 4054;                                   // no payload
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
    frame.header_length = 40; // less than TCP's header
    assert_int_equal(queue->ops->send(queue, &frame), -BM_EINVAL);
}

static void stuck_device_is_reset_then_given_up(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(&bm_driver_e1000, 0x100e);
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
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
    assert_int_equal(send(queue, memory, 60, 0), -BM_EINVAL);
}

static unsigned slow_sum(const unsigned char *bytes, unsigned length)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < length; i++)
        sum += (unsigned)bytes[i] << (i % 2 ? 0 : 8);
    return sum;
}

// A TCP segment with `size` bytes, header included, and its right sum; returns the frame's length.
static unsigned segment_make(unsigned char *frame, unsigned size, bool is_6)
{
    unsigned header = is_6 ? 40 : 20;
    unsigned char *ip = frame + 14, *tcp = ip + header;
    for (unsigned i = 0; i < 14 + header + size; i++)
        frame[i] = (unsigned char)rand();
    memcpy(frame + 12, is_6 ? "\x86\xdd" : "\x08\x00", 2);
    ip[0] = is_6 ? 0x60 : 0x45;
    ip[is_6 ? 6 : 9] = 6;
    unsigned said = is_6 ? size : size + header, at = is_6 ? 4 : 2;
    ip[at] = (unsigned char)(said >> 8);
    ip[at + 1] = (unsigned char)said;
    if (!is_6)
        ip[6] = 0x40, ip[7] = 0; // not to be cut up
    tcp[16] = tcp[17] = 0;
    unsigned sum = 6 + size + slow_sum(ip + (is_6 ? 8 : 12), is_6 ? 32 : 8) + slow_sum(tcp, size);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    tcp[16] = (unsigned char)(~sum >> 8);
    tcp[17] = (unsigned char)~sum;
    return 14 + header + size;
}

static void sums_are_verified(void **state)
{
    (void)state;
    unsigned char *frame = malloc(1600);
    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        bool is_6 = round & 1;
        unsigned length = segment_make(frame, 20 + round % 1400, is_6), bit = (unsigned)rand() % (8 * length);
        assert_true(bm_gigabit_sum_is_good(frame, length));
        frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
        bool covered = bit >= 8 * (14 + (is_6 ? 8 : 12));
        bool good = bm_gigabit_sum_is_good(frame, length);
        assert_true(!covered || !good);
        frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
        unsigned char *whole = malloc(length); // nothing behind the frame is read
        memcpy(whole, frame, length);
        assert_true(bm_gigabit_sum_is_good(whole, length));
        assert_false(bm_gigabit_sum_is_good(whole, (unsigned)rand() % length));
        free(whole);
    }
    unsigned length = segment_make(frame, 100, false);
    frame[20] = 0x20; // more fragments
    assert_false(bm_gigabit_sum_is_good(frame, length));
    segment_make(frame, 100, false);
    frame[16] = frame[17] = 0; // a length that is less than the header
    assert_false(bm_gigabit_sum_is_good(frame, length));
    free(frame);
    // In the driver: an e1000 that says nothing.
    start(&bm_driver_e1000, 0x100e);
    place = 0;
    struct bm_packet *packet = self->receive.packets[0];
    length = segment_make((unsigned char *)packet + BM_PACKET_DATA_OFFSET, 500, false);
    card_receives(RECEIVED_END, 0, (uint16_t)length);
    packet = self->receive.packets[1];
    segment_make((unsigned char *)packet + BM_PACKET_DATA_OFFSET, 500, false);
    poll_once();
    assert_true(input_frames == 1 && last_flags == BM_PACKET_CHECKSUM_GOOD);
    ((unsigned char *)packet)[BM_PACKET_DATA_OFFSET + 100] ^= 4;
    card_receives(RECEIVED_END, 0, (uint16_t)length);
    poll_once();
    assert_true(input_frames == 2 && last_flags == 0);
}

// An interrupt that finds a core at work masks the line until one is to halt; one that wakes it does not.
static void line_is_masked_while_a_core_works(void **state)
{
    (void)state;
    card.has_line = true;
    start(&bm_driver_e1000, 0x100e);
    card.has_line = false;
    place = 0;
    poll_once();
    poll_once();
    card.registers[ICR / 4] = 0; // another device's of the same line
    card.line_handler(card.line_arg);
    assert_false(self->masked || self->heard);
    card.registers[ICR / 4] = CAUSE_RECEIVED;
    card.registers[IMC / 4] = card.registers[IMS / 4] = 0;
    card.line_handler(card.line_arg);
    assert_true(card.registers[IMC / 4] == UINT32_MAX && self->masked && self->heard);
    card.registers[ICR / 4] = CAUSE_RECEIVED | CAUSE_LINK; // what has come meanwhile is not lost
    assert_true(poller->arm(poller->arg) && self->link_event && !self->masked);
    assert_true(card.registers[IMS / 4] & CAUSE_RECEIVED && card.registers[IMS / 4] & CAUSE_LINK);
    card.registers[ICR / 4] = CAUSE_RECEIVED;
    card.registers[IMC / 4] = card.registers[IMS / 4] = 0;
    card.line_handler(card.line_arg); // it halts
    assert_true(!card.registers[IMC / 4] && !self->masked);
    poll_once();
    assert_false(poller->arm(poller->arg)); // nothing was masked: nothing is written
    assert_int_equal(card.registers[IMS / 4], 0);
    card_receives(RECEIVED_END, 0, 60);
    assert_true(poller->arm(poller->arg));
}

static void full_ring_says_so(void **state)
{
    (void)state;
    struct bm_netqueue *queue = start(&bm_driver_e1000e, 0x10d3);
    unsigned char *memory = bm_frame_allocate(0);
    memset(memory, 0, BM_PAGE_SIZE);
    unsigned count = 0;
    while (send(queue, memory, 60, 0) == 0)
        count++;
    assert_int_equal(count, SEND_COUNT - 1);
    queue->ops->flush(queue);
    for (unsigned i = 0; i < count; i++)
        self->send.descriptors[i].high |= SENT_DONE;
    while (sent < count)
        assert_true(poll_once());
    assert_int_equal(send(queue, memory, 60, 0), 0);
    card.gone = true; // pulled out
    atomic_store(&self->link_event, true);
    poll_once();
    assert_true(self->broken);
    poll_once();
    assert_int_equal(sent, count + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(address_and_reset),
        TEST(what_comes_is_checked),
        TEST(what_goes_is_told_once),
        TEST(segments_get_headers_of_their_own),
        TEST(line_is_masked_while_a_core_works),
        TEST(sums_are_verified),
        TEST(mtu_is_asked_for),
        TEST(jumbo_frames_come_and_go),
        TEST(full_ring_says_so),
        TEST(stuck_device_is_reset_then_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
