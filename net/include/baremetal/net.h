// The network: what a program may ask beyond sockets, and who may call lwIP.
// SPDX-License-Identifier: MIT
//
// A program that links baremetal::net has lwIP's TCP, UDP, IPv4 and IPv6 under two interfaces:
//
// Sockets (<sys/socket.h>, <netdb.h>, <poll.h>; without the C library <baremetal/socket.h>): any core, not in
// interrupt handlers, not in a callback of lwIP. A blocking call serves the devices while it waits. exit()
// closes the sockets and waits, at most 5 s, until what they sent has been acknowledged and has left the
// machine; a warning tells of connections that still had data.
//
// lwIP's raw and altcp API (<lwip/tcp.h>, <lwip/altcp.h>, <lwip/udp.h> …), for the fastest servers: call it
// between LOCK_TCPIP_CORE() and UNLOCK_TCPIP_CORE() of <lwip/tcpip.h>, or in one of its callbacks, which run
// with that lock held, on whichever core serves the devices at that moment. With the lock held: no socket
// call, no waiting, nothing long. A core that waits runs the callbacks: a server's main registers them and
// then calls bm_wait_until or sleeps. What is sent while the lock is held leaves with one doorbell when it is
// released. Memory passed to tcp_write without TCP_WRITE_FLAG_COPY stays untouched until it is acknowledged.
//
// Command line: ip=dhcp (default), ip=ADDRESS/PREFIX[,GATEWAY] or ip=off for the first device, ip=eth1:… or
// ip=MAC:… for another; vlan=[INTERFACE:]NUMBER, mtu=[INTERFACE:]BYTES, route=NETWORK/PREFIX,GATEWAY;
// dns=ADDRESS[,ADDRESS]…; hostname=NAME. IPv6 addresses come from router advertisements and, in programs
// that link baremetal::dhcp6 too, from DHCPv6 where a router says so. main starts at once,
// before an address has arrived: servers bind to any address; connect() and getaddrinfo() wait some seconds
// for the first one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Starts the network stack on the devices that are attached. Called once by the kernel before main.
void bm_net_start(void);

// Whether the machine has an address that others can reach (not loopback, not link-local). Any core, not in
// handlers.
bool bm_net_up(void);

// Waits until bm_net_up(), serving devices, for at most `timeout` nanoseconds (UINT64_MAX: for ever). Returns
// bm_net_up(); at once false when no network device is there or ip=off. As bm_wait_until: any core, not in
// handlers, no lock held.
bool bm_net_wait(uint64_t timeout);

// Writes the first device's IPv4 address (or else its global IPv6 address) as text; "" when it has none. size
// >= 46 suffices. Any core, not in handlers.
void bm_net_address(char *text, size_t size);

#ifdef __cplusplus
}
#endif
