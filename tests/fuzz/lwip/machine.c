// The machine around the network: clock, start, end, and what must hold meanwhile.
// SPDX-License-Identifier: MIT
#include "machine.h"

#include "../../../net/device/device.h"
#include "../../../net/lwip/timer.h"
#include "../../../net/start/configuration.h"
#include "../../../net/tcp/express.h"
#include "memory.h"
#include "neighbours.h"
#include "program.h"
#include "script.h"
#include "steps.h"

#include <baremetal/console.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/net.h>
#include <baremetal/option.h>
#include <baremetal/panic.h>
#include <baremetal/random.h>
#include <baremetal/time.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcpip.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

enum { MEMORY = 64 << 20, SLICES = 64, PACKET_MAX = 1900, END_SECONDS = 1800 };

const uint8_t machine_mac[6] = {0x52, 0x54, 0, 0, 0, 2};
struct netif *machine_netif;
uint64_t frames_received;
bool machine_receives;
static uint64_t now; // nanoseconds

_Noreturn void fail(const char *sentence)
{
    fprintf(stderr, "fuzz_lwip: %s\n", sentence);
    __sanitizer_print_stack_trace();
    abort();
}

// --- What the network asks of the kernel ---

uint64_t bm_time_monotonic(void)
{
    return now;
}

static uint64_t random_state;

uint64_t bm_random_u64(void)
{
    random_state += 0x9e3779b97f4a7c15;
    uint64_t mixed = (random_state ^ random_state >> 30) * 0xbf58476d1ce4e5b9;
    return mixed ^ mixed >> 27;
}

void bm_random_fill(void *buffer, size_t size)
{
    memset(buffer, 0x3c, size);
}

void bm_panic(const char *format, ...)
{
    fail(format);
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = MEMORY, .free = MEMORY / 2};
}

// Nobody reads them.
void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level, (void)subject, (void)format;
}

void bm_console_write_line(const char *text, size_t size)
{
    (void)text, (void)size;
}

static const char *command_line;

int bm_option_get_nth(const char *key, unsigned index, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *word = command_line; *word;
         word += strcspn(word, " ") + (word[strcspn(word, " ")] == ' ')) {
        if (strncmp(word, key, length) != 0 || word[length] != '=' || index--)
            continue;
        return snprintf(value, size, "%.*s", (int)strcspn(word + length + 1, " "), word + length + 1);
    }
    return -1;
}

int bm_option_get(const char *key, char *value, size_t size)
{
    return bm_option_get_nth(key, 0, value, size);
}

// --- What the network asks of its other parts ---

uint32_t bm_net_random(void)
{
    return (uint32_t)bm_random_u64();
}

u32_t sys_now(void)
{
    return (u32_t)(now / 1000000);
}

void sys_init(void)
{
}

static bool locked;
struct bm_spinlock bm_net_short_lock;

void bm_net_lock(void)
{
    if (locked)
        fail("the network's lock is taken by who holds it");
    locked = true;
}

void bm_net_unlock(void)
{
    bm_net_interface_flush();
    locked = false;
}

void bm_net_lock_watch(void)
{
}

void bm_net_short_acquire(void)
{
}

void bm_net_short_release(void)
{
}

// Of the loopback interface.
err_t tcpip_input(struct pbuf *packet, struct netif *input)
{
    return ip_input(packet, input);
}

void tcpip_init(tcpip_init_done_fn done, void *arg)
{
    (void)done, (void)arg;
    lwip_init();
}

void bm_net_poller_start(void)
{
}

err_t tcpip_try_callback(tcpip_callback_fn function, void *arg)
{
    (void)function, (void)arg;
    return ERR_MEM;
}

// --- Start and end ---

// What the network keeps between calls (port/state.h), and how it is at the start of a program.
extern char __start_network_bss[], __stop_network_bss[], __start_network_data[], __stop_network_data[];

__attribute__((no_sanitize("address"))) static void copy(char *to, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from ? from[i] : 0;
}

static void network_forget(void)
{
    static char *kept;
    size_t size = (size_t)(__stop_network_data - __start_network_data);
    if (!kept) {
        kept = malloc(size);
        copy(kept, __start_network_data, size);
    }
    copy(__start_network_data, kept, size);
    copy(__start_network_bss, NULL, (size_t)(__stop_network_bss - __start_network_bss));
}

void machine_start(const char *words, unsigned capabilities, unsigned mtu)
{
    network_forget();
    memory_start();
    neighbours_start();
    command_line = words;
    now = 1000000000;
    random_state = 0;
    locked = false;
    steps_begin();
    device_start(capabilities, mtu);
    bm_net_start();
    machine_netif = netif_default;
}

void machine_poll(void)
{
    if (!device_holds)
        device_done();
    steps_begin();
    bm_net_lock();
    if (bm_net_interface_work())
        bm_net_interface_retry();
    netif_poll_all();
    if (bm_net_timers_due())
        sys_check_timeouts();
    bm_net_unlock();
    neighbours_answer();
}

void machine_clock(unsigned milliseconds)
{
    unsigned slice = milliseconds / SLICES < 50 ? 50 : milliseconds / SLICES;
    for (unsigned passed = 0; passed < milliseconds; passed += slice) {
        now += slice * 1000000ull;
        machine_poll();
    }
}

static struct bm_packet *packets_of(const uint8_t *bytes, unsigned length)
{
    struct bm_packet *head = NULL, **link = &head;
    do {
        unsigned size = length < PACKET_MAX ? length : PACKET_MAX;
        struct bm_packet *packet = packet_make(bytes, size);
        packet->flags = length > size ? BM_PACKET_MORE : 0;
        *link = packet;
        link = &packet->next;
        bytes += size;
        length -= size;
    } while (length);
    return head;
}

void machine_receive(const uint8_t *bytes, unsigned length, bool vouched)
{
    struct bm_packet *packet = packets_of(bytes, length);
    if (vouched)
        packet->flags |= BM_PACKET_CHECKSUM_GOOD;
    frames_received++;
    steps_begin();
    machine_receives = true;
    device_input(packet);
    machine_receives = false;
    if (locked)
        fail("the network's lock is kept");
}

static void connection_check(const struct tcp_pcb *c)
{
    if (c->snd_buf > TCP_SND_BUF || c->snd_queuelen > TCP_SND_QUEUELEN)
        fail("a connection holds more to be sent than it may");
    if (c->rcv_wnd > TCP_WND || c->rcv_ann_wnd > TCP_WND)
        fail("a connection announces a window that is larger than it may be");
    if ((c->unacked || c->unsent) != (c->snd_queuelen != 0))
        fail("a connection's count of buffers is wrong");
}

void machine_check(void)
{
    unsigned connections = 0;
    for (const struct tcp_pcb *c = tcp_active_pcbs; c; c = c->next, connections++)
        connection_check(c);
    if (connections > CONNECTIONS_MAX)
        fail("there are more connections than a listener may have half open");
}

static void close_all(void)
{
    bm_net_lock();
    program_end();
    bm_net_unlock();
    device_small = device_holds = false;
    memory_fail_after(UINT32_MAX);
    neighbours_silent = true;
}

// What nobody holds must go by itself, within the longest time that any standard gives it.
static void wait_all(void)
{
    for (unsigned i = 0; i < END_SECONDS && (tcp_active_pcbs || tcp_tw_pcbs); i++)
        machine_clock(1000);
    if (tcp_active_pcbs || tcp_tw_pcbs)
        fail("a connection that the program has left is still there after half an hour");
}

static void spares_free(void)
{
    unsigned before;
    do {
        before = memory_objects();
        tcp_seg_free(bm_net_segment_take(0));
    } while (memory_objects() < before);
}

void machine_end(bool slowly)
{
    close_all();
    if (slowly)
        wait_all();
    bm_net_lock();
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    bm_net_unlock();
    for (unsigned i = 0; i < 8; i++) // what went to the machine itself, and the answers
        machine_poll();
    bm_net_lock();
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        bm_net_timer_stop(&bm_net_configuration_of(bm_net_interfaces[i])->dhcp.timer);
        netif_remove(&bm_net_interfaces[i]->netif);
    }
    bm_net_unlock();
    machine_clock(70000); // longer than any fragment or question waits
    bm_net_lock();
    while (udp_pcbs) // DHCP's
        udp_remove(udp_pcbs);
    spares_free();
    bm_net_unlock();
    if (memory_objects() != bm_net_interface_count) { // theirs
        memory_tell();
        fail("memory stays behind");
    }
}
