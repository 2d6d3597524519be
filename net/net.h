// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netif;
struct bm_netdev;

// lock.c: the core lock (LOCK_TCPIP_CORE); released with one doorbell for everything that was sent meanwhile.
void bm_net_lock(void);
bool bm_net_locked_here(void); // whether this core holds it
#define BM_NET_ASSERT_LOCKED() BM_ASSERT(bm_net_locked_here(), "the network's lock must be held")
void bm_net_unlock(void);
void bm_net_lock_watch(void); // lets the watchdog look at it; once, at boot

// memory.c: memory of the stack.
void *bm_net_allocate(size_t size);
void *bm_net_allocate_zeroed(size_t count, size_t size);
void bm_net_free(void *memory);
size_t bm_net_memory_size(void *memory); // bytes that it has, at least those asked for; 0 for a large one

// poller.c: timers, loopback and postponed work, served by waiting cores.
void bm_net_poller_start(void);

// interface.c: one lwIP interface for each network device. Under the core lock, but for the first.
struct bm_net_interface;
void bm_net_interface_add(struct bm_netdev *device);
struct bm_net_interface *bm_net_vlan_add(struct bm_net_interface *device, unsigned vlan); // NULL: no room
bool bm_net_interface_work(void); // whether frames wait that a device may now have room for; without the lock
bool bm_net_interface_retry(void);                            // sends them
void bm_net_interface_flush(void);                            // doorbells
void bm_net_interface_trust(void);                            // what is looped back needs no checksums
const char *bm_net_interface_name(const struct netif *netif); // "eth0", "lo"
struct netif *bm_net_interface_find(const char *name);

// start.c: whether the machine has an address that others can reach, or may still get one.
bool bm_net_expected(void);

// finish.c: at the program's end (libbaremetal/boot/start.h).
void bm_net_finish(void);

// wait.c: gives DHCP or SLAAC some seconds before a program is told that there is no network.
void bm_net_settle(void);
bool bm_net_settled(void);

// tcp_isn.c
void bm_net_tcp_isn_start(void);

// time_wait.c: forgets the oldest connections in TIME_WAIT beyond a bound. Under the core lock.
void bm_net_time_wait_trim(void);

// tcp_lookup.c
void bm_net_tcp_lookup_start(void);

// tcp_acceptable.c: how many unacceptable segments may still be answered, for tests that repeat themselves.
extern unsigned bm_net_tcp_answers;
