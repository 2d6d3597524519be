// Rates of what strangers make the machine send, and name servers with a lifetime.
// SPDX-License-Identifier: MIT
// @sources net/lwip/limit.c net/device/conflict.c net/start/dns_servers.c
// @includes tests/unit/net_limit net/port
#include "../../net/start/dns_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/bm_hooks.h"
#include <baremetal/log.h>

#include "lwip/dns.h"
#include "lwip/sys.h"

// --- What the files ask for ---

static u32_t now = 0xfffff000; // the clock wraps soon
static unsigned draws, warnings;

u32_t sys_now(void)
{
    return now;
}

uint32_t bm_net_random(void)
{
    return draws++;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    warnings += level == BM_LOG_WARN;
}

const char *bm_net_interface_name(const struct netif *netif)
{
    (void)netif;
    return "eth0";
}

static ip_addr_t servers[DNS_MAX_SERVERS];

void dns_setserver(u8_t number, const ip_addr_t *server)
{
    assert_true(number < DNS_MAX_SERVERS);
    servers[number] = server ? *server : (ip_addr_t){0};
}

const ip_addr_t *dns_getserver(u8_t number)
{
    assert_true(number < DNS_MAX_SERVERS);
    return &servers[number];
}

// --- Rates ---

static unsigned errors(u32_t first, unsigned sources, unsigned each)
{
    unsigned sent = 0;
    for (unsigned i = 0; i < each; i++)
        for (u32_t source = first; source < first + sources; source++)
            sent += bm_net_icmp_error_allowed(source);
    return sent;
}

static void test_errors_have_a_rate(void **state)
{
    (void)state;
    unsigned burst = errors(1, 40, 1000); // of many: what is saved up, one or two at a time
    assert_in_range(burst, 50, 100);
    assert_int_equal(errors(1, 40, 1000), 0);
    unsigned sent = 0;
    for (unsigned i = 0; i < 10000; i += 10, now += 10)
        sent += errors(1, 40, 10);
    assert_in_range(sent, 700, 1500);
}

static void test_one_source_has_its_share(void **state)
{
    (void)state;
    now += 5000;
    assert_in_range(errors(7, 1, 1000), 15, 20);
    assert_true(bm_net_icmp_error_allowed(8));
    now += 5000;
    unsigned sent = 0;
    for (unsigned i = 0; i < 1000; i++, now++)
        for (unsigned k = 0; k < 20; k++)
            sent += bm_net_icmp_echo_allowed(7);
    assert_in_range(sent, 5000, 10000); // two of the clock's seconds
    assert_true(bm_net_icmp_echo_allowed(8));
}

// The share of one second at its end, that of the next at its beginning: at once, but for a millisecond.
static void test_two_shares_at_once_leave_some_to_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        now += 10000;
        now = now / 1000 * 1000 + 999;
        unsigned sent = errors(7, 1, 1000);
        now++;
        sent += errors(7, 1, 1000);
        assert_int_equal(sent, 40);
        assert_true(bm_net_icmp_error_allowed(8));
    }
    now += 10000;
    now = now / 1000 * 1000 + 999;
    for (unsigned i = 0; i < 20000; i++) {
        now += i == 10000;
        bm_net_icmp_echo_allowed(7);
    }
    assert_true(bm_net_icmp_echo_allowed(8));
}

static void test_a_long_silence_saves_up_no_more(void **state)
{
    (void)state;
    now += 0x7fffffff;
    assert_in_range(errors(1, 40, 1000), 50, 100);
}

static void test_a_conflict_is_said_once_a_minute(void **state)
{
    (void)state;
    const u8_t mac[6] = {2, 0, 0, 0, 0, 1};
    warnings = 0;
    for (unsigned i = 0; i < 100; i++)
        bm_net_address_conflict(NULL, mac);
    bm_net_address_conflict(NULL, NULL);
    assert_int_equal(warnings, 1);
    now += 60000;
    bm_net_address_conflict(NULL, mac);
    assert_int_equal(warnings, 2);
}

// --- Name servers ---

static ip_addr_t server_of(u8_t type, u32_t number)
{
    ip_addr_t server;
    memset(&server, 0, sizeof server);
    server.addr[0] = number;
    server.type = type;
    return server;
}

static void expect_servers(u32_t first, u32_t second, u32_t third)
{
    assert_int_equal(servers[0].addr[0], first);
    assert_int_equal(servers[1].addr[0], second);
    assert_int_equal(servers[2].addr[0], third);
}

static void test_servers_of_routers_have_a_lifetime(void **state)
{
    (void)state;
    const ip_addr_t one = server_of(IPADDR_TYPE_V6, 1), two = server_of(IPADDR_TYPE_V6, 2);
    const ip_addr_t dhcp = server_of(0, 3), none = server_of(IPADDR_TYPE_V6, 0);
    bm_net_dns_router(&one, 2);
    bm_net_dns_router(&two, 0xffffffff);
    bm_net_dns_learn(0, &dhcp);
    expect_servers(3, 2, 1);
    bm_net_dns_age();
    expect_servers(3, 2, 1);
    bm_net_dns_router(&two, 10); // sooner
    bm_net_dns_age();
    expect_servers(3, 2, 0);
    bm_net_dns_router(&dhcp, 0); // not the router's
    bm_net_dns_learn(0, &none);
    expect_servers(3, 2, 0);
    bm_net_dns_router(&two, 0);
    expect_servers(3, 0, 0);
    for (unsigned i = 0; i < 100; i++)
        bm_net_dns_age();
    expect_servers(3, 0, 0);
}

static void test_more_servers_than_places(void **state)
{
    (void)state;
    for (u32_t i = 10; i < 100; i++) {
        const ip_addr_t server = server_of(IPADDR_TYPE_V6, i);
        bm_net_dns_router(&server, i);
    }
    expect_servers(3, 10, 11);
    for (unsigned i = 0; i < 12; i++)
        bm_net_dns_age();
    expect_servers(3, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_have_a_rate),
        cmocka_unit_test(test_one_source_has_its_share),
        cmocka_unit_test(test_two_shares_at_once_leave_some_to_others),
        cmocka_unit_test(test_a_long_silence_saves_up_no_more),
        cmocka_unit_test(test_a_conflict_is_said_once_a_minute),
        cmocka_unit_test(test_servers_of_routers_have_a_lifetime),
        cmocka_unit_test(test_more_servers_than_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
