// The date from time servers: what of SNTP (RFC 4330) is not lwIP's, and which of its answers are believed.
// SPDX-License-Identifier: MIT
#include "../lwip/timer.h"
#include "../start/option.h"
#include "../start/wait.h"

#include <baremetal/log.h>
#include <baremetal/net.h>
#include <baremetal/option.h>
#include <baremetal/sntp.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/apps/sntp.h"
#include "lwip/apps/sntp_opts.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"

BM_OPTION(ntp, "SERVER[,SERVER]...: names or addresses of time servers");

enum {
    TEXT_MAX = 384,
    LOOK_INTERVAL = 250,   // milliseconds between looks for an address
    CORRECTION_MAX = 1000, // seconds, once the date has been set: what lies beyond is no drift of a clock
    EPOCH = 2085978496,    // what lwIP counts from, 2036-02-07 06:28:16, in seconds since 1970
    DATE_MIN = 1735689600, // 2025-01-01: no server of today says less
};
#define SECOND 1000000000ll

static const char *servers[SNTP_MAX_SERVERS];
static unsigned count, turned; // by how many lwIP's list is turned
static _Atomic(uint64_t) last; // monotonic time of the last answer that was believed, 0: none

static int64_t nanoseconds(int32_t seconds, uint32_t fraction)
{
    return ((int64_t)seconds + EPOCH) * SECOND + (int64_t)((uint64_t)fraction * SECOND >> 32);
}

// The digits below a microsecond are drawn: who cannot see the question does not hit them in an answer.
void bm_net_sntp_date(int32_t *seconds, uint32_t *fraction)
{
    uint64_t now = bm_time_wall();
    *seconds = (int32_t)((int64_t)(now / SECOND) - EPOCH);
    *fraction = (uint32_t)(((now % SECOND) << 32) / SECOND & ~0xfffu) | (bm_net_random() & 0xfff);
}

// Gives lwIP the servers, whose texts it keeps.
static void servers_hand_on(void)
{
    for (unsigned i = 0; i < count; i++)
        sntp_setservername((u8_t)i, servers[(turned + i) % count]);
}

// lwIP asks the next one only when one is silent: at its own place in the list it finds the next one now.
static void ask_next(void *arg)
{
    (void)arg;
    sntp_stop();
    turned = (turned + 1) % count;
    servers_hand_on();
    sntp_init();
}

// Why a date is not believed, or NULL.
static const char *objection(int64_t date, int64_t step)
{
    if (date < DATE_MIN * SECOND)
        return "it is before 2025";
    if (last && (step > CORRECTION_MAX * SECOND || step < -CORRECTION_MAX * SECOND))
        return "it is more than 1,000 s from the date that servers gave before";
    return NULL;
}

void bm_net_sntp_answer(int32_t seconds, uint32_t fraction)
{
    static struct bm_net_timer next = {.handler = ask_next};
    int64_t date = nanoseconds(seconds, fraction), step = date - (int64_t)bm_time_wall();
    const char *why = objection(date, step);
    if (why) {
        bm_log_warn("sntp", "a server's date is not believed: %s", why);
        bm_net_timer_start(&next, SNTP_RECV_TIMEOUT);
        return;
    }
    bm_time_set_wall((uint64_t)date);
    bm_log_info("sntp", "the date was set by %ld ms", (long)(step / 1000000));
    atomic_store(&last, bm_time_monotonic());
}

uint64_t bm_sntp_last(void)
{
    return atomic_load(&last);
}

static bool is_set(void *arg)
{
    (void)arg;
    return atomic_load(&last) != 0;
}

bool bm_sntp_wait(uint64_t timeout)
{
    BM_ASSERT_MAY_WAIT();
    uint64_t now = bm_time_monotonic();
    return bm_wait_until(is_set, NULL, timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout);
}

// lwIP asks at once and then after 15 s again: it begins when the machine has an address.
static void look(void *arg)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    if (bm_net_address_of(netif)) {
        sntp_init();
        return;
    }
    bm_net_timer_start(arg, LOOK_INTERVAL);
}

// Whether it may be a name or an address of a server.
static bool is_server(const char *text)
{
    uint8_t bytes[16];
    return bm_net_parse_ip6(text, strlen(text), bytes) || !bm_net_option_hostname(text);
}

// Takes the servers out of a text, which stays.
static void servers_take(char *text)
{
    for (char *name = text, *end; name; name = end) {
        end = strchr(name, ',');
        if (end)
            *end++ = 0;
        if (!is_server(name))
            bm_log_error("sntp",
                         "ntp=%s: neither a name nor an address; ignored (write ntp=10.0.2.3,ntp.example)",
                         name);
        else if (count == SNTP_MAX_SERVERS)
            bm_log_error("sntp", "ntp=%s: more than %u servers; ignored", name, SNTP_MAX_SERVERS);
        else
            servers[count++] = name;
    }
}

static void start(void)
{
    static char text[TEXT_MAX];
    static struct bm_net_timer timer = {.handler = look, .arg = &timer};
    int length = bm_option_get("ntp", text, sizeof text);
    if (length >= TEXT_MAX) {
        bm_log_error("sntp", "ntp= has %d bytes, it may have %u; ignored", length, TEXT_MAX - 1);
        return;
    }
    if (length < 0) {
        bm_log_warn("sntp", "no time server: the date is the clock chip's (write ntp=NAME or ntp=ADDRESS)");
        return;
    }
    servers_take(text);
    if (!count)
        return;
    bm_net_lock();
    servers_hand_on();
    bm_net_timer_start(&timer, 0);
    bm_net_unlock();
}

// Whoever links this has it started behind the network.
void __real_bm_net_start(void);
void __wrap_bm_net_start(void);
void __wrap_bm_net_start(void)
{
    __real_bm_net_start();
    start();
}
