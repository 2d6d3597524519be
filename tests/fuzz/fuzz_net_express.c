// Fuzzer of the fast path of TCP segments: it leaves lwIP in the state in which lwIP's own way leaves it.
// SPDX-License-Identifier: MIT
// @sources net/tcp/express_input.c net/tcp/express_neighbour.c net/tcp/express_segment.c net/tcp/join.c
// @sources net/lwip/ip_input.c
// @sources net/tcp/tcp_lookup.c net/tcp/tcp_acceptable.c net/tcp/time_wait.c net/tcp/half_open.c
// @sources net/tcp/orphans.c
// @sources net/device/checksum.c net/lwip/calls.c
// @sources tests/fuzz/net_express/diary.c tests/fuzz/net_express/machine.c tests/fuzz/net_express/output.c
// @sources tests/fuzz/net_express/peer.c tests/fuzz/net_express/program.c
// @libraries lwip
// @max_len 512
//
// The input is a script of what happens to two connections: segments from the peer, what the program does,
// timers, the device. It is played twice, through lwIP alone and with the fast path, and after each event all
// that can be seen is compared: the control blocks, what went out, what the program was told.
#include "../../net/tcp/express.h"
#include "net_express/diary.h"
#include "net_express/machine.h"
#include "net_express/peer.h"
#include "net_express/program.h"

#include <stddef.h>
#include <stdint.h>

#include "lwip/priv/tcp_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = CONNECTIONS + 5, EVENT = 1 + PEER_SEGMENT_BYTES };

static void machine_set(uint8_t what)
{
    switch (what % 6) {
    case 0:
        device_refuses = true;
        break;
    case 1:
        device_refuses = false;
        break;
    case 2:
        device_holds = true;
        break;
    case 3:
        device_holds = false;
        break;
    case 4:
        bm_net_raw_used = !bm_net_raw_used; // each packet takes lwIP's path meanwhile
        break;
    default:
        device_done();
    }
}

static void timer(bool fast, unsigned ticks)
{
    diary_event(fast ? "fast timer" : "slow timer");
    if (fast)
        tcp_fasttmr();
    else
        while (ticks--)
            tcp_slowtmr();
}

static void event_play(const uint8_t *script)
{
    unsigned number = script[0] >> 7;
    switch (script[0] & 15) {
    default:
        diary_event("segment");
        peer_segment(number, script + 1);
        break;
    case 7:
        diary_event("several segments");
        peer_burst(number, script[1] % 64 + 1);
        break;
    case 8:
    case 9:
        diary_event("the program acts");
        program_act(number, script[1], script[2]);
        program_act(number, script[3], script[4]);
        break;
    case 10:
        diary_event("the program's plans");
        program_plan(number, script[1] % MOMENTS, script[2], script[3]);
        break;
    case 11:
    case 12:
        timer(script[0] & 1, script[1] % 16 + 1);
        break;
    case 13:
        diary_event("the machine changes");
        machine_set(script[1]);
        break;
    case 14:
        diary_event("the peer connects");
        peer_connect(number);
    }
}

static void event_end(void)
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        diary_state(i, program_connection(i));
    diary_event_end();
}

static unsigned play(const uint8_t *data, size_t size, bool by_short_way)
{
    short_way = by_short_way;
    machine_reset();
    diary_start(by_short_way);
    program_reset(data);
    peer_reset(data, data + CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (!(data[i] & OPTION_CLOSED))
            peer_connect(i);
    event_end();
    for (size_t at = HEADER; at + EVENT <= size; at += EVENT) {
        event_play(data + at);
        event_end();
    }
    diary_event("end");
    machine_end();
    return frames_kept();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (size < HEADER)
        return 0;
    if (!started) {
        machine_start();
        program_start();
        started = true;
    }
    unsigned kept = play(data, size, false);
    if (play(data, size, true) != kept || kept)
        diary_fail("a way keeps frames that nobody has");
    machine_reset();
    return 0;
}
