// Checksums: the sum itself, and what a device with offload is given.
// SPDX-License-Identifier: MIT
// @sources net/device/checksum.c
#include "../../net/device/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// RFC 1071 as it is written: 16-bit words in network order.
static uint32_t plain_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void sums(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (unsigned length = 0; length < sizeof bytes; length++) {
        uint8_t *exact = malloc(length + 1); // its own block: reading beyond is found
        for (unsigned i = 0; i < length; i++)
            exact[i] = (uint8_t)(length % 3 == 0 ? 0xff : rand());
        uint16_t sum = bm_net_checksum_sum(exact, (int)length);
        assert_int_equal(__builtin_bswap16(sum) % 0xffff, plain_sum(0, exact, length) % 0xffff);
        free(exact);
    }
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// What the device does: sums from start to the end and stores the complement.
static void device(uint8_t *frame, size_t length, unsigned start, unsigned offset)
{
    uint32_t sum = plain_sum(0, frame + start, length - start);
    put16(frame + start + offset, ~sum & 0xffff);
}

enum { PAYLOAD = 37 };

static size_t frame4(uint8_t *frame, unsigned options)
{
    unsigned header = 20 + options;
    size_t length = 14 + header + 20 + PAYLOAD;
    for (size_t i = 0; i < length; i++)
        frame[i] = (uint8_t)rand();
    put16(frame + 12, 0x0800);
    frame[14] = (uint8_t)(0x40 | header / 4);
    put16(frame + 16, header + 20 + PAYLOAD);
    put16(frame + 20, 0x4000);
    frame[23] = 6;
    put16(frame + 14 + header + 16, 0xdead); // must not matter
    return length;
}

static void tcp_over_ip4(void **state)
{
    (void)state;
    for (unsigned options = 0; options <= 40; options += 4) {
        uint8_t frame[200];
        uint16_t start = 0, offset = 0;
        size_t length = frame4(frame, options);
        bm_net_checksum_prepare(frame, (unsigned)length, &start, &offset);
        assert_int_equal(start, 34 + options);
        assert_int_equal(offset, 16);
        device(frame, length, start, offset);
        uint32_t sum = plain_sum(6 + 20 + PAYLOAD, frame + 26, 8);
        assert_int_equal(plain_sum(sum, frame + start, length - start), 0xffff);
    }
}

static void tcp_over_ip6(void **state)
{
    (void)state;
    uint8_t frame[200];
    uint16_t start = 0, offset = 0;
    size_t length = 14 + 40 + 20 + PAYLOAD;
    for (size_t i = 0; i < length; i++)
        frame[i] = (uint8_t)rand();
    put16(frame + 12, 0x86dd);
    put16(frame + 18, 20 + PAYLOAD);
    frame[20] = 6;
    bm_net_checksum_prepare(frame, (unsigned)length, &start, &offset);
    assert_int_equal(start, 54);
    device(frame, length, start, offset);
    uint32_t sum = plain_sum(6 + 20 + PAYLOAD, frame + 22, 32);
    assert_int_equal(plain_sum(sum, frame + start, length - start), 0xffff);
}

// Whatever else it is, the frame stays as it is and the device is asked for nothing.
static void others(void **state)
{
    (void)state;
    static const struct {
        unsigned at, value;
    } changes[] = {{12, 0x0806}, {20, 0x2000}, {20, 0x0001}, {22, 0x4011},
                   {14, 0x4400}, {14, 0x4f00}, {16, 20},     {16, 30}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t frame[200], before[200];
        uint16_t start = 0, offset = 0;
        size_t length = frame4(frame, 0);
        put16(frame + changes[i].at, changes[i].value);
        memcpy(before, frame, length);
        // The headers are all that stands in the first piece.
        bm_net_checksum_prepare(frame, changes[i].value == 0x4f00 ? 54 : (unsigned)length, &start, &offset);
        assert_int_equal(start, 0);
        assert_memory_equal(frame, before, length);
    }
    for (unsigned length = 0; length < 54; length++) {
        uint8_t whole[200], *exact = malloc(length + 1);
        uint16_t start = 0, offset = 0;
        frame4(whole, 0);
        memcpy(exact, whole, length);
        bm_net_checksum_prepare(exact, length, &start, &offset);
        assert_int_equal(start, 0);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums), cmocka_unit_test(tcp_over_ip4),
                                       cmocka_unit_test(tcp_over_ip6), cmocka_unit_test(others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
