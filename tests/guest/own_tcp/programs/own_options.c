// Options of TCP that our own engine has: what is set is told, inherited, and done.
// SPDX-License-Identifier: MIT
// @memory 32

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { ESTABLISHED = 1, CLOSE_WAIT = 8, LISTEN = 10, CLOSE = 7 };

static struct sockaddr_in there;

static int listener(unsigned short port)
{
    int server = socket(AF_INET, SOCK_STREAM, 0);
    there = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&there, sizeof there) == 0);
    return server;
}

static int connected(void)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0 && connect(client, (struct sockaddr *)&there, sizeof there) == 0);
    return client;
}

static void set(int end, int option, int value)
{
    CHECK(setsockopt(end, IPPROTO_TCP, option, &value, sizeof value) == 0);
}

static int get(int end, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(getsockopt(end, IPPROTO_TCP, option, &value, &size) == 0 && size == sizeof value);
    return value;
}

static struct tcp_info info(int end)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    memset(&info, 0xff, sizeof info);
    CHECK(getsockopt(end, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size == sizeof info);
    return info;
}

// An accepted connection begins with its listener's.
static void test_values(void)
{
    int server = listener(1), value = -1;
    set(server, TCP_USER_TIMEOUT, 5000);
    CHECK(listen(server, 5) == 0);
    set(server, TCP_NOTSENT_LOWAT, 4096);
    int client = connected(), accepted = accept(server, NULL, NULL);
    CHECK(accepted >= 0);
    CHECK(get(client, TCP_USER_TIMEOUT) == 0 && get(client, TCP_NOTSENT_LOWAT) == 0);
    CHECK(get(accepted, TCP_USER_TIMEOUT) == 5000 && get(accepted, TCP_NOTSENT_LOWAT) == 4096);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value) == -1 && errno == EINVAL);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, 1) == -1 && errno == EINVAL);
    CHECK(setsockopt(client, IPPROTO_TCP, TCP_INFO, &value, sizeof value) == -1 && errno == ENOPROTOOPT);
    CHECK(close(client) == 0 && close(accepted) == 0 && close(server) == 0);
}

static void test_info(void)
{
    int idle = socket(AF_INET, SOCK_STREAM, 0), server = listener(2);
    CHECK(info(idle).tcpi_state == CLOSE);
    CHECK(listen(server, 5) == 0 && info(server).tcpi_state == LISTEN);
    int client = connected(), accepted = accept(server, NULL, NULL);
    struct tcp_info now = info(client);
    CHECK(now.tcpi_state == ESTABLISHED && now.tcpi_options == 7 && now.tcpi_snd_mss > 500);
    CHECK(now.tcpi_rto >= 200000 && now.tcpi_snd_cwnd >= 10 && !now.tcpi_unacked && !now.tcpi_notsent_bytes);
    CHECK(shutdown(accepted, SHUT_WR) == 0);
    char byte;
    CHECK(recv(client, &byte, 1, 0) == 0 && info(client).tcpi_state == CLOSE_WAIT);
    socklen_t size = 1; // the beginning alone
    unsigned char state = 0;
    CHECK(getsockopt(client, IPPROTO_TCP, TCP_INFO, &state, &size) == 0 && size == 1 && state == CLOSE_WAIT);
    CHECK(close(idle) == 0 && close(client) == 0 && close(accepted) == 0 && close(server) == 0);
}

static void test_deferred(void)
{
    int server = listener(3);
    set(server, TCP_DEFER_ACCEPT, 5);
    CHECK(listen(server, 5) == 0 && get(server, TCP_DEFER_ACCEPT) == 5);
    int client = connected();
    struct pollfd look = {server, POLLIN, 0};
    CHECK(poll(&look, 1, 100) == 0); // nothing was said yet
    CHECK(send(client, "x", 1, 0) == 1);
    CHECK(poll(&look, 1, 10000) == 1);
    int accepted = accept(server, NULL, NULL);
    char byte;
    CHECK(recv(accepted, &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x');
    CHECK(close(client) == 0 && close(accepted) == 0 && close(server) == 0);
}

// What is not sent stays below the mark, whatever the buffer has room for; a reader that does not read holds
// it back.
static void test_unsent(void)
{
    enum { MARK = 16384 };
    static char block[4096];
    int server = listener(4);
    CHECK(listen(server, 5) == 0);
    int client = connected(), accepted = accept(server, NULL, NULL);
    set(client, TCP_NOTSENT_LOWAT, MARK);
    CHECK(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    ssize_t sent = 0, all = 0;
    while ((sent = send(client, block, sizeof block, 0)) > 0)
        all += sent;
    CHECK(sent == -1 && errno == EAGAIN && all > 0);
    uint32_t unsent = info(client).tcpi_notsent_bytes;
    CHECK(unsent <= MARK + sizeof block);
    set(client, TCP_NOTSENT_LOWAT, 0);
    while (all > 0) {
        ssize_t got = recv(accepted, block, sizeof block, 0);
        CHECK(got > 0);
        all -= got;
    }
    CHECK(close(client) == 0 && close(accepted) == 0 && close(server) == 0);
}

int main(void)
{
    test_values();
    test_info();
    test_deferred();
    test_unsent();
    return passed();
}
