// DHCPv6 messages: what odd servers say, and what the client says.
// SPDX-License-Identifier: MIT
// @sources net/start/dhcp6_message.c
#include "../../net/start/dhcp6_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const struct bm_dhcp6_client client = {.mac = mac, .association = 0x01020304, .xid = 0xabcdef};
static const unsigned char address[16] = {0xfd, 7, [15] = 10};
static unsigned char reply[600];
static size_t size;
static struct bm_dhcp6_message message;

static void put(unsigned code, const void *bytes, size_t length)
{
    const unsigned char header[4] = {(unsigned char)(code >> 8), (unsigned char)code,
                                     (unsigned char)(length >> 8), (unsigned char)length};
    memcpy(reply + size, header, 4);
    memcpy(reply + size + 4, bytes, length);
    size += 4 + length;
}
#define PUT(code, text) put(code, text, sizeof text - 1)

// A reply with both identifiers.
static int reply_begin(void **state)
{
    (void)state;
    memset(reply, 0, sizeof reply);
    memcpy(reply, "\7\xab\xcd\xef", 4);
    size = 4;
    PUT(1, "\0\3\0\1\x52\x54\0\x12\x34\x56");
    PUT(2, "\0\3\0\1\2\0\0\0\0\5");
    return 0;
}

static bool parse(void)
{
    return bm_dhcp6_parse(reply, size, &client, &message);
}

// An address option inside the addresses of an association.
static void give(unsigned association, unsigned t1, unsigned t2, unsigned preferred, unsigned valid)
{
    unsigned char body[12 + 28] = {
        1, 2, 3, (unsigned char)association, [7] = (unsigned char)t1, [11] = (unsigned char)t2};
    memcpy(body + 12, "\0\5\0\x18", 4);
    memcpy(body + 16, address, 16);
    body[35] = (unsigned char)preferred;
    body[39] = (unsigned char)valid;
    put(3, body, sizeof body);
}

static void ordinary(void **state)
{
    (void)state;
    give(4, 2, 3, 5, 9);
    put(23, address, 16);
    PUT(7, "\x0a");
    PUT(82, "\0\0\0\x78");
    assert_true(parse());
    assert_int_equal(message.type, BM_DHCP6_REPLY);
    assert_true(message.has_address && message.has_times);
    assert_memory_equal(message.address, address, 16);
    assert_int_equal(message.preferred, 5);
    assert_int_equal(message.valid, 9);
    assert_int_equal(message.t1, 2);
    assert_int_equal(message.t2, 3);
    assert_int_equal(message.dns_count, 1);
    assert_int_equal(message.preference, 10);
    assert_int_equal(message.solicit_max, 120);
    assert_int_equal(message.server.length, 10);
    assert_false(message.refused);
}

static void none_of_ours(void **state)
{
    (void)state;
    reply[1] ^= 1;
    assert_false(parse());
    reply_begin(NULL);
    reply[8] ^= 1; // of the client's identifier
    assert_false(parse());
    reply_begin(NULL);
    size -= 14; // the server's is not there
    assert_false(parse());
    reply_begin(NULL);
    reply[21] = 11; // … or is cut
    assert_false(parse());
    size = 3;
    assert_false(parse());
}

static void worthless_addresses(void **state)
{
    (void)state;
    static const unsigned char rows[][5] = {{5, 1, 2, 3, 4}, {4, 3, 2, 3, 4}, {4, 1, 2, 5, 4}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        reply_begin(NULL);
        give(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
        assert_true(parse());
        assert_false(message.has_address);
    }
    reply_begin(NULL);
    PUT(3, "\1\2\3\4\0\0\0\0\0\0\0");
    PUT(5, "an address that is not inside of anything, which is longer than 24 bytes");
    assert_true(parse());
    assert_false(message.has_address);
}

static void refusals(void **state)
{
    (void)state;
    PUT(13, "\0\0fine");
    assert_true(parse());
    assert_false(message.refused);
    PUT(3, "\1\2\3\4\0\0\0\0\0\0\0\0\0\x0d\0\2\0\3");
    assert_true(parse());
    assert_true(message.refused);
}

static void requests(void **state)
{
    (void)state;
    unsigned char data[BM_DHCP6_MESSAGE_MAX + 1];
    struct bm_dhcp6_server server = {.length = BM_DHCP6_SERVER_MAX};
    const struct bm_dhcp6_request request = {
        .type = BM_DHCP6_REQUEST, .client = client, .server = &server, .address = address, .elapsed = 0x102};
    data[BM_DHCP6_MESSAGE_MAX] = 0x55;
    size_t length = bm_dhcp6_build(data, &request);
    assert_in_range(length, 100, BM_DHCP6_MESSAGE_MAX);
    assert_int_equal(data[BM_DHCP6_MESSAGE_MAX], 0x55);
    assert_memory_equal(data, "\3\xab\xcd\xef\0\1\0\x0a\0\3\0\1\x52\x54\0\x12\x34\x56", 18);
    assert_memory_equal(data + length - 44, "\0\3\0\x28\1\2\3\4", 8);
    assert_memory_equal(data + length - 28, "\0\5\0\x18", 4);
    assert_memory_equal(data + length - 24, address, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ordinary, reply_begin),
        cmocka_unit_test_setup(none_of_ours, reply_begin),
        cmocka_unit_test_setup(worthless_addresses, reply_begin),
        cmocka_unit_test_setup(refusals, reply_begin),
        cmocka_unit_test(requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
