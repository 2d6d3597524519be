// Sockets within the machine (AF_UNIX) under musl, without a network: the same results and errors as on
// Linux, where this source runs, too.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @link tmpfs
// @expect ^without a network: 97 88 9$
// @expect ^PASS$

#define _GNU_SOURCE
#include "linux_local.h"

static void check_making(void)
{
    int made = OPEN(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct stat status;
    SAY(fcntl(made, F_GETFD));
    SAY(fcntl(made, F_GETFL));
    SAY(fstat(made, &status));
    SAY(S_ISSOCK(status.st_mode));
    SAY(lseek(made, 0, SEEK_SET));
    SAY(option(made, SO_TYPE));
    SAY(option(made, SO_DOMAIN));
    SAY(option(made, SO_PROTOCOL));
    SAY(option(made, SO_ERROR));
    SAY(option(made, SO_ACCEPTCONN));
    SAY(option(made, SO_PASSCRED));
    SAY(events(made));
    SAY(send(made, "x", 1, MSG_NOSIGNAL));
    SAY(recv(made, buffer, 1, 0));
    SAY(read(made, buffer, 1));
    SAY(listen(made, 1));
    SAY(accept(made, NULL, NULL));
    SAY(shutdown(made, 7));
    say_names(made);
    SAY(close(made));
    OPEN(socket(AF_UNIX, 77, 0));
    OPEN(socket(AF_UNIX, SOCK_STREAM, 6));
    OPEN(socket(AF_UNIX, SOCK_RDM, 0));
    SAY(close(OPEN(socket(AF_UNIX, SOCK_RAW, 0))));
    SAY(close(OPEN(socket(AF_UNIX, SOCK_SEQPACKET, 1))));
    SAY(socketpair(AF_INET, SOCK_STREAM, 0, both) < 0);
}

static void check_stream(void)
{
    PAIR(SOCK_STREAM);
    SAY(events(both[0]));
    SAY(recv(both[0], buffer, 1, MSG_DONTWAIT));
    SAY(send(both[0], "hello, ", 7, 0));
    SAY(write(both[0], "other end", 9));
    SAY(write(both[0], "", 0));
    int there;
    SAY(ioctl(both[1], FIONREAD, &there));
    SAY(there);
    SAY(events(both[1]));
    SAY(recv(both[1], buffer, 10, MSG_PEEK));
    SAY(recv(both[1], buffer, 100, MSG_PEEK));
    SAY(memcmp(buffer, "hello, other end", 16));
    SAY(recv(both[1], buffer, 3, 0));
    SAY(recv(both[1], buffer, 100, MSG_WAITALL | MSG_DONTWAIT));
    SAY(memcmp(buffer, "lo, other end", 13));
    struct iovec pieces[3] = {{"one ", 4}, {NULL, 0}, {"two", 3}},
                 holes[3] = {{NULL, 0}, {buffer, 2}, {other, 90}};
    SAY(writev(both[1], pieces, 3));
    SAY(readv(both[0], holes, 3));
    SAY(memcmp(buffer, "on", 2) | memcmp(other, "e two", 5));
    SAY(sendto(both[0], "x", 1, 0, (struct sockaddr *)&address, named("@x")));
    SAY(connect_to(both[0], "@nothing"));
    SAY(option(both[0], SO_PEERCRED) > 0);
    say_names(both[0]);
    SAY(shutdown(both[0], SHUT_WR));
    SAY(send(both[0], "x", 1, MSG_NOSIGNAL));
    SAY(recv(both[1], buffer, 1, 0));
    SAY(events(both[1]));
    SAY(events(both[0]));
    SAY(send(both[1], "still", 5, 0));
    SAY(recv(both[0], buffer, 100, 0));
    SAY(close(both[1]));
    SAY(events(both[0]));
    SAY(recv(both[0], buffer, 1, 0));
    SAY(send(both[0], "x", 1, MSG_NOSIGNAL));
    SAY(close(both[0]));
    // What was not read makes the end a reset; what was sent before is still there.
    PAIR(SOCK_STREAM);
    SAY(send(both[0], "lost", 4, 0));
    SAY(send(both[1], "kept", 4, 0));
    SAY(close(both[1]));
    SAY(events(both[0]));
    SAY(recv(both[0], buffer, 100, 0));
    SAY(recv(both[0], buffer, 100, 0));
    SAY(recv(both[0], buffer, 100, 0));
    SAY(close(both[0]));
}

static void check_messages(void)
{
    PAIR(SOCK_SEQPACKET);
    SAY(send(both[0], "one", 3, 0));
    SAY(send(both[0], "", 0, 0));
    SAY(send(both[0], "a longer one", 12, MSG_EOR));
    SAY(recv(both[1], buffer, 100, MSG_PEEK));
    SAY(recv(both[1], buffer, 100, 0));
    SAY(recv(both[1], buffer, 100, 0));
    struct iovec piece = {buffer, 4};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    SAY(recvmsg(both[1], &message, MSG_PEEK));
    SAY((message.msg_flags & MSG_TRUNC) != 0);
    SAY(recv(both[1], buffer, 4, MSG_TRUNC));
    SAY(recv(both[1], buffer, 4, MSG_DONTWAIT));
    SAY(send(both[0], buffer, sizeof buffer, 0));
    SAY(shutdown(both[0], SHUT_RD));
    SAY(send(both[1], "x", 1, MSG_NOSIGNAL));
    SAY(close(both[0]));
    SAY(recv(both[1], buffer, 4, 0));
    SAY(send(both[1], "x", 1, MSG_NOSIGNAL));
    SAY(close(both[1]));
    PAIR(SOCK_DGRAM);
    SAY(send(both[0], "one", 3, 0));
    SAY(send(both[0], "second", 6, 0));
    int there;
    SAY(ioctl(both[1], FIONREAD, &there));
    SAY(there);
    SAY(recv(both[1], buffer, 2, 0));
    SAY(recv(both[1], buffer, 100, 0));
    SAY(events(both[1]));
    SAY(close(both[0]));
    SAY(recv(both[1], buffer, 4, MSG_DONTWAIT));
    SAY(send(both[1], "x", 1, MSG_NOSIGNAL));
    SAY(send(both[1], "x", 1, MSG_NOSIGNAL));
    SAY(close(both[1]));
}

// Until nothing fits: at least 64 KiB do, and not everything; what was taken comes out.
static void check_room(int type)
{
    long taken = 0, got = 0, part;
    printf("--- room of type %d\n", type);
    SAY(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, both));
    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = (char)(i * 7 + i / 256);
    while ((part = send(both[0], buffer + taken % 8192, 4096, 0)) > 0)
        taken += part;
    int error = errno;
    SAY(error == EAGAIN && taken >= 32768 && taken < 10000000);
    SAY(events(both[0]) & POLLOUT);
    int wrong = 0;
    while ((part = recv(both[1], other, 4096, 0)) > 0) {
        for (long i = 0; i < part && type != SOCK_STREAM; i++)
            wrong += other[i] != buffer[got % 8192 + i];
        got += part;
    }
    error = errno;
    SAY(wrong);
    SAY(error == EAGAIN && got == taken);
    SAY(events(both[0]));
    close_both();
}

static void check_names(void)
{
    int server, client, accepted;
    puts("--- names");
    server = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect_to(client, "socket"));
    SAY(bind(server, (struct sockaddr *)&address, 1));
    SAY(bind(server, (struct sockaddr *)&address, sizeof address + 1));
    address.sun_family = AF_INET;
    SAY(bind(server, (struct sockaddr *)&address, sizeof address));
    SAY(bind_to(server, "none/socket"));
    SAY(bind_to(server, "socket"));
    SAY(bind_to(server, "other"));
    SAY(access("other", F_OK));
    struct stat status;
    SAY(stat("socket", &status));
    SAY(S_ISSOCK(status.st_mode));
    SAY(open("socket", O_RDWR));
    SAY(connect_to(client, "socket"));
    SAY(listen(server, 1));
    SAY(option(server, SO_ACCEPTCONN));
    SAY(events(server));
    SAY(connect_to(server, "socket"));
    SAY(connect_to(client, "."));
    SAY(connect_to(client, "socket"));
    SAY(connect_to(client, "socket"));
    SAY(events(server));
    SAY(send(client, "early", 5, 0));
    socklen_t size = sizeof address;
    accepted = OPEN(accept4(server, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    SAY(size);
    SAY(fcntl(accepted, F_GETFD));
    SAY(fcntl(accepted, F_GETFL));
    SAY(recv(accepted, buffer, 100, 0));
    say_names(accepted);
    say_names(client);
    SAY(fcntl(server, F_SETFL, O_NONBLOCK));
    SAY(accept(server, NULL, NULL));
    SAY(close(accepted));
    SAY(close(client));
    client = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0));
    SAY(connect_to(client, "socket"));
    SAY(bind_to(client, "socket"));
    SAY(accept(client, NULL, NULL));
    SAY(listen(client, 1));
    SAY(close(client));
    // More than the backlog, and the end of the listener.
    int many[5];
    for (int i = 0; i < 5; i++) {
        many[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        SAY(connect_to(many[i], "socket"));
    }
    SAY(close(server));
    SAY(recv(many[0], buffer, 1, 0));
    SAY(recv(many[0], buffer, 1, 0));
    SAY(events(many[1]));
    SAY(option(many[1], SO_ERROR));
    for (int i = 0; i < 5; i++)
        close(many[i]);
    client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect_to(client, "socket"));
    SAY(bind_to(client, "socket"));
    SAY(unlink("socket"));
    SAY(bind_to(client, "socket"));
    SAY(close(client));
    SAY(unlink("socket"));
    // Abstract ones go with their socket; one name of 107 bytes and one of 108.
    client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    server = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(bind_to(client, "@abstract name of this test"));
    SAY(bind_to(server, "@abstract name of this test"));
    say_names(client);
    SAY(close(client));
    SAY(bind_to(server, "@abstract name of this test"));
    SAY(connect_to(server, "@abstract name of this tes"));
    SAY(close(server));
    server = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0));
    memset(address.sun_path, 'n', sizeof address.sun_path);
    SAY(bind(server, (struct sockaddr *)&address, sizeof address));
    size = sizeof address;
    SAY(getsockname(server, (struct sockaddr *)&address, &size));
    SAY(size);
    memset(buffer, 'n', 108);
    buffer[108] = 0;
    SAY(unlink(buffer));
    SAY(close(server));
    server = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0));
    SAY(bind(server, (struct sockaddr *)&address, 2));
    size = sizeof address;
    SAY(getsockname(server, (struct sockaddr *)&address, &size));
    SAY(size);
    SAY(address.sun_path[0]);
    SAY(close(server));
}

static void check_datagrams(void)
{
    puts("--- datagrams");
    int server = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0)), client = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0));
    SAY(send(client, "x", 1, 0));
    SAY(bind_to(server, "server"));
    SAY(sendto(client, "nobody's", 8, 0, (struct sockaddr *)&address, named("server")));
    SAY(bind_to(client, "client"));
    SAY(sendto(client, "named", 5, 0, (struct sockaddr *)&address, named("server")));
    for (int i = 0; i < 2; i++) {
        socklen_t size = sizeof address;
        memset(&address, 0, sizeof address);
        SAY(recvfrom(server, buffer, 100, 0, (struct sockaddr *)&address, &size));
        say_address("from", 0, size);
    }
    SAY(sendto(client, "x", 1, 0, (struct sockaddr *)&address, named("none")));
    SAY(connect_to(client, "server"));
    say_names(client);
    SAY(send(client, "peer", 4, 0));
    SAY(recv(server, buffer, 100, 0));
    SAY(connect_to(server, "client"));
    int third = OPEN(socket(AF_UNIX, SOCK_DGRAM, 0));
    SAY(connect_to(third, "server"));
    SAY(sendto(third, "x", 1, 0, (struct sockaddr *)&address, named("server")));
    address.sun_family = AF_UNSPEC;
    SAY(connect(server, (struct sockaddr *)&address, 2));
    SAY(connect_to(third, "server"));
    SAY(send(third, "x", 1, 0));
    SAY(close(server));
    SAY(send(client, "x", 1, 0));
    SAY(send(client, "x", 1, 0));
    SAY(connect_to(client, "server"));
    SAY(close(third));
    SAY(close(client));
    SAY(unlink("server") | unlink("client"));
}

static void check_several(void)
{
    puts("--- several");
    struct iovec pieces[3] = {{"one", 3}, {"second", 6}, {"third one", 9}}, holes[4];
    struct mmsghdr out[3] = {0}, in[4] = {0};
    for (int i = 0; i < 3; i++)
        out[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    for (int i = 0; i < 4; i++) {
        holes[i] = (struct iovec){buffer + 100 * i, 100};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &holes[i], .msg_iovlen = 1};
    }
    SAY(socketpair(AF_UNIX, SOCK_DGRAM, 0, both));
    SAY(sendmmsg(both[0], out, 3, 0));
    SAY(out[1].msg_len);
    SAY(recvmmsg(both[1], in, 4, MSG_WAITFORONE, NULL));
    SAY(in[2].msg_len);
    SAY(recvmmsg(both[1], in, 4, MSG_DONTWAIT, NULL));
    struct timespec wrong = {0, 1000000000}, none = {0, 0};
    SAY(recvmmsg(both[1], in, 4, MSG_DONTWAIT, &wrong));
    SAY(send(both[0], "x", 1, 0));
    SAY(recvmmsg(both[1], in, 4, 0, &none));
    SAY(recvmmsg(0, in, 4, 0, NULL));
    close_both();
}

// What is told first when a peer has gone that had not read all; a full buffer behind which nothing fits.
static void check_ends(int type)
{
    printf("--- ends %d\n", type);
    struct iovec pieces[3] = {{buffer, 0}, {buffer, 3}, {buffer + 3, 0}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    SAY(socketpair(AF_UNIX, type, 0, both));
    SAY(send(both[1], "abc", 3, 0));
    SAY(recvmsg(both[0], &message, MSG_WAITALL));
    SAY(send(both[0], "unread", 6, 0));
    SAY(send(both[1], "abc", 3, 0));
    SAY(close(both[1]));
    SAY(recv(both[0], buffer, 8, MSG_WAITALL));
    SAY(recv(both[0], buffer, 8, MSG_DONTWAIT));
    SAY(close(both[0]));
    SAY(socketpair(AF_UNIX, type, 0, both));
    SAY(send(both[0], "unread", 6, 0));
    SAY(close(both[1]));
    SAY(send(both[0], "x", 1, MSG_NOSIGNAL));
    SAY(recv(both[0], buffer, 8, MSG_DONTWAIT));
    SAY(recv(both[0], buffer, 8, MSG_DONTWAIT));
    SAY(close(both[0]));
}

// What poll calls writable takes a message of any size that fits at all.
static void check_large(int type)
{
    int refused = 0, sent = 0;
    SAY(socketpair(AF_UNIX, type, 0, both));
    for (size_t size = 90000; size >= 30000; size -= 10000)
        while (events(both[0]) & POLLOUT) {
            if (send(both[0], buffer, size, MSG_DONTWAIT) < 0)
                refused++;
            else
                sent++;
        }
    printf("large ones: refused %d, sent %s\n", refused, sent ? "some" : "none");
    close_both();
}

static void check_absent(void)
{
    int inet = socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
    int terminal = bind(0, (struct sockaddr *)&address, 2) < 0 ? errno : 0;
    int none = bind(99, (struct sockaddr *)&address, 2) < 0 ? errno : 0;
    printf("without a network: %d %d %d\n", inet, terminal, none);
}

int main(void)
{
    char folder[] = "/tmp/local-XXXXXX";
    mkdir("/tmp", 0777);
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    puts("BEGIN");
    check_making();
    check_stream();
    check_messages();
    check_room(SOCK_STREAM);
    check_room(SOCK_SEQPACKET);
    check_room(SOCK_DGRAM);
    check_names();
    check_datagrams();
    check_several();
    check_ends(SOCK_STREAM);
    check_ends(SOCK_SEQPACKET);
    check_ends(SOCK_DGRAM);
    check_large(SOCK_SEQPACKET);
    check_large(SOCK_DGRAM);
    puts("END");
    check_absent();
    rmdir(folder);
    puts("PASS");
    return 0;
}
