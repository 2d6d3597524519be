// The network's words on the command line, and addresses as text.
// SPDX-License-Identifier: MIT
// @sources net/start/option.c net/start/address.c
#include "../../net/start/option.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t ip(const char *text)
{
    struct in_addr address;
    assert_int_equal(inet_pton(AF_INET, text, &address), 1);
    return address.s_addr;
}

static void ip_words(void **state)
{
    (void)state;
    struct bm_net_ip options = {.mode = BM_NET_STATIC};
    assert_null(bm_net_option_ip("dhcp", &options));
    assert_int_equal(options.mode, BM_NET_DHCP);
    assert_null(bm_net_option_ip("off", &options));
    assert_int_equal(options.mode, BM_NET_OFF);
}

static void ip_static(void **state)
{
    (void)state;
    struct bm_net_ip options = {0};
    assert_null(bm_net_option_ip("10.0.2.15/24,10.0.2.2", &options));
    assert_int_equal(options.mode, BM_NET_STATIC);
    assert_int_equal(options.address, ip("10.0.2.15"));
    assert_int_equal(options.netmask, ip("255.255.255.0"));
    assert_int_equal(options.gateway, ip("10.0.2.2"));
    assert_null(bm_net_option_ip("192.0.2.1/32", &options));
    assert_int_equal(options.netmask, ip("255.255.255.255"));
    assert_int_equal(options.gateway, 0);
    assert_null(bm_net_option_ip("172.16.5.4/1", &options));
    assert_int_equal(options.netmask, ip("128.0.0.0"));
}

// Nothing of a wrong value takes effect.
static void ip_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "DHCP",
                                        "dhcp,10.0.2.2",
                                        "10.0.2.15",
                                        "10.0.2.15/",
                                        "10.0.2.15/0",
                                        "10.0.2.15/33",
                                        "10.0.2.15/024",
                                        "10.0.2.15/24,",
                                        "10.0.2.15/24,10.0.3.2",
                                        "10.0.2.15/24,10.0.2.2,",
                                        "10.0.2/24",
                                        "10.0.2.256/24",
                                        "10.0.2.15/2x",
                                        "10.0.2.15/24,gateway",
                                        "10.0.2.15/24,10.0.2.15",
                                        "10.0.2.0/24",
                                        "10.0.2.255/24",
                                        "127.0.0.1/8",
                                        "0.0.0.0/8",
                                        "224.0.0.1/8",
                                        "010.0.2.15/24",
                                        "10.0.2.15,10.0.2.2/24",
                                        "10.0.2.15 /24",
                                        "fe80::1/64",
                                        "::1/64",
                                        "ff02::1/64",
                                        "2001:db8::5",
                                        "2001:db8::5/48",
                                        "2001:db8::5/064",
                                        "2001:db8::5/64,",
                                        "2001:db8::5/64,10.0.2.2",
                                        "2001:db8::5/64,::",
                                        "eth0:10.0.2.15/24",
                                        "/24",
                                        ",",
                                        "10..2.15/24",
                                        "4294967306.0.2.15/24"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bm_net_ip options, before;
        memset(&options, 0x55, sizeof options);
        before = options;
        const char *why = bm_net_option_ip(wrong[i], &options);
        if (!why)
            fail_msg("'%s' was taken", wrong[i]);
        assert_true(strlen(why) > 10);
        assert_memory_equal(&options, &before, sizeof options);
    }
}

static void ip_static6(void **state)
{
    (void)state;
    struct bm_net_ip options = {0};
    assert_null(bm_net_option_ip("2001:db8::5/64,fe80::1", &options));
    assert_int_equal(options.mode, BM_NET_DHCP); // IPv4 goes on as before
    assert_true(options.has_ip6);
    assert_int_equal(options.address6[15], 5);
    assert_int_equal(options.gateway6[0], 0xfe);
    assert_null(bm_net_option_ip("10.0.2.15/24", &options));
    assert_true(options.has_ip6);
}

// The interface in front of a value; all else is left to the value's own parser.
static void names(void **state)
{
    (void)state;
    struct bm_net_which which;
    assert_string_equal(bm_net_option_which("eth1:dhcp", &which), "dhcp");
    assert_string_equal(which.name, "eth1");
    assert_string_equal(bm_net_option_which("eth10.4094:off", &which), "off");
    assert_string_equal(which.name, "eth10.4094");
    assert_string_equal(bm_net_option_which("52:54:00:Ab:34:57:10.0.2.15/24", &which), "10.0.2.15/24");
    assert_true(which.is_mac);
    assert_memory_equal(which.mac, "\x52\x54\0\xab\x34\x57", 6);
    static const char *const none[] = {"",
                                       "dhcp",
                                       "eth1",
                                       "ethernet",
                                       "2001:db8::5/64",
                                       "52:54:00:12:34/64",
                                       "etx1:dhcp",
                                       ":",
                                       "eth0123456789:dhcp"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_ptr_equal(bm_net_option_which(none[i], &which), none[i]);
        assert_false(which.is_mac || which.name[0]);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const char *const wrong_vlans[] = {"", "0", "4095", "05", "5x", "-1", "99999", "100000"};
    static const char *const wrong_mtus[] = {"", "575", "9001", "65536", "01500", "1500 ", "0x600"};
    unsigned number = 0;
    assert_null(bm_net_option_vlan("1", &number));
    assert_int_equal(number, 1);
    assert_null(bm_net_option_vlan("4094", &number));
    assert_int_equal(number, 4094);
    assert_null(bm_net_option_mtu("576", 9000, &number));
    assert_null(bm_net_option_mtu("9000", 9000, &number));
    for (size_t i = 0; i < sizeof wrong_vlans / sizeof *wrong_vlans; i++)
        assert_non_null(bm_net_option_vlan(wrong_vlans[i], &number));
    for (size_t i = 0; i < sizeof wrong_mtus / sizeof *wrong_mtus; i++)
        assert_non_null(bm_net_option_mtu(wrong_mtus[i], 9000, &number));
    assert_int_equal(number, 9000);
}

static void routes(void **state)
{
    (void)state;
    struct bm_net_route route = {0};
    assert_null(bm_net_option_route("10.1.0.0/16,10.0.2.9", &route));
    assert_int_equal(route.destination, ip("10.1.0.0"));
    assert_int_equal(route.netmask, ip("255.255.0.0"));
    assert_int_equal(route.gateway, ip("10.0.2.9"));
    assert_null(bm_net_option_route("0.0.0.0/0,10.0.2.2", &route));
    assert_int_equal(route.netmask, 0);
    static const char *const wrong[] = {"",
                                        "10.1.0.0/16",
                                        "10.1.0.0,10.0.2.9",
                                        "10.1.2.0/16,10.0.2.9",
                                        "10.1.0.0/33,10.0.2.9",
                                        "10.1.0.0/16,0.0.0.0",
                                        "10.1.0.0/16,10.0.2.9,",
                                        "2001:db8::/64,fe80::1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(bm_net_option_route(wrong[i], &route));
    assert_int_equal(route.netmask, 0);
}

static void dns_servers(void **state)
{
    (void)state;
    struct bm_net_dns options = {0};
    assert_null(bm_net_option_dns("10.0.2.3,2001:db8::53", &options));
    assert_int_equal(options.count, 2);
    assert_false(options.servers[0].is_ip6);
    assert_memory_equal(options.servers[0].bytes, &(uint32_t){ip("10.0.2.3")}, 4);
    assert_true(options.servers[1].is_ip6);
    assert_int_equal(options.servers[1].bytes[15], 0x53);
    assert_null(bm_net_option_dns("1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4", &options));
    assert_int_equal(options.count, 4);
    static const char *const wrong[] = {"",
                                        ",",
                                        "1.1.1.1,",
                                        "1.1.1",
                                        "ns.example.org",
                                        "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5",
                                        "1.1.1.1 2.2.2.2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_non_null(bm_net_option_dns(wrong[i], &options));
        assert_int_equal(options.count, 4);
    }
}

static void host_names(void **state)
{
    (void)state;
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = 0;
    assert_non_null(bm_net_option_hostname(longest));
    longest[63] = 0;
    assert_null(bm_net_option_hostname(longest));
    assert_null(bm_net_option_hostname("web-1.example"));
    static const char *const wrong[] = {"",
                                        "-web",
                                        "web-",
                                        ".web",
                                        "we b",
                                        "web_1",
                                        ("w\xc3\xa4"
                                         "b")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(bm_net_option_hostname(wrong[i]));
}

// The host's C library is the judge of what an address is.
static void addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {"1.2.3.4",
                                        "255.255.255.255",
                                        "0.0.0.0",
                                        "1.2.3",
                                        "1.2.3.4.5",
                                        "01.2.3.4",
                                        "1.2.3.04",
                                        "1.2.3.4 ",
                                        "256.1.1.1",
                                        "1.2.3.-4",
                                        ".1.2.3",
                                        "::",
                                        "::1",
                                        "1::",
                                        "2001:db8::8:800:200c:417a",
                                        "FF01::101",
                                        "1:2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "1::2::3",
                                        ":::",
                                        ":1",
                                        "1:",
                                        "::1:",
                                        "12345::",
                                        "1:2:3:4:5:6:7::",
                                        "::2:3:4:5:6:7:8",
                                        "1::3:4:5:6:7:8",
                                        "1:2:3:4:5:6:1.2.3.4",
                                        "::ffff:1.2.3.4",
                                        "1.2.3.4::",
                                        "::1.2.3",
                                        "::1.2.3.4:5",
                                        "1:2:3:4:5:6:7:1.2.3.4",
                                        "::g",
                                        "fe80::1%eth0",
                                        "::1 ",
                                        "1:2:3:4::5:6:7:8",
                                        "0:0:0:0:0:0:0:0",
                                        "abcd:ef01::"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t mine[16] = {0}, theirs[16] = {0};
        size_t length = strlen(texts[i]);
        bool ok4 = bm_net_parse_ip4(texts[i], length, mine);
        if (ok4 != (inet_pton(AF_INET, texts[i], theirs) == 1))
            fail_msg("'%s' as IPv4: %d", texts[i], ok4);
        assert_memory_equal(mine, theirs, 16);
        bool ok6 = bm_net_parse_ip6(texts[i], length, mine);
        if (ok6 != (inet_pton(AF_INET6, texts[i], theirs) == 1))
            fail_msg("'%s' as IPv6: %d", texts[i], ok6);
        assert_memory_equal(mine, theirs, 16);
    }
}

// The length counts, not a terminator.
static void address_ends(void **state)
{
    (void)state;
    uint8_t bytes[16];
    assert_true(bm_net_parse_ip4("1.2.3.45", 7, bytes));
    assert_int_equal(bytes[3], 4);
    assert_true(bm_net_parse_ip6("::12", 3, bytes));
    assert_int_equal(bytes[15], 1);
    assert_false(bm_net_parse_ip6("::", 1, bytes));
    assert_false(bm_net_parse_ip6("", 0, bytes));
    assert_false(bm_net_parse_ip4("", 0, bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_words),     cmocka_unit_test(ip_static),  cmocka_unit_test(ip_wrong),
        cmocka_unit_test(dns_servers),  cmocka_unit_test(host_names), cmocka_unit_test(addresses),
        cmocka_unit_test(address_ends), cmocka_unit_test(ip_static6), cmocka_unit_test(names),
        cmocka_unit_test(numbers),      cmocka_unit_test(routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
