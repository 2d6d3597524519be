// Netlink: interfaces, addresses and routes, by the C library and by hand. The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @link net drivers
// @append ip=10.9.8.7/24,10.9.8.1
// @device virtio-net-pci
// @machines q35
// @cpus max
// @smp 2

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of <linux/netlink.h> and <linux/rtnetlink.h>, which musl does not bring.
struct sockaddr_nl {
    unsigned short nl_family, nl_pad;
    unsigned nl_pid, nl_groups;
};
struct nlmsghdr {
    unsigned nlmsg_len;
    unsigned short nlmsg_type, nlmsg_flags;
    unsigned nlmsg_seq, nlmsg_pid;
};
struct nlmsgerr {
    int error;
    struct nlmsghdr msg;
};
struct rtgenmsg {
    unsigned char rtgen_family;
};
enum {
    NETLINK_ROUTE = 0,
    NLM_F_REQUEST = 1,
    NLM_F_MULTI = 2,
    NLM_F_ACK = 4,
    NLM_F_DUMP = 0x300,
    NLMSG_NOOP = 1,
    NLMSG_ERROR = 2,
    NLMSG_DONE = 3,
    NLMSG_HDRLEN = sizeof(struct nlmsghdr),
    RTM_NEWLINK = 16,
    RTM_GETLINK = 18,
    RTM_NEWADDR = 20,
    RTM_GETADDR = 22,
    RTM_NEWROUTE = 24,
    RTM_GETROUTE = 26
};

static union {
    char bytes[32768];
    struct nlmsghdr first;
} got;
static bool on_linux; // the host's: other interfaces

static void test_library(void)
{
    struct ifaddrs *list;
    int loopbacks = 0, ours = 0;
    CHECK(getifaddrs(&list) == 0);
    for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
        const struct sockaddr_in *ip4 = (void *)at->ifa_addr, *mask = (void *)at->ifa_netmask;
        if (!ip4 || ip4->sin_family != AF_INET)
            continue;
        if (ip4->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
            loopbacks += strcmp(at->ifa_name, "lo") == 0 && (at->ifa_flags & IFF_LOOPBACK) &&
                         mask->sin_addr.s_addr == htonl(0xff000000);
        if (ip4->sin_addr.s_addr == htonl(0x0a090807))
            ours += (at->ifa_flags & (IFF_UP | IFF_BROADCAST)) == (IFF_UP | IFF_BROADCAST) &&
                    mask->sin_addr.s_addr == htonl(0xffffff00) &&
                    ((struct sockaddr_in *)(void *)at->ifa_broadaddr)->sin_addr.s_addr == htonl(0x0a0908ff);
    }
    freeifaddrs(list);
    on_linux = !ours;
    CHECK(loopbacks == 1);
    struct if_nameindex *names = if_nameindex();
    int count = 0;
    for (; names && names[count].if_index; count++)
        CHECK(if_nametoindex(names[count].if_name) == names[count].if_index);
    CHECK(count > 0 && (on_linux || count == 2));
    if_freenameindex(names);
}

static long ask(int fd, int type, int flags, unsigned sequence, unsigned to)
{
    struct {
        struct nlmsghdr header;
        struct rtgenmsg family;
    } request = {{sizeof request, (unsigned short)type, (unsigned short)flags, sequence, 0}, {AF_UNSPEC}};
    struct sockaddr_nl machine = {.nl_family = AF_NETLINK, .nl_pid = to};
    return sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&machine, sizeof machine);
}

// How many messages of a type a dump brings; each says which request it answers.
static int dump(int fd, unsigned port, int type, int wanted, unsigned sequence)
{
    int count = 0;
    CHECK(ask(fd, type, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0) == 20);
    for (;;) {
        struct sockaddr_nl from;
        socklen_t size = sizeof from;
        long bytes = recvfrom(fd, &got, sizeof got, 0, (struct sockaddr *)&from, &size);
        CHECK(bytes >= NLMSG_HDRLEN && size == sizeof from && from.nl_pid == 0);
        for (long offset = 0; offset < bytes;) {
            const struct nlmsghdr *at = (const void *)(got.bytes + offset);
            CHECK(bytes - offset >= NLMSG_HDRLEN && at->nlmsg_len >= NLMSG_HDRLEN &&
                  at->nlmsg_len <= bytes - offset);
            offset += (at->nlmsg_len + 3) & ~3u;
            CHECK(at->nlmsg_seq == sequence && at->nlmsg_pid == port && (at->nlmsg_flags & NLM_F_MULTI));
            if (at->nlmsg_type == NLMSG_DONE)
                return count;
            CHECK(at->nlmsg_type == wanted);
            count++;
        }
    }
}

static void test_by_hand(void)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK};
    socklen_t size = sizeof name;
    struct pollfd look;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0 && size == sizeof name && name.nl_pid);
    int links = dump(fd, name.nl_pid, RTM_GETLINK, RTM_NEWLINK, 7);
    int addresses = dump(fd, name.nl_pid, RTM_GETADDR, RTM_NEWADDR, 8);
    int routes = dump(fd, name.nl_pid, RTM_GETROUTE, RTM_NEWROUTE, 9);
    CHECK(links > 0 && addresses > 0 && (on_linux || (links == 2 && addresses >= 2 && routes >= 2)));
    look = (struct pollfd){fd, POLLIN | POLLOUT, 0};
    CHECK(poll(&look, 1, 0) == 1 && look.revents == POLLOUT);
    CHECK_ERRNO(recv(fd, &got, sizeof got, MSG_DONTWAIT), EAGAIN);

    CHECK(ask(fd, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 10, 0) == 20);
    CHECK(poll(&look, 1, 5000) == 1 && (look.revents & POLLIN));
    long whole = recv(fd, &got, 16, MSG_PEEK | MSG_TRUNC);
    struct iovec piece = {&got, 16};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    CHECK(whole > 16 && recvmsg(fd, &message, 0) == 16 && (message.msg_flags & MSG_TRUNC));
    CHECK(close(fd) == 0);
}

static void test_errors(void)
{
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_ROUTE), other;
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, 99), EPROTONOSUPPORT);
    CHECK_ERRNO(ask(fd, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 999), ECONNREFUSED);
    CHECK(ask(fd, 1022, NLM_F_REQUEST | NLM_F_DUMP, 2, 0) == 20); // no such type
    CHECK(recv(fd, &got, sizeof got, 0) >= 36 && got.first.nlmsg_type == NLMSG_ERROR);
    const struct nlmsgerr *error = (const void *)(&got.first + 1);
    CHECK(error->error == -EOPNOTSUPP && error->msg.nlmsg_seq == 2 && got.first.nlmsg_seq == 2);
    CHECK_ERRNO(recv(fd, &got, sizeof got, 0), EAGAIN);
    CHECK(send(fd, "short", 5, 0) == 5); // nobody answers
    CHECK_ERRNO(recv(fd, &got, sizeof got, 0), EAGAIN);
    CHECK(ask(fd, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 3, 0) == 20);
    CHECK(recv(fd, &got, sizeof got, 0) >= 36 && got.first.nlmsg_type == NLMSG_ERROR);
    CHECK(error->error == 0);
    // Two of them have two numbers.
    struct sockaddr_nl one, two;
    socklen_t size = sizeof one;
    other = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
    CHECK(ask(other, NLMSG_NOOP, 0, 0, 0) == 20);
    CHECK(getsockname(fd, (struct sockaddr *)&one, &size) == 0);
    CHECK(getsockname(other, (struct sockaddr *)&two, &size) == 0 && one.nl_pid != two.nl_pid);
    CHECK(close(fd) == 0 && close(other) == 0);
}

// By which a C library hears of a queue's message in a thread of its own (glibc's mq_notify).
static void test_notice(void)
{
    enum { COOKIE = 32, THREAD = 2, ARRIVED = 1, REMOVED = 2 };
    char name[32], cookie[COOKIE] = "0123456789abcdefghijklmnopqrstu", told[COOKIE + 8];
    snprintf(name, sizeof name, "/bm-notice-%d", getpid());
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
    struct {
        void *value;
        int signal, notify;
        char rest[48];
    } event = {cookie, fd, THREAD, ""};
    CHECK(fd >= 0 && queue >= 0 && syscall(SYS_mq_notify, queue, &event) == 0);
    CHECK_ERRNO(recv(fd, told, sizeof told, MSG_DONTWAIT), EAGAIN);
    CHECK(mq_send(queue, "x", 1, 0) == 0 && recv(fd, told, sizeof told, 0) == COOKIE);
    CHECK(memcmp(told, cookie, COOKIE - 1) == 0 && told[COOKIE - 1] == ARRIVED);
    CHECK(mq_receive(queue, (char[8192]){0}, 8192, NULL) == 1);
    CHECK(syscall(SYS_mq_notify, queue, &event) == 0 && syscall(SYS_mq_notify, queue, NULL) == 0);
    CHECK(recv(fd, told, sizeof told, 0) == COOKIE && told[COOKIE - 1] == REMOVED);
    CHECK(close(fd) == 0 && mq_close(queue) == 0 && mq_unlink(name) == 0);
}

int main(void)
{
    test_library();
    test_by_hand();
    test_errors();
    test_notice();
    return passed();
}
