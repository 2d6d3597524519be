// Joined TCP segments, cut up again as a device does it, are the segments that were sent.
// SPDX-License-Identifier: MIT
// @sources net/join.c tests/unit/net_join/frames.c
// @includes tests/unit/net_join net
#include "../../net/interface.h"
#include "../../net/net.h"

#include "net_join/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 4096 };

static struct bm_netdev device;
static struct bm_net_interface interface;
static bool no_memory;

// What was sent, and what came out of the device, in order.
static struct pbuf *given[FRAMES], *taken[FRAMES];
static unsigned given_count, taken_count, outputs, most_segments;

void *bm_net_allocate(size_t size)
{
    return no_memory ? NULL : malloc(size);
}

// As net/transmit.c does.
static void transmit(const struct segment *segment)
{
    struct pbuf *frame = frame_of(segment);
    uint8_t bytes[4096];
    given[given_count++] = pbuf_of(bytes, flatten(frame, bytes));
    if ((frame->tot_len >= interface.join_least || interface.join.count) && bm_net_join(&interface, frame))
        return;
    bm_net_join_end(&interface);
    bm_net_frame_output(&interface, frame);
}

static void out(const uint8_t *bytes, unsigned length)
{
    taken[taken_count++] = pbuf_of(bytes, length);
}

// The device: cuts a joined frame up.
static void cut(struct bm_net_joined *joined)
{
    static uint8_t bytes[65536 + 4096];
    unsigned total = flatten(joined->segments[0], bytes), header = joined->header, tcp = header - 20;
    assert_in_range(joined->count, 2, JOINED_MAX);
    for (unsigned i = 1; i < joined->count; i++) {
        uint8_t one[4096];
        unsigned length = flatten(joined->segments[i], one);
        assert_true(length > header);
        memcpy(bytes + total, one + header, length - header);
        total += length - header;
    }
    assert_true(total <= 65535);
    if (joined->is_ip6) {
        assert_int_equal(get16(bytes + 18), total - 54);
    } else {
        assert_int_equal(get16(bytes + 16), total - 14);
        assert_int_equal(header_sum(bytes + 14), 0xffff);
    }
    unsigned size = joined->first_length - header;
    uint32_t sequence = get16(bytes + tcp + 4) << 16 | get16(bytes + tcp + 6);
    for (unsigned at = header; at < total; at += size, sequence += size) {
        uint8_t one[4096];
        unsigned length = total - at < size ? total - at : size;
        memcpy(one, bytes, header);
        memcpy(one + header, bytes + at, length);
        put32(one + tcp + 4, sequence);
        if (at + length < total)
            one[tcp + 13] &= (uint8_t)~PSH;
        put16(one + (joined->is_ip6 ? 18 : 16), header + length - (joined->is_ip6 ? 54 : 14));
        out(one, header + length);
    }
    if (joined->count > most_segments)
        most_segments = joined->count;
    for (unsigned i = 0; i < joined->count; i++)
        free_frame(joined->segments[i]);
    free(joined);
}

err_t bm_net_frame_output(struct bm_net_interface *to, void *frame)
{
    assert_ptr_equal(to, &interface);
    outputs++;
    if ((uintptr_t)frame & JOINED_TAG) {
        cut((struct bm_net_joined *)((char *)frame - JOINED_TAG));
        return 0;
    }
    uint8_t bytes[4096];
    out(bytes, flatten(frame, bytes));
    free_frame(frame);
    return 0;
}

// IPv4's identification and sum are the device's; PSH may move to the last segment of those joined.
static void blank(uint8_t *bytes)
{
    bool is_ip6 = get16(bytes + 12) == 0x86dd;
    if (!is_ip6)
        memset(bytes + 18, 0, 2), memset(bytes + 24, 0, 2);
    bytes[(is_ip6 ? 54 : 34) + 13] &= (uint8_t)~PSH;
}

// Ends the batch: everything has come out as it was given, in `expected` frames (0: any).
static void check(unsigned expected)
{
    bm_net_join_end(&interface);
    assert_int_equal(interface.join.count, 0);
    assert_int_equal(taken_count, given_count);
    for (unsigned i = 0; i < given_count; i++) {
        blank(given[i]->payload);
        blank(taken[i]->payload);
        assert_int_equal(taken[i]->len, given[i]->len);
        assert_memory_equal(taken[i]->payload, given[i]->payload, given[i]->len);
        free_frame(given[i]);
        free_frame(taken[i]);
    }
    if (expected)
        assert_int_equal(outputs, expected);
    given_count = taken_count = outputs = 0;
}

static const struct segment plain = {.station = 1,
                                     .host = 1,
                                     .hops = 64,
                                     .protocol = 6,
                                     .flags = ACK,
                                     .sequence = 0xfffff000,
                                     .acknowledged = 7,
                                     .port = 5000,
                                     .window = 900,
                                     .length = 1460};

// Sends `count` segments that follow each other.
static struct segment run(struct segment segment, unsigned count)
{
    while (count--) {
        transmit(&segment);
        segment.sequence += segment.length;
    }
    return segment;
}

static int set_up(void **state)
{
    (void)state;
    device = (struct bm_netdev){.capabilities = BM_NETDEV_CHECKSUM_TX | BM_NETDEV_TSO4 | BM_NETDEV_TSO6};
    interface = (struct bm_net_interface){.device = &device, .join_least = JOIN_LEAST};
    no_memory = false;
    most_segments = 0;
    return 0;
}

static void segments_become_one_frame(void **state)
{
    (void)state;
    run(plain, 1);
    assert_true(interface.unflushed); // or nobody would end it
    check(1);
    run(plain, 5);
    check(1);
    run(plain, 100); // 44 with 1460 bytes are in 65,535
    check(3);
    assert_int_equal(most_segments, 44);
    struct segment small = plain, six = plain, pieces = plain;
    small.length = 1200;
    run(small, 100);
    check(3);
    assert_int_equal(most_segments, JOINED_MAX);
    six.is_ip6 = true;
    six.length = 1440;
    run(six, 10);
    check(1);
    pieces.pieces = 4; // 48 pieces in all
    run(pieces, 24);
    check(2);
    struct segment next = run(plain, 3);
    next.length = 3;
    next.flags |= PSH;
    run(next, 1);
    check(1);
}

static void push_is_kept(void **state)
{
    (void)state;
    struct segment pushed = plain;
    pushed.flags |= PSH;
    struct segment next = run(plain, 1);
    pushed.sequence = next.sequence;
    run(pushed, 1);
    next.sequence += pushed.length;
    next = run(next, 1);
    bm_net_join_end(&interface);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(((uint8_t *)taken[i]->payload)[34 + 13], i == 2 ? ACK | PSH : ACK);
    run(next, 2); // … and is not the next frame's
    bm_net_join_end(&interface);
    assert_int_equal(((uint8_t *)taken[4]->payload)[34 + 13], ACK);
    check(2);
}

static void the_last_of_a_frame_may_be_shorter(void **state)
{
    (void)state;
    struct segment next = run(plain, 2);
    next.length = 100;
    next = run(next, 1); // ends it
    next = run(next, 1); // too small to begin one
    next.length = 1460;
    next = run(next, 2);
    check(3);
    next = run(plain, 2);
    next.length = 1500; // more than the first one
    run(next, 1);
    check(2);
    struct segment short_one = plain;
    short_one.length = 1145; // with its headers just below 1,200
    run(short_one, 3);
    check(3);
}

// Two segments, then a third one that differs from what would be next.
static void apart(struct segment first, const struct segment *change)
{
    run(first, 2);
    run(*change, 1);
    check(2);
}

static void what_differs_is_sent_apart(void **state)
{
    (void)state;
    for (unsigned is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        struct segment first = plain, next;
        first.is_ip6 = is_ip6;
        next = first;
        next.sequence += 2 * next.length;
        struct segment change = next;
        change.sequence++;
        apart(first, &change);
        change = next;
        change.sequence -= next.length; // sent again
        apart(first, &change);
        change = next;
        change.acknowledged++;
        apart(first, &change);
        change = next;
        change.window--;
        apart(first, &change);
        change = next;
        change.host++;
        apart(first, &change);
        change = next;
        change.station++;
        apart(first, &change);
        change = next;
        change.port++;
        apart(first, &change);
        change = next;
        change.protocol = 17;
        apart(first, &change);
        change = next;
        change.source++;
        apart(first, &change);
        change = next;
        change.hops--;
        apart(first, &change);
        change = next;
        change.options = 4;
        apart(first, &change);
        change = next;
        change.length = 0;
        apart(first, &change);
        change = next;
        change.is_ip6 = !is_ip6;
        apart(first, &change);
        const uint8_t flags[] = {ACK | FIN, ACK | SYN, ACK | URG, 0};
        for (unsigned i = 0; i < sizeof flags; i++) {
            change = next;
            change.flags = flags[i];
            apart(first, &change);
            change = first;
            change.flags = flags[i];
            run(change, 3); // nor does any of these begin a frame
            check(3);
        }
        change = first;
        change.protocol = 17;
        run(change, 3);
        check(3);
        change = first;
        change.options = 12;
        run(change, 3);
        check(3);
        run(change, 1);
        change.sequence += change.length + change.options; // as if the options were data
        run(change, 1);
        check(2);
    }
}

static void devices_get_what_they_can_cut(void **state)
{
    (void)state;
    struct segment six = plain;
    six.is_ip6 = true;
    device.capabilities &= ~(uint32_t)BM_NETDEV_TSO6;
    run(six, 3);
    check(3);
    run(plain, 3);
    check(1);
    device.capabilities = BM_NETDEV_CHECKSUM_TX | BM_NETDEV_TSO6;
    run(six, 3);
    check(1);
    run(plain, 3);
    check(3);
}

static void without_memory_or_room_segments_stay_single(void **state)
{
    (void)state;
    no_memory = true;
    run(plain, 5);
    check(5);
    no_memory = false;
    interface.waiting = INTERFACE_QUEUE_MAX; // whoever is told that it was sent must have a place
    run(plain, 5);
    check(5);
}

static void any_mixture_comes_out_as_it_was(void **state)
{
    (void)state;
    srand(5);
    for (unsigned round = 0; round < 50; round++) {
        struct segment streams[3] = {plain, plain, plain};
        streams[1].host = 2;
        streams[2].is_ip6 = true;
        for (unsigned i = 0; i < 200; i++) {
            struct segment *segment = &streams[rand() % 30 ? round % 3 : (unsigned)rand() % 3];
            segment->length = rand() % 8 ? 1460 : (unsigned)rand() % 1460;
            segment->flags = (uint8_t)(rand() % 20 ? ACK | (rand() & PSH) : rand() & 63);
            segment->pieces = rand() % 4 ? 1 : 1 + (unsigned)rand() % 4;
            segment->acknowledged += rand() % 25 == 0;
            segment->options = rand() % 30 ? 0 : 4;
            transmit(segment);
            segment->sequence += segment->length + (rand() % 40 == 0);
        }
        check(0);
    }
    assert_true(most_segments > 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(segments_become_one_frame),          TEST(push_is_kept),
        TEST(the_last_of_a_frame_may_be_shorter), TEST(what_differs_is_sent_apart),
        TEST(devices_get_what_they_can_cut),      TEST(without_memory_or_room_segments_stay_single),
        TEST(any_mixture_comes_out_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
