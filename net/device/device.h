// The core lock, and the network devices for who does not look into their interfaces.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct netif;
struct bm_netdev;
struct bm_net_interface;

// lock.c: the core lock (LOCK_TCPIP_CORE); released with one doorbell for everything that was sent meanwhile.
void bm_net_lock(void);
bool bm_net_locked_here(void); // whether this core holds it
void bm_net_unlock(void);
void bm_net_lock_watch(void); // lets the watchdog look at it; once, at boot

// poller.c: timers, loopback and postponed work, served by waiting cores.
void bm_net_poller_start(void);

// interface.c: one lwIP interface for each network device, in memory of `size` bytes that begins with a
// struct bm_net_interface; the rest, all 0, is the caller's. Under the core lock, but for the first.
void bm_net_interface_add(struct bm_netdev *device, size_t size);
struct bm_net_interface *bm_net_vlan_add(struct bm_net_interface *device, unsigned vlan,
                                         size_t size); // NULL: no room
bool bm_net_interface_work(void); // whether frames wait that a device may now have room for; without the lock
bool bm_net_interface_retry(void);                            // sends them
void bm_net_interface_flush(void);                            // doorbells
void bm_net_interface_trust(void);                            // what is looped back needs no checksums
const char *bm_net_interface_name(const struct netif *netif); // "eth0", "lo"
struct netif *bm_net_interface_find(const char *name);
