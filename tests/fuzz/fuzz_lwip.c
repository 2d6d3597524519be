// Fuzzer of the network: frames of all kinds into lwIP as it is configured here, and into net/ around it.
// SPDX-License-Identifier: MIT
// @sources tests/fuzz/lwip/script.c tests/fuzz/lwip/steps.c tests/fuzz/lwip/memory.c
// @sources tests/fuzz/lwip/machine.c tests/fuzz/lwip/device.c tests/fuzz/lwip/neighbours.c
// @sources tests/fuzz/lwip/program.c tests/fuzz/lwip/frame.c tests/fuzz/lwip/make_control.c
// @sources tests/fuzz/lwip/make_nd.c tests/fuzz/lwip/make_tcp.c tests/fuzz/lwip/make_udp.c
// @sources tests/fuzz/lwip/frames.c
// @sources libbaremetal/base/format.c
// @libraries network
// @max_len 4096
// @seconds 30
// @least 100
//
// The input is a script: frames by grammar with fields that are changed, the clock, what the program does,
// the device, memory that is short. Behind each event: the sanitizers, lwIP's assertions, the steps that it
// took, what must hold (machine_check); at the end nothing may stay behind.
#include "lwip/frames.h"
#include "lwip/machine.h"
#include "lwip/make.h"
#include "lwip/memory.h"
#include "lwip/neighbours.h"
#include "lwip/program.h"
#include "lwip/script.h"

#include "../../net/tcp/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void clock_goes_on(void)
{
    static const unsigned times[] = {50, 50, 100, 100, 300, 1000, 1000, 5000, 20000, 60000, 150000, 600000};
    machine_clock(times[script_below(script_odd(24) ? 12 : 8)]);
}

static void device_changes(void)
{
    switch (script_below(8)) {
    case 0:
        device_small = !device_small;
        break;
    case 1:
        device_holds = !device_holds;
        break;
    case 2:
        device_done();
        break;
    case 3:
        neighbours_silent = !neighbours_silent;
        break;
    case 4:
        if (script_odd(64)) {
            device_link(false);
            machine_clock(script_byte() * 10);
            device_link(true);
        }
        break;
    default:
        memory_fail_after(script_byte());
    }
}

static void program_acts(void)
{
    bm_net_lock();
    program_act();
    bm_net_unlock();
}

typedef void event(void);
static event *const events[] = {
    make_tcp,      make_tcp,      make_tcp,       make_tcp,       make_tcp,   make_tcp,     make_tcp,
    make_tcp,      make_tcp,      make_tcp,       make_nd,        make_nd,    make_nd,      make_icmp6,
    make_icmp6,    make_icmp4,    make_dhcp,      make_dns,       make_udp,   make_arp,     make_igmp,
    make_mld,      make_anything, make_fragments, program_acts,   make_icmp6, program_acts, program_acts,
    clock_goes_on, clock_goes_on, device_changes, make_tcp_burst,
};
enum { EVENTS = sizeof events / sizeof *events };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_start(data, size);
    static const char *const lines[] = {
        "ip=10.7.0.2/24,10.7.0.1 dns=10.7.0.1", "",
        "ip=10.7.0.2/24,10.7.0.1 ip=2001:db8::5/64,fe80::1 dns=10.7.0.1,fe80::1",
        "vlan=5 ip=10.7.0.2/24,10.7.0.1 route=198.51.100.0/24,10.7.0.9"};
    static const uint16_t mtus[] = {1500, 1500, 1500, 1500, 1500, 576, 1280, 9000};
    unsigned first = script_byte(), line = script_below(8), capabilities = script_byte();
    frame_vlan(line == 3 ? 5 : 0);
    machine_start(lines[line % 4], capabilities & 15, mtus[capabilities >> 5]);
    program_start();
    if (!(first & 0x10)) // past the time in which addresses are tentative
        machine_clock(3000);
    while (script_more()) {
        events[script_below(EVENTS)]();
        machine_poll();
        machine_check();
    }
    machine_end((first & 0xe0) == 0xe0);
    return 0;
}

// `fuzz_lwip frames COUNT [FIRST]`: no search, but scripts of random bytes until so many frames were
// received.
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    frames_run(*argc, *argv);
    return 0;
}
