// Sockets within the machine (AF_UNIX) under musl: descriptors in messages, and calls that wait. As on Linux,
// where this source runs, too.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @link tmpfs
// @expect ^PASS$

#define _GNU_SOURCE
#include <sys/syscall.h>

#include "linux_local.h"

// Sends `bytes` with descriptors.
static long send_rights(int descriptor, const char *bytes, const int *rights, unsigned count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(300 * sizeof(int))];
    } control = {.head = {.cmsg_len = CMSG_LEN(count * sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.head), rights, count * sizeof(int));
    struct iovec piece = {(void *)bytes, strlen(bytes)};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

// Receives up to `size` bytes; says what comes with them. Returns the first descriptor.
static int receive_rights(int descriptor, size_t size, size_t room, int flags)
{
    static union {
        struct cmsghdr head;
        char room[CMSG_SPACE(300 * sizeof(int))];
    } control;
    struct iovec piece = {buffer, size};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};
    int first = -1;
    errno = 0;
    long got = recvmsg(descriptor, &message, flags);
    printf("received %ld (error %d), flags %x, control bytes %zu\n", got, got < 0 ? errno : 0,
           (unsigned)message.msg_flags & ~(unsigned)MSG_CMSG_CLOEXEC,
           got < 0 ? 0 : (size_t)message.msg_controllen);
    if (got < 0)
        return -1;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_type == SCM_RIGHTS) {
            const int *descriptors = (const int *)(const void *)CMSG_DATA(at);
            size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            printf("  %zu descriptors\n", count);
            first = descriptors[0];
            for (size_t i = 1; i < count; i++)
                close(descriptors[i]);
        } else {
            struct ucred *of = (struct ucred *)(void *)CMSG_DATA(at);
            printf("  type %d, %d\n", at->cmsg_type,
                   of->pid == getpid() && of->uid == getuid() && of->gid == getgid());
        }
    }
    return first;
}

static void check_rights(void)
{
    int pipes[2], bad[2] = {0, 999}, got;
    PAIR(SOCK_STREAM);
    SAY(pipe(pipes));
    SAY(send_rights(both[0], "with", pipes, 2));
    SAY(send(both[0], " more", 5, 0));
    got = receive_rights(both[1], 100, CMSG_SPACE(8), MSG_PEEK);
    SAY(close(got));
    got = receive_rights(both[1], 100, CMSG_SPACE(8), MSG_CMSG_CLOEXEC);
    SAY(fcntl(got, F_GETFD));
    SAY(write(pipes[1], "through", 7));
    SAY(close(pipes[0]));
    SAY(read(got, buffer, 100));
    SAY(close(got));
    got = receive_rights(both[1], 100, CMSG_SPACE(8), 0); // the rest of the bytes
    SAY(send_rights(both[0], "bad", bad, 2));
    SAY(send_rights(both[0], "three", (int[]){pipes[1], pipes[1], pipes[1]}, 3));
    got = receive_rights(both[1], 2, CMSG_LEN(8), 0); // two of them fit
    SAY(close(got));
    receive_rights(both[1], 100, CMSG_LEN(8), 0);
    SAY(send_rights(both[0], "none", pipes + 1, 1));
    receive_rights(both[1], 100, 0, 0);
    SAY(send_rights(both[0], "one", pipes + 1, 1));
    SAY(recv(both[1], buffer, 100, 0)); // it is closed
    int many[240];                      // musl takes 1,024 bytes
    for (int i = 0; i < 240; i++)
        many[i] = pipes[1];
    SAY(send_rights(both[0], "240", many, 240));
    got = receive_rights(both[1], 100, CMSG_SPACE(240 * sizeof(int)), 0);
    SAY(close(got));
    SAY(close(pipes[1]));
    int on = 1;
    SAY(setsockopt(both[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    SAY(option(both[1], SO_PASSCRED));
    SAY(send_rights(both[0], "both", bad, 1));
    got = receive_rights(both[1], 100, CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(4), 0);
    SAY(close(got));
    close_both();
    // What waits for nobody is closed: the writing end of a pipe.
    PAIR(SOCK_DGRAM);
    SAY(pipe(pipes));
    SAY(send_rights(both[0], "waits", pipes + 1, 1));
    SAY(close(pipes[1]));
    SAY(events(pipes[0]));
    close_both();
    SAY(events(pipes[0]));
    SAY(close(pipes[0]));
}

// Sockets that hold each other, and themselves: the pipe's end that waits in them is closed when they are
// gone.
static void check_cycles(void)
{
    int pipes[2];
    puts("--- cycles");
    SAY(pipe(pipes));
    for (int i = 0; i < 3000; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, both);
        int one = send_rights(both[0], "x", both, 2) != 1;
        int other_one = send_rights(both[1], "x", (int[]){both[0], pipes[1]}, 2) != 1;
        if (one || other_one)
            printf("round %d: error %d\n", i, errno);
        close(both[0]);
        close(both[1]);
    }
    SAY(close(pipes[1]));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, both));
    close_both(); // whoever closes one looks for the others
    struct pollfd look = {pipes[0], POLLIN, 0};
    SAY(poll(&look, 1, 10000));
    SAY(look.revents);
    SAY(close(pipes[0]));
}

// A listener whose only holder is a message to a connection that it has not accepted: both go, and with them
// the pipe's end that the same message brings.
static void check_pending(void)
{
    int pipes[2];
    puts("--- pending");
    SAY(pipe(pipes));
    for (int i = 0; i < 300; i++) {
        int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bind_to(server, "@pending in this test") || listen(server, 1) ||
            connect_to(client, "@pending in this test") ||
            send_rights(client, "x", (int[]){server, pipes[1]}, 2) != 1)
            printf("round %d: error %d\n", i, errno);
        close(server);
        close(client);
        int later = socket(AF_UNIX, SOCK_STREAM, 0), tries = 0;
        while (bind_to(later, "@pending in this test") && tries++ < 1000)
            usleep(1000);
        if (tries >= 1000)
            printf("round %d: it stays\n", i);
        close(later);
    }
    SAY(close(pipes[1]));
    struct pollfd look = {pipes[0], POLLIN, 0};
    SAY(poll(&look, 1, 10000));
    SAY(look.revents);
    SAY(close(pipes[0]));
}

struct call {
    int descriptor;
    long (*function)(int descriptor);
    pthread_t thread;
    atomic_bool begun;
    long result;
    int error;
};

static void *run(void *arg)
{
    struct call *call = arg;
    call->begun = 1;
    errno = 0;
    call->result = call->function(call->descriptor);
    call->error = call->result < 0 ? errno : 0;
    return NULL;
}

static void begin(struct call *call, long (*function)(int), int descriptor)
{
    *call = (struct call){.descriptor = descriptor, .function = function};
    pthread_create(&call->thread, NULL, run, call);
    while (!call->begun)
        sched_yield();
    for (int i = 0; i < 10; i++)
        sched_yield();
}

static void end(const char *text, struct call *call)
{
    pthread_join(call->thread, NULL);
    printf("%s: %ld (error %d)\n", text, call->result, call->error);
}

static long receiving(int descriptor)
{
    char byte[16];
    return recv(descriptor, byte, sizeof byte, 0);
}

static long accepting(int descriptor)
{
    int accepted = accept(descriptor, NULL, NULL);
    return accepted < 0 ? -1 : close(accepted);
}

static long sending(int descriptor)
{
    return send(descriptor, buffer, sizeof buffer, MSG_NOSIGNAL);
}

static long sending_all(int descriptor)
{
    static char bytes[2000000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 + i / 997);
    return send(descriptor, bytes, sizeof bytes, MSG_NOSIGNAL);
}

// Has a thread accept until the descriptor that it takes is the one that was free before; the loop may have
// held that just then, and the accept has taken another. Returns the descriptor, and the one that is free in
// its place.
static int begin_reserved(struct call *call, int server, int *next)
{
    for (;;) {
        int taken = dup(0);
        close(taken);
        begin(call, accepting, server);
        for (int i = 0; i < 1000; i++) {
            *next = dup(0);
            if (*next != taken)
                return taken;
            close(*next);
            sched_yield();
        }
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        connect_to(client, "@reserved in this test");
        pthread_join(call->thread, NULL);
        close(client);
    }
}

// The descriptor that an accept has taken for what may come is nobody else's.
static void check_reserved(void)
{
    struct call call;
    int server = OPEN(socket(AF_UNIX, SOCK_STREAM, 0)), client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(bind_to(server, "@reserved in this test"));
    SAY(listen(server, 1));
    int next, taken = begin_reserved(&call, server, &next);
    SAY(syscall(SYS_dup2, 0, taken)); // musl's dup2 tries again and again
    SAY(syscall(SYS_dup2, taken, next));
    SAY(close(taken));
    SAY(close(next));
    SAY(connect_to(client, "@reserved in this test"));
    end("accepted", &call);
    SAY(close(client) | close(server));
}

static void check_waiting(void)
{
    struct call call, second;
    puts("--- waiting");
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, both));
    begin(&call, receiving, both[0]);
    SAY(send(both[1], "late", 4, 0));
    end("received", &call);
    begin(&call, receiving, both[0]);
    begin(&second, receiving, both[0]);
    SAY(shutdown(both[0], SHUT_RD));
    end("shut", &call);
    end("shut", &second);
    close_both();
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, both));
    begin(&call, receiving, both[0]);
    SAY(close(both[1]));
    end("the peer closed", &call);
    SAY(close(both[0]));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, both));
    begin(&call, sending_all, both[0]);
    long got = 0, part;
    int wrong = 0;
    while (got < 2000000 && (part = recv(both[1], other, sizeof other, 0)) > 0) {
        for (long i = 0; i < part; i++)
            wrong += other[i] != (char)((got + i) * 31 + (got + i) / 997);
        got += part;
    }
    end("all", &call);
    SAY(got);
    SAY(wrong);
    begin(&call, sending, both[0]);
    while (events(both[0]) & POLLOUT)
        sched_yield();
    SAY(shutdown(both[0], SHUT_WR)); // what was taken is told
    pthread_join(call.thread, NULL);
    SAY(call.result > 0 && call.result < (long)sizeof buffer);
    got = 0;
    while ((part = recv(both[1], other, sizeof other, 0)) > 0)
        got += part;
    SAY(got == call.result);
    close_both();
    int server = OPEN(socket(AF_UNIX, SOCK_STREAM, 0)), client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(bind_to(server, "@waiting in this test"));
    SAY(listen(server, 1));
    begin(&call, accepting, server);
    SAY(connect_to(client, "@waiting in this test"));
    end("accepted", &call);
    begin(&call, accepting, server);
    SAY(shutdown(server, SHUT_RDWR));
    end("shut", &call);
    SAY(close(client));
    client = OPEN(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect_to(client, "@waiting in this test"));
    SAY(close(client) | close(server));
    struct timeval time = {0, 20000};
    SAY(socketpair(AF_UNIX, SOCK_DGRAM, 0, both));
    SAY(setsockopt(both[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    SAY(recv(both[0], buffer, 1, 0));
    close_both();
}

int main(void)
{
    puts("BEGIN");
    check_rights();
    check_cycles();
    check_pending();
    check_reserved();
    check_waiting();
    puts("END");
    puts("PASS");
    return 0;
}
