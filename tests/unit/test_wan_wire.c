// What the wire of `ci/bench wan` reads, counts, and is told; frames in the order of their arrival.
// SPDX-License-Identifier: MIT
// @sources bench/wan/control.c bench/wan/flow.c bench/wan/frame.c bench/wan/path.c bench/wan/transit.c
// @includes bench/wan
#include "control.h"
#include "flow.h"
#include "frame.h"
#include "transit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINK = 14, DATA = 100 };

static void put16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

// A TCP segment with DATA bytes from x.x.x.101 to x.x.x.2, by IPv4 or IPv6; returns the frame's size.
static size_t make_segment(uint8_t *frame, bool six)
{
    const size_t ip = six ? 40 : 20, size = LINK + ip + 20 + DATA;
    memset(frame, 0, size);
    put16(frame + 12, six ? 0x86dd : 0x0800);
    if (six) {
        frame[LINK] = 0x60;
        put16(frame + LINK + 4, 20 + DATA);
        frame[LINK + 6] = 6;
        frame[LINK + 23] = 101;
        frame[LINK + 39] = 2;
    } else {
        frame[LINK] = 0x45;
        put16(frame + LINK + 2, (unsigned)(size - LINK));
        frame[LINK + 9] = 6;
        frame[LINK + 15] = 101;
        frame[LINK + 19] = 2;
    }
    uint8_t *tcp = frame + LINK + ip;
    put16(tcp, 40000);
    put16(tcp + 2, 19);
    put16(tcp + 6, 1000);
    tcp[12] = 5 << 4;
    tcp[13] = TCP_ACK;
    return size;
}

static struct frame_view read_copy(const uint8_t *frame, size_t size)
{
    struct frame_view view;
    uint8_t *copy = malloc(size ? size : 1); // of that size, so that the sanitizer sees what lies behind it
    assert_non_null(copy);
    memcpy(copy, frame, size);
    frame_read(copy, size, &view);
    free(copy);
    return view;
}

static void segments_are_read(void **arg)
{
    (void)arg;
    for (int six = 0; six < 2; six++) {
        uint8_t frame[256] = {0};
        const size_t size = make_segment(frame, six);
        struct frame_view view = read_copy(frame, size);
        assert_int_equal(view.kind, FRAME_PACKET);
        assert_true(view.tcp);
        assert_int_equal(view.six, six);
        assert_int_equal(view.source, 101);
        assert_int_equal(view.destination, 2);
        assert_int_equal(view.source_port, 40000);
        assert_int_equal(view.destination_port, 19);
        assert_int_equal(view.sequence, 1000);
        assert_int_equal(view.data, DATA);
        assert_int_equal(view.length, DATA);
        // Ethernet's padding is no data, SYN and FIN take a number each, options are no data.
        assert_int_equal(read_copy(frame, size + 6).data, DATA);
        uint8_t *tcp = frame + LINK + (six ? 40 : 20);
        tcp[12] = 8 << 4;
        tcp[13] = TCP_SYN | TCP_FIN;
        view = read_copy(frame, size);
        assert_int_equal(view.data, DATA - 12);
        assert_int_equal(view.length, DATA - 12 + 2);
    }
}

static void cut_frames_are_malformed(void **arg)
{
    (void)arg;
    for (int six = 0; six < 2; six++) {
        uint8_t frame[256];
        const size_t size = make_segment(frame, six);
        for (size_t cut = 0; cut < size; cut++) {
            const struct frame_view view = read_copy(frame, cut);
            assert_int_equal(view.kind, FRAME_MALFORMED);
            assert_false(view.tcp);
        }
    }
}

static void lengths_that_contradict(void **arg)
{
    (void)arg;
    uint8_t frame[256];
    size_t size = make_segment(frame, false);
    static const uint8_t first[] = {0x44, 0x40, 0x65, 0x4f}; // short header, none, version 6, longer than all
    for (size_t i = 0; i < sizeof(first); i++) {
        frame[LINK] = first[i];
        if (i == 3)
            put16(frame + LINK + 2, 59);
        assert_int_equal(read_copy(frame, size).kind, FRAME_MALFORMED);
    }
    // A packet whose TCP header is none is a packet still.
    static const uint8_t offsets[] = {0, 4 << 4, 15 << 4};
    for (size_t i = 0; i < sizeof(offsets); i++) {
        size = make_segment(frame, false);
        put16(frame + LINK + 2, 20 + 20 + 8);
        frame[LINK + 20 + 12] = offsets[i];
        assert_int_equal(read_copy(frame, size).kind, FRAME_PACKET);
        assert_false(read_copy(frame, size).tcp);
    }
    size = make_segment(frame, false);
    for (unsigned rest = 0; rest < 20; rest++) {
        put16(frame + LINK + 2, 20 + rest);
        assert_false(read_copy(frame, LINK + 20 + rest).tcp);
    }
    size = make_segment(frame, false);
    frame[LINK + 6] = 0x20; // more fragments
    assert_false(read_copy(frame, size).tcp);
    size = make_segment(frame, false);
    frame[LINK + 6] = 0x40; // don't fragment
    assert_true(read_copy(frame, size).tcp);
}

static void what_is_of_the_link(void **arg)
{
    (void)arg;
    uint8_t frame[256];
    const size_t size = make_segment(frame, true);
    frame[LINK + 6] = 58;
    for (unsigned type = 0; type < 256; type++) {
        frame[LINK + 40] = (uint8_t)type;
        assert_int_equal(read_copy(frame, size).kind,
                         type >= 133 && type <= 137 ? FRAME_LOCAL : FRAME_PACKET);
    }
    put16(frame + 12, 0x0806);
    assert_int_equal(read_copy(frame, 60).kind, FRAME_LOCAL);
    assert_int_equal(read_copy(frame, LINK).kind, FRAME_LOCAL);
}

// A segment out of guest 1 to port 5000 of path 101.
static struct flow_place note(struct flows *flows, uint32_t sequence, uint32_t data, uint8_t flags)
{
    const struct frame_view view = {.kind = FRAME_PACKET,
                                    .tcp = true,
                                    .source_port = 19,
                                    .destination_port = 5000,
                                    .sequence = sequence,
                                    .data = data,
                                    .length = data + !!(flags & TCP_SYN) + !!(flags & TCP_FIN),
                                    .flags = flags};
    return flow_note(flows, &view, 1, 101, true);
}

static void assert_place(struct flow_place place, uint32_t at, uint32_t again)
{
    assert_true(place.known);
    assert_int_equal(place.at, at);
    assert_int_equal(place.again, again);
}

static void what_is_sent_again(void **arg)
{
    (void)arg;
    static struct flows flows;
    static const uint32_t starts[] = {1000, 0xffffffff, 0xfffffe00}; // numbers wrap
    assert_false(note(&flows, 77, 100, TCP_ACK).known);              // began before the wire did
    for (size_t i = 0; i < 3; i++) {
        const uint32_t s = starts[i];
        assert_place(note(&flows, s, 0, TCP_SYN | TCP_ACK), 0, 0);
        assert_place(note(&flows, s, 0, TCP_SYN | TCP_ACK), 0, 1);
        assert_place(note(&flows, s + 1, 1000, TCP_ACK), 1, 0);
        assert_place(note(&flows, s + 2001, 1000, TCP_ACK), 2001, 0); // the one between went another way
        assert_place(note(&flows, s + 1, 1000, TCP_ACK), 1, 1000);
        assert_place(note(&flows, s + 2501, 1000, TCP_ACK), 2501, 500);
        assert_place(note(&flows, s + 3501, 0, TCP_ACK), 3501, 0);
        assert_place(note(&flows, s + 3501, 0, TCP_ACK | TCP_FIN), 3501, 0);
        assert_place(note(&flows, s + 3501, 0, TCP_ACK | TCP_FIN), 3501, 1);
    }
}

static void connections_are_told_apart(void **arg)
{
    (void)arg;
    static struct flows flows;
    struct frame_view view = {.tcp = true, .source_port = 19, .length = 1, .flags = TCP_SYN};
    for (unsigned port = 40000; port < 40200; port++) {
        view.destination_port = (uint16_t)port;
        view.sequence = port;
        assert_true(flow_note(&flows, &view, 0, 101, true).known);
    }
    view.flags = TCP_ACK;
    view.length = view.data = 10;
    for (unsigned port = 40000; port < 40200; port++) {
        view.destination_port = (uint16_t)port;
        view.sequence = port + 1;
        assert_place(flow_note(&flows, &view, 0, 101, true), 1, 0);
        assert_false(flow_note(&flows, &view, 0, 102, true).known); // another path
        assert_false(flow_note(&flows, &view, 1, 101, true).known); // another guest
    }
    view.source_port = 40000; // the same connection, the other way: its SYN was not seen
    view.destination_port = 19;
    assert_false(flow_note(&flows, &view, 0, 101, false).known);
}

static const char *read_words(const char *words, struct setting *setting)
{
    static char copy[512];
    assert_true(strlen(words) < sizeof(copy));
    strcpy(copy, words);
    return control_read(copy, setting);
}

static void words_are_read(void **arg)
{
    (void)arg;
    struct setting s;
    assert_null(
        read_words("path=101 seed=7 rate_kbit=20000 delay_us=25000 queue=65536 loss_ppm_out=10000 "
                   "jitter_us_in=10 mtu=1400 drop_at_out=7000 drop_times_out=2 reorder_ppm=1 late_us=5000 "
                   "burst_ppm=3 burst_end_ppm=4 duplicate_ppm=5",
                   &s));
    assert_int_equal(s.path, 101);
    assert_int_equal(s.seed, 7);
    for (int way = IN; way <= OUT; way++) {
        const struct path *p = &s.ways[way];
        assert_int_equal(p->rate, 20000000);
        assert_int_equal(p->delay, 25000000);
        assert_int_equal(p->queue, 65536);
        assert_int_equal(p->loss, way == OUT ? 10000 : 0);
        assert_int_equal(p->jitter, way == IN ? 10000 : 0);
        assert_int_equal(p->mtu, 1400);
        assert_int_equal(p->reorder, 1);
        assert_int_equal(p->late, 5000000);
        assert_int_equal(p->burst, 3);
        assert_int_equal(p->burst_end, 4);
        assert_int_equal(p->duplicate, 5);
        assert_int_equal(s.drops[way].place, way == OUT ? 7000 : 0);
        assert_int_equal(s.drops[way].times, way == OUT ? 2 : 0);
    }
}

static void wrong_words_are_refused(void **arg)
{
    (void)arg;
    static const char *const wrong[] = {
        "",
        "seed=1",
        "path",
        "path=",
        "path=256",
        "path=-1",
        "path=1x",
        "path=1 delay_us",
        "path=1 delay_us=",
        "path=1 delay_us=+1",
        "path=1 delay_us=1.5",
        "path=1 delay_us=99999999999999999999",
        "path=1 delay_us=18446744073709552",
        "path=1 queue=4294967296",
        "path=1 colour=3",
        "path=1 _in=3",
        "path=1 delay_us_in_out=3",
        "path=1 delay_us_up=3",
        "path=1 loss_ppm=1000001",
        "path=1 burst_ppm_in=5",
        "path=1 mtu_out=100",
        "path=1 seed=x",
        "path=1 a_key_that_is_longer_than_all_the_others=1",
    };
    struct setting s;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_non_null(read_words(wrong[i], &s));
}

static void counters_are_written(void **arg)
{
    (void)arg;
    const struct path_counters counters = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct report reports[2] = {{&counters, 9, 10, 11, 16, 12},
                                      {&counters, 13, 14, 15, 17, UINT64_MAX}};
    char text[1024], small[1024];
    assert_true(control_write(text, sizeof(text), reports));
    assert_string_equal(
        text,
        "{\"in\": {\"frames\": 1, \"bytes\": 2, \"lost\": 5, \"overflowed\": 4, "
        "\"too_large\": 3, \"reordered\": 6, "
        "\"duplicated\": 7, \"queued_max\": 8, \"dropped\": 9, \"data\": 10, \"again\": 11, \"spilled\": 16, "
        "\"behind_max\": 12}, "
        "\"out\": {\"frames\": 1, \"bytes\": 2, \"lost\": 5, \"overflowed\": 4, "
        "\"too_large\": 3, \"reordered\": 6, "
        "\"duplicated\": 7, \"queued_max\": 8, \"dropped\": 13, \"data\": 14, \"again\": 15, \"spilled\": "
        "17, "
        "\"behind_max\": 18446744073709551615}}");
    for (size_t room = 1; room <= strlen(text); room++)
        assert_false(control_write(small, room, reports));
    assert_true(control_write(small, strlen(text) + 1, reports));
}

static void frames_leave_in_order(void **arg)
{
    (void)arg;
    enum { COUNT = 5000 };
    struct transit *transit = calloc(1, sizeof(*transit));
    assert_non_null(transit);
    uint32_t random = 1;
    for (int i = 0; i < COUNT; i++) {
        struct frame *frame = transit_new(transit);
        assert_non_null(frame);
        random = random * 1664525 + 1013904223;
        frame->when = random >> 24; // many of the same moment
        transit_put(transit, frame);
    }
    uint64_t when = 0, order = 0;
    for (int i = 0; i < COUNT; i++) {
        struct frame *next = transit_next(transit), *frame = transit_take(transit);
        assert_ptr_equal(next, frame);
        assert_true(frame->when > when || i == 0 || (frame->when == when && frame->order > order));
        when = frame->when;
        order = frame->order;
        transit_free(transit, frame);
    }
    assert_null(transit_take(transit));
    assert_int_equal(transit->made, COUNT);
    for (int i = 0; i < COUNT; i++) // spare ones come first
        free(transit_new(transit));
    assert_int_equal(transit->made, COUNT);
    transit->made = TRANSIT_MAX;
    assert_null(transit_new(transit));
    free(transit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_read),       cmocka_unit_test(cut_frames_are_malformed),
        cmocka_unit_test(lengths_that_contradict), cmocka_unit_test(what_is_of_the_link),
        cmocka_unit_test(what_is_sent_again),      cmocka_unit_test(connections_are_told_apart),
        cmocka_unit_test(words_are_read),          cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(counters_are_written),    cmocka_unit_test(frames_leave_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
