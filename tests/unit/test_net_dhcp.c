// DHCP messages: what odd servers say, and what the client says.
// SPDX-License-Identifier: MIT
// @sources net/start/dhcp_message.c
#include "../../net/start/dhcp_message.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { XID = 0x11223344 };

static const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static unsigned char reply[600];
static size_t size;
static struct bm_dhcp_message message;

static uint32_t ip(const char *text)
{
    struct in_addr address;
    assert_int_equal(inet_pton(AF_INET, text, &address), 1);
    return address.s_addr;
}

// A reply that gives 10.7.0.2, without options.
static int reply_begin(void **state)
{
    const uint32_t xid = XID, address = ip("10.7.0.2");
    (void)state;
    memset(reply, 0, sizeof reply);
    reply[0] = 2;
    memcpy(reply + 4, &xid, 4);
    memcpy(reply + 16, &address, 4);
    memcpy(reply + 28, mac, 6);
    memcpy(reply + 236, "\x63\x82\x53\x63", 4);
    size = 240;
    return 0;
}

static void put(const char *bytes, size_t length)
{
    memcpy(reply + size, bytes, length);
    size += length;
}
#define PUT(text) put(text, sizeof text - 1)

static bool parse(void)
{
    return bm_dhcp_parse(reply, size, XID, mac, &message);
}

static void ordinary(void **state)
{
    (void)state;
    PUT("\x35\1\5"
        "\x36\4\12\7\0\5"
        "\x33\4\0\0\016\020"
        "\1\4\xff\xff\xff\0"
        "\3\4\12\7\0\1");
    PUT("\6\10\12\7\0\3\12\7\0\4"
        "\x1a\2\5\x14"
        "\xff"
        "\1\4\xff\0\0\0");
    assert_true(parse());
    assert_int_equal(message.type, BM_DHCP_ACK);
    assert_int_equal(message.address, ip("10.7.0.2"));
    assert_int_equal(message.server, ip("10.7.0.5"));
    assert_int_equal(message.netmask, ip("255.255.255.0"));
    assert_int_equal(message.gateway, ip("10.7.0.1"));
    assert_int_equal(message.lease, 3600);
    assert_int_equal(message.t1, 1800000);
    assert_int_equal(message.t2, 3150000);
    assert_int_equal(message.mtu, 1300);
    assert_int_equal(message.dns_count, 2);
    assert_int_equal(message.dns[1], ip("10.7.0.4"));
}

static void none_of_ours(void **state)
{
    (void)state;
    static const unsigned at[] = {0, 4, 7, 28, 33, 16}; // the last: 11.7.0.2 is an address, too
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
        reply_begin(NULL);
        reply[at[i]] ^= 1;
        assert_int_equal(parse(), at[i] == 16);
    }
    reply[16] = 224;
    assert_false(parse());
    size = 235;
    assert_false(parse());
}

// Without a cookie, or of 236 bytes, it is BOOTP's: the address and its class.
static void plain_bootp(void **state)
{
    (void)state;
    size = 236;
    assert_true(parse());
    assert_int_equal(message.type, BM_DHCP_BOOTP);
    assert_int_equal(message.netmask, ip("255.0.0.0"));
    assert_true(message.lease == BM_DHCP_FOREVER);
}

static void broken_options(void **state)
{
    (void)state;
    PUT("\0\0\x35\1\2"
        "\1\3\xff\xff\xff"
        "\1\4\xff\0\xff\0"
        "\x33\2\0\1"
        "\6\5\12\7\0\3\12"
        "\3\4\12\7");
    assert_true(parse());
    assert_int_equal(message.type, BM_DHCP_OFFER);
    assert_int_equal(message.netmask, ip("255.0.0.0"));
    assert_int_equal(message.dns_count, 1);
    assert_int_equal(message.gateway, 0);
}

static void impossible_addresses(void **state)
{
    (void)state;
    PUT("\x35\1\2\1\4\xff\xff\xff\0");
    static const struct {
        const char *address, *gateway;
        bool taken, kept;
    } rows[] = {{"10.7.0.5", "10.7.0.1", true, true},         {"10.7.0.255", "10.7.0.1", false, false},
                {"10.7.0.0", "10.7.0.1", false, false},       {"127.0.0.1", "10.7.0.1", false, false},
                {"10.7.0.5", "10.7.0.5", true, false},        {"10.7.0.5", "224.0.0.1", true, false},
                {"10.7.0.5", "255.255.255.255", true, false}, {"10.7.0.5", "127.0.0.1", true, false}};
    size_t end = size;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t address = ip(rows[i].address), gateway = ip(rows[i].gateway);
        memcpy(reply + 16, &address, 4);
        size = end;
        PUT("\3\4");
        put((const char *)&gateway, 4);
        assert_int_equal(parse(), rows[i].taken);
        if (rows[i].taken)
            assert_int_equal(message.gateway, rows[i].kept ? gateway : 0);
    }
}

// T1 and T2 that make no sense count for nothing (section 4.4.5 of RFC 2131).
static void times(void **state)
{
    (void)state;
    static const struct {
        unsigned char lease, t1, t2;
        unsigned want1, want2;
    } rows[] = {{8, 0, 0, 4000, 7000}, {8, 5, 3, 1500, 3000}, {8, 3, 5, 3000, 5000}, {8, 9, 9, 4000, 7000},
                {1, 0, 0, 500, 875},   {8, 2, 8, 2000, 7000}, {8, 7, 7, 4000, 7000}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        reply_begin(NULL);
        put((char[]){53, 1, 2,
                     51, 4, 0,
                     0,  0, (char)rows[i].lease,
                     58, 4, 0,
                     0,  0, (char)rows[i].t1,
                     59, 4, 0,
                     0,  0, (char)rows[i].t2},
            21);
        assert_true(parse());
        assert_true(message.t2 == rows[i].want2);
        assert_true(message.t1 == rows[i].want1);
        assert_true(message.t1 < message.t2 && message.t2 < message.lease * 1000ull);
    }
    reply_begin(NULL);
    PUT("\x35\1\2\x33\4\0\0\0\0");
    assert_false(parse());
}

// RFC 3442, its option in two parts (RFC 3396), the first of which ends within a route.
static void classless_routes(void **state)
{
    (void)state;
    PUT("\x35\1\5"
        "\3\4\12\7\0\x4d"
        "\x79\5\x10\12\11\12\7"
        "\x79\x0c\0\x11\0\12\7\0\1\x20\1\2\3\4");
    PUT("\x79\4\0\0\0\0");
    assert_true(parse());
    assert_int_equal(message.route_count, 2);
    assert_int_equal(message.routes[0].destination, ip("10.9.0.0"));
    assert_int_equal(message.routes[0].netmask, ip("255.255.0.0"));
    assert_int_equal(message.routes[0].gateway, ip("10.7.0.17"));
    assert_int_equal(message.routes[1].destination, ip("1.2.3.4"));
    assert_int_equal(message.routes[1].gateway, 0);
    assert_int_equal(message.gateway, ip("10.7.0.1"));
}

// Options in the fields of names (option 52), which do not lead back.
static void impossible_gateways(void **state)
{
    (void)state;
    PUT("\x35\1\2"
        "\x79\x1a"
        "\x10\x0a\1\xe0\0\0\1"
        "\x10\x0a\2\x0a\7\0\2"
        "\x10\x0a\3\x0a\7\0\x11"
        "\0\x7f");
    size += 2; // of the last one: 127.0.0
    reply[size++] = 1;
    assert_true(parse());
    assert_int_equal(message.route_count, 1);
    assert_int_equal(message.routes[0].gateway, ip("10.7.0.17"));
    assert_int_equal(message.gateway, 0);
}

static void overload(void **state)
{
    (void)state;
    PUT("\x34\1\3");
    memcpy(reply + 108, "\x35\1\5\x34\1\3", 6);
    memcpy(reply + 44, "\x36\4\12\7\0\5", 6);
    assert_true(parse());
    assert_int_equal(message.type, BM_DHCP_ACK);
    assert_int_equal(message.server, ip("10.7.0.5"));
}

static void requests(void **state)
{
    (void)state;
    unsigned char data[BM_DHCP_MESSAGE_MAX + 1];
    char name[64];
    memset(name, 'a', 63);
    name[63] = 0;
    struct bm_dhcp_request request = {.type = BM_DHCP_REQUEST,
                                      .xid = XID,
                                      .mac = mac,
                                      .requested = 1,
                                      .server = 1,
                                      .size_max = 1500,
                                      .hostname = ""};
    data[BM_DHCP_MESSAGE_MAX] = 0x55;
    assert_int_equal(bm_dhcp_build(data, &request), 300);
    request.hostname = name;
    assert_in_range(bm_dhcp_build(data, &request), 300, BM_DHCP_MESSAGE_MAX);
    assert_int_equal(data[BM_DHCP_MESSAGE_MAX], 0x55);
    assert_memory_equal(data + 236, "\x63\x82\x53\x63\x35\1\3", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ordinary, reply_begin),
        cmocka_unit_test_setup(none_of_ours, reply_begin),
        cmocka_unit_test_setup(plain_bootp, reply_begin),
        cmocka_unit_test_setup(broken_options, reply_begin),
        cmocka_unit_test_setup(impossible_addresses, reply_begin),
        cmocka_unit_test_setup(times, reply_begin),
        cmocka_unit_test_setup(classless_routes, reply_begin),
        cmocka_unit_test_setup(impossible_gateways, reply_begin),
        cmocka_unit_test_setup(overload, reply_begin),
        cmocka_unit_test(requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
