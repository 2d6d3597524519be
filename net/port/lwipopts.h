// lwIP's configuration. Programs that use the raw or altcp API are compiled with the same file.
// SPDX-License-Identifier: MIT
#pragma once

// Execution: no tcpip thread. Whoever holds the core lock is "the stack"; waiting serves the devices
// (sys_arch.c).
#define NO_SYS                        0
#define SYS_LIGHTWEIGHT_PROT          1
#define LWIP_TCPIP_CORE_LOCKING       1
#define LWIP_TCPIP_CORE_LOCKING_INPUT 1
#define LWIP_COMPAT_MUTEX             0
#define LWIP_TIMERS                   1
#define LWIP_TIMERS_CUSTOM            1 // timer.c: periodic timers need no memory
#define LWIP_MPU_COMPATIBLE           0
#define LWIP_NETCONN_FULLDUPLEX       0 // the descriptor table keeps a socket while a call is under way
#define LWIP_NETCONN_SEM_PER_THREAD   0
#define TCPIP_MBOX_SIZE               256
#define DEFAULT_TCP_RECVMBOX_SIZE     256 // a mailbox grows on demand up to these numbers
#define DEFAULT_UDP_RECVMBOX_SIZE     256
#define DEFAULT_RAW_RECVMBOX_SIZE     64
#define DEFAULT_ACCEPTMBOX_SIZE       255
#define TCPIP_THREAD_TEST             1 // tcpip_thread_poll_one: the poller takes tcpip_callback's messages
#define LOCK_TCPIP_CORE()             bm_net_lock()
#define UNLOCK_TCPIP_CORE()           bm_net_unlock()
void bm_net_lock(void);
void bm_net_unlock(void);

#ifdef BM_CHECKS // the checked build: <baremetal/assert.h>
#include <baremetal/assert.h>
bool bm_net_locked_here(void);
#define LWIP_ASSERT_CORE_LOCKED()                                                                            \
    BM_ASSERT(bm_net_locked_here(), "lwIP must be called with its lock held (LOCK_TCPIP_CORE)")
#define LWIP_PLATFORM_ASSERT(text) bm_assert_foreign("lwip", text, __FILE_NAME__, __LINE__)
#else
#define LWIP_ASSERT_CORE_LOCKED() ((void)0)
#define LWIP_NOASSERT             1
#endif

// Memory: everything from memory.c, so that the number of connections is bounded by RAM alone.
#define MEM_ALIGNMENT            8
#define MEM_CUSTOM_ALLOCATOR     1
#define MEM_CUSTOM_MALLOC        bm_net_allocate
#define MEM_CUSTOM_CALLOC        bm_net_allocate_zeroed
#define MEM_CUSTOM_FREE          bm_net_free
#define MEMP_MEM_MALLOC          1
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_POOL_BUFSIZE        1600
#define PBUF_LINK_ENCAPSULATION_HLEN                                                                         \
    16 // in front of Ethernet's header: the drivers' (BM_NETDEV_HEADROOM of netdev.h) and a VLAN's tag
#define PBUF_POOL_SIZE 256 // a number for lwIP's sanity checks; the pool is memory.c's
#define MEMP_NUM_NETCONN                                                                                     \
    2048 // sockets: the one table with a fixed size (40 bytes each, only when sockets are used)
#define MEMP_NUM_TCP_PCB 2048
#define MEMP_NUM_TCP_SEG 512

// TCP
#define TCP_MSS           1460
#define LWIP_WND_SCALE    1
#define TCP_RCV_SCALE     2
#define TCP_WND           (128 * 1024)
#define TCP_SND_BUF       (128 * 1024)
#define TCP_SND_QUEUELEN  512
#define TCP_SNDLOWAT      (32 * 1024)
#define TCP_SNDQUEUELOWAT 128
// Where lwIP itself asks for TCP_MSS it gets a variable (arch/bm_calls.h); what follows from it does not
// change.
#define TCP_OVERSIZE             1460
#define TCP_WND_UPDATE_THRESHOLD (4 * 1460)
// Ticks of 50 and 100 ms instead of 250 and 500: acknowledgements are delayed by at most 50 ms, and a lost
// segment is sent again after 0.3 s at the earliest. tcp_poll's interval counts ticks of 100 ms.
#define TCP_TMR_INTERVAL  50
#define LWIP_TCP_RTO_TIME 1000
// lwIP's own range lets the draw be 0xffff, whose successor is port 0.
#define TCP_LOCAL_PORT_RANGE_START          0xc000
#define TCP_LOCAL_PORT_RANGE_END            0xffff
#define TCP_ENSURE_LOCAL_PORT_RANGE(random) ((u16_t)(0xc000 + (u32_t)(random) % 0x3ffe))
#define TCP_QUEUE_OOSEQ                     1
#define TCP_OOSEQ_MAX_PBUFS                 96
#define LWIP_TCP_SACK_OUT                   1
#define LWIP_TCP_MAX_SACK_NUM               4
#define LWIP_TCP_TIMESTAMPS                 0
#define LWIP_TCP_KEEPALIVE                  1
#define TCP_LISTEN_BACKLOG                  1
#define TCP_DEFAULT_LISTEN_BACKLOG          255
#define LWIP_TCP_PCB_NUM_EXT_ARGS           1 // a program's
#define SO_REUSE                            1
#define SO_REUSE_RXTOALL                    1
#define LWIP_SO_SNDTIMEO                    1
#define LWIP_SO_RCVTIMEO                    1
#define LWIP_SO_LINGER                      1
#define LWIP_SO_RCVBUF                      1
#define RECV_BUFSIZE_DEFAULT                (256 * 1024)
#define LWIP_FIONREAD_LINUXMODE             1
#define LWIP_ALTCP                          0 // the altcp_ names are those of the raw API, without a call in between

// Of tcp_acceptable.c, tcp_lookup.c and half_open.c.
#define LWIP_TCP_PCB_EXTRA                                                                                   \
    u32_t answer_due;                                                                                        \
    u64_t ends;                                                                                              \
    struct tcp_pcb *same_place, **link, *older, *newer;

// IP
#define LWIP_IPV4                      1
#define LWIP_IPV6                      1
#define LWIP_ARP                       1
#define LWIP_ETHERNET                  1
#define ARP_TABLE_SIZE                 64
#define ARP_QUEUEING                   1
#define ARP_QUEUE_LEN                  16
#define ETHARP_SUPPORT_STATIC_ENTRIES  0
#define LWIP_NETIF_HWADDRHINT          1
#define IP_FORWARD                     0
#define IP_OPTIONS_ALLOWED             0
#define IP_REASS_MAX_PBUFS             64
#define MEMP_NUM_REASSDATA             16
#define LWIP_ICMP                      1
#define LWIP_RAW                       1
#define LWIP_UDP                       1
#define LWIP_TCP                       1
#define LWIP_IGMP                      1
#define LWIP_MULTICAST_TX_OPTIONS      1
#define LWIP_DHCP                      0                        // dhcp.c is another: by one clock, in seconds
#define LWIP_IP_ACCEPT_UDP_PORT(port)  ((port) == PP_NTOHS(68)) // its answers come before there is an address
#define LWIP_ACD                       0
#define LWIP_AUTOIP                    0
#define LWIP_DNS                       1
#define DNS_TABLE_SIZE                 8
#define DNS_MAX_SERVERS                4
#define DNS_MAX_NAME_LENGTH            256
#define LWIP_DNS_SECURE                7 // random ids, no reuse, random source ports
#define LWIP_IPV6_AUTOCONFIG           1
#define LWIP_IPV6_MLD                  1
#define LWIP_IPV6_FRAG                 1
#define LWIP_IPV6_REASS                1
#define IPV6_FRAG_COPYHEADER           1 // a pointer is larger than half a fragment header
#define LWIP_IPV6_DHCP6                0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT  1
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 2
#define LWIP_ND6_NUM_NEIGHBORS         64
#define LWIP_ND6_NUM_DESTINATIONS      64
#define MEMP_NUM_ND6_QUEUE             512 // packets that wait for an address; each neighbour has its share
#define LWIP_BROADCAST_PING            0
#define LWIP_MULTICAST_PING            0

// Data is copied by a call of memcpy: compiled for size, gcc would write `rep movsb` in its place, a byte a
// turn under emulators.
void *bm_net_copy(void *target, const void *source, __SIZE_TYPE__ size) __asm__("memcpy");
#define MEMCPY(target, source, size) bm_net_copy(target, source, size)

// Interfaces
#define LWIP_NETIF_HOSTNAME                1
#define LWIP_NETIF_STATUS_CALLBACK         1
#define LWIP_NETIF_LINK_CALLBACK           1
#define LWIP_NETIF_API                     0
#define LWIP_NETIF_TX_SINGLE_PBUF          0
#define LWIP_NETIF_LOOPBACK                1 // the machine reaches itself, also by its own addresses
#define LWIP_HAVE_LOOPIF                   1
#define LWIP_LOOPBACK_MAX_PBUFS            512
#define LWIP_NETIF_LOOPBACK_MULTITHREADING 0 // the poller looks (poller.c)
#define LWIP_CHECKSUM_CTRL_PER_NETIF       1
#define LWIP_CHECKSUM_ON_COPY              0
#define LWIP_INLINE_IP_CHKSUM              1                   // summed while the header is written
#define LWIP_CHKSUM                        bm_net_checksum_sum // checksum.c: eight bytes at a time

// Sockets: lwip_* functions only; the POSIX names and headers are in include/ and socket*.c.
#define LWIP_NETCONN                          1
#define LWIP_SOCKET                           1
#define LWIP_SOCKET_SELECT                    1 // for the event counters; lwip_select itself is never linked
#define LWIP_SOCKET_POLL                      0
#define LWIP_COMPAT_SOCKETS                   0
#define LWIP_POSIX_SOCKETS_IO_NAMES           0
#define LWIP_SOCKET_EXTERNAL_HEADERS          1
#define LWIP_SOCKET_EXTERNAL_HEADER_SOCKETS_H "arch/bm_socket_types.h"
#define LWIP_SOCKET_EXTERNAL_HEADER_INET_H    "arch/bm_inet_types.h"
#define LWIP_SOCKET_MAX_MEMBERSHIPS           32
#define LWIP_TIMEVAL_PRIVATE                  0
#define LWIP_DNS_API_DECLARE_H_ERRNO          0
#define LWIP_DNS_API_DEFINE_ERRORS            0
#define LWIP_DNS_API_DEFINE_FLAGS             0
#define LWIP_DNS_API_DECLARE_STRUCTS          0

// No statistics, no texts.
#define LWIP_STATS                            0
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS 1

// The date from time servers: only in programs that link baremetal::sntp.
#define SNTP_MAX_SERVERS                            4
#define SNTP_SERVER_DNS                             1
#define SNTP_CHECK_RESPONSE                         2
#define SNTP_COMP_ROUNDTRIP                         1
#define SNTP_STARTUP_DELAY                          0
#define SNTP_UPDATE_DELAY                           1024000
#define SNTP_GET_SYSTEM_TIME_NTP(seconds, fraction) bm_net_sntp_date(&(seconds), &(fraction))
#define SNTP_SET_SYSTEM_TIME_NTP(seconds, fraction) bm_net_sntp_answer(seconds, fraction)
void bm_net_sntp_date(__INT32_TYPE__ *seconds, __UINT32_TYPE__ *fraction);
void bm_net_sntp_answer(__INT32_TYPE__ seconds, __UINT32_TYPE__ fraction);

// Randomness that an attacker cannot guess (RFC 6528 and port numbers): from the kernel's pool.
#define LWIP_RAND()        bm_net_random()
#define LWIP_HOOK_FILENAME "arch/bm_hooks.h"
// Here, since lwIP's headers ask whether there is one. One device needs no choice.
#define LWIP_HOOK_IP4_ROUTE_SRC(source, destination)                                                         \
    (bm_net_interface_count > 1 ? bm_net_ip4_route(source, destination) : NULL)
