// The sockets' numbers and layouts are the C library's: what one hands to the other needs no translation.
// SPDX-License-Identifier: MIT
//
// The service speaks Linux' (baremetal/socket.h), and so does lwIP, by ../standard/. This file makes no code.
#include <baremetal/socket.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#define SAME(name) _Static_assert(BM_##name == name, "sockets and the C library number it differently")

SAME(AF_UNSPEC);
SAME(AF_INET);
SAME(AF_INET6);
SAME(SOCK_STREAM);
SAME(SOCK_DGRAM);
SAME(SOCK_RAW);
SAME(SOCK_NONBLOCK);
SAME(SOCK_CLOEXEC);
SAME(IPPROTO_IP);
SAME(IPPROTO_ICMP);
SAME(IPPROTO_TCP);
SAME(IPPROTO_UDP);
SAME(IPPROTO_IPV6);
SAME(IPPROTO_ICMPV6);
SAME(IPPROTO_RAW);
SAME(SOL_SOCKET);
SAME(MSG_OOB);
SAME(MSG_PEEK);
SAME(MSG_TRUNC);
SAME(MSG_DONTWAIT);
SAME(MSG_WAITALL);
SAME(MSG_NOSIGNAL);
SAME(MSG_MORE);
SAME(SHUT_RD);
SAME(SHUT_WR);
SAME(SHUT_RDWR);
SAME(SO_REUSEADDR);
SAME(SO_TYPE);
SAME(SO_ERROR);
SAME(SO_BROADCAST);
SAME(SO_SNDBUF);
SAME(SO_RCVBUF);
SAME(SO_KEEPALIVE);
SAME(SO_NO_CHECK);
SAME(SO_LINGER);
SAME(SO_REUSEPORT);
SAME(SO_RCVLOWAT);
SAME(SO_SNDLOWAT);
SAME(SO_RCVTIMEO);
SAME(SO_SNDTIMEO);
SAME(SO_BINDTODEVICE);
SAME(SO_ACCEPTCONN);
SAME(SO_PROTOCOL);
SAME(SO_DOMAIN);
SAME(IP_TOS);
SAME(IP_TTL);
SAME(IP_MULTICAST_IF);
SAME(IP_MULTICAST_TTL);
SAME(IP_MULTICAST_LOOP);
SAME(IP_ADD_MEMBERSHIP);
SAME(IP_DROP_MEMBERSHIP);
SAME(IPV6_CHECKSUM);
SAME(IPV6_JOIN_GROUP);
SAME(IPV6_LEAVE_GROUP);
SAME(IPV6_V6ONLY);
SAME(TCP_NODELAY);
SAME(TCP_CORK);
SAME(TCP_KEEPIDLE);
SAME(TCP_KEEPINTVL);
SAME(TCP_KEEPCNT);
_Static_assert(FIONREAD == 0x541b && FIONBIO == 0x5421, "as ../standard/sys/ioctl.h has them");

#define SIZE(one, other)                                                                                     \
    _Static_assert(sizeof(one) == sizeof(other), "sockets and the C library lay it out differently")
#define MEMBER(one, member, other, its)                                                                      \
    _Static_assert(offsetof(one, member) == offsetof(other, its) &&                                          \
                       sizeof(((one *)0)->member) == sizeof(((other *)0)->its),                              \
                   "sockets and the C library lay it out differently")

SIZE(struct bm_socket_address4, struct sockaddr_in);
MEMBER(struct bm_socket_address4, family, struct sockaddr_in, sin_family);
MEMBER(struct bm_socket_address4, port, struct sockaddr_in, sin_port);
MEMBER(struct bm_socket_address4, address, struct sockaddr_in, sin_addr);
SIZE(struct bm_socket_address6, struct sockaddr_in6);
MEMBER(struct bm_socket_address6, port, struct sockaddr_in6, sin6_port);
MEMBER(struct bm_socket_address6, flow, struct sockaddr_in6, sin6_flowinfo);
MEMBER(struct bm_socket_address6, address, struct sockaddr_in6, sin6_addr);
MEMBER(struct bm_socket_address6, scope, struct sockaddr_in6, sin6_scope_id);
SIZE(uint32_t, socklen_t);
SIZE(struct bm_socket_message, struct msghdr);
MEMBER(struct bm_socket_message, address, struct msghdr, msg_name);
MEMBER(struct bm_socket_message, address_size, struct msghdr, msg_namelen);
MEMBER(struct bm_socket_message, pieces, struct msghdr, msg_iov);
MEMBER(struct bm_socket_message, count, struct msghdr, msg_iovlen);
MEMBER(struct bm_socket_message, control, struct msghdr, msg_control);
MEMBER(struct bm_socket_message, control_size, struct msghdr, msg_controllen);
MEMBER(struct bm_socket_message, flags, struct msghdr, msg_flags);
SIZE(struct bm_file_piece, struct iovec);
MEMBER(struct bm_file_piece, data, struct iovec, iov_base);
MEMBER(struct bm_file_piece, size, struct iovec, iov_len);
SIZE(struct bm_socket_linger, struct linger);
MEMBER(struct bm_socket_linger, seconds, struct linger, l_linger);
SIZE(struct bm_socket_time, struct timeval);
MEMBER(struct bm_socket_time, seconds, struct timeval, tv_sec);
MEMBER(struct bm_socket_time, microseconds, struct timeval, tv_usec);
SIZE(struct bm_socket_group4, struct ip_mreq);
SIZE(struct bm_socket_group6, struct ipv6_mreq);
