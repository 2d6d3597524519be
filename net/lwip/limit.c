// What strangers may make this machine send: at a rate.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/def.h"
#include "lwip/sys.h"

// A second; a burst of all; a second of sources that share a place. A source may use its shares of two
// seconds at once, at the end of one and the beginning of the next: the others must not feel it.
enum {
    ERRORS = 150,
    ERRORS_BURST = 100,
    ERRORS_SHARE = 20,
    ERROR_COST_MAX = 2,
    ECHOES = 20000,
    ECHOES_BURST = 11000,
    ECHOES_SHARE = 5000,
    PLACES = 64,
    SECOND = 1000
};

_Static_assert(2 * ERRORS_SHARE * ERROR_COST_MAX < ERRORS_BURST, "one source does not use up all errors");
_Static_assert(2 * ECHOES_SHARE < ECHOES_BURST, "one source does not use up all echo replies");

struct limit {
    u16_t rate, burst, share;
    u32_t left;         // thousandths of a message
    u32_t then;         // when `left` was counted
    u32_t second;       // of `sent`
    u16_t sent[PLACES]; // in this second, by source
};

static struct limit errors = {ERRORS, ERRORS_BURST, ERRORS_SHARE, ERRORS_BURST *SECOND, 0, 0, {0}};
static struct limit echoes = {ECHOES, ECHOES_BURST, ECHOES_SHARE, ECHOES_BURST *SECOND, 0, 0, {0}};

static bool limit_take(struct limit *limit, u32_t source, unsigned cost)
{
    u32_t now = sys_now(), passed = LWIP_MIN(now - limit->then, (u32_t)SECOND);
    limit->then = now;
    limit->left = LWIP_MIN(limit->left + passed * limit->rate, (u32_t)limit->burst * SECOND);
    if (limit->second != now / SECOND) {
        limit->second = now / SECOND;
        memset(limit->sent, 0, sizeof limit->sent);
    }
    source ^= source >> 16;
    u16_t *sent = &limit->sent[(source ^ source >> 8) % PLACES];
    if (*sent >= limit->share || limit->left < cost * SECOND)
        return false;
    ++*sent;
    limit->left -= cost * SECOND;
    return true;
}

// An error costs one or two, by chance: who counts them must not learn whether others were sent in between
// (CVE-2020-25705: which port waits for an answer of DNS).
bool bm_net_icmp_error_allowed(u32_t source)
{
    return limit_take(&errors, source, 1 + bm_net_random() % ERROR_COST_MAX);
}

bool bm_net_icmp_echo_allowed(u32_t source)
{
    return limit_take(&echoes, source, 1);
}
