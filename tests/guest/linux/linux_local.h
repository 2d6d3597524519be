// What the tests of AF_UNIX share: results as text, addresses, pairs.
// SPDX-License-Identifier: MIT
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char buffer[300000];
static __attribute__((unused)) char other[300000];

static inline long say(const char *text, long result)
{
    if (result < 0)
        printf("%s: error %d\n", text, errno);
    else
        printf("%s: %ld\n", text, result);
    return result;
}

// What a call returned, or its error.
#define SAY(call) say(#call, (errno = 0, (long)(call)))
// The same of one that returns a descriptor, whose number is of no matter.
#define OPEN(call) opened(#call, (errno = 0, (call)))

static inline int opened(const char *text, int result)
{
    printf("%s: %d\n", text, result < 0 ? errno : 0);
    return result;
}

static inline int events(int descriptor)
{
    struct pollfd look = {descriptor, POLLIN | POLLOUT, 0};
    poll(&look, 1, 0);
    return look.revents;
}

static struct sockaddr_un address;

enum { DIGITS = 10 }; // of the process in abstract names, which on Linux all processes share

// An address, "@…" an abstract one; its size.
static inline socklen_t named(const char *name)
{
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (name[0] != '@') {
        strcpy(address.sun_path, name);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
    }
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%0*d%s", DIGITS, getpid(), name + 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + DIGITS + strlen(name));
}

static inline void say_address(const char *text, int result, socklen_t size)
{
    if (result < 0) {
        printf("%s: error %d\n", text, errno);
        return;
    }
    printf("%s: %u bytes, family %d", text, size, size >= 2 ? address.sun_family : -1);
    if (size > 2)
        printf(", %s%s", address.sun_path[0] ? "" : "@",
               address.sun_path + (address.sun_path[0] ? 0 : 1 + DIGITS));
    puts("");
}

static inline void say_names(int descriptor)
{
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    int result = getsockname(descriptor, (struct sockaddr *)&address, &size);
    say_address("own name", result, size);
    size = sizeof address;
    memset(&address, 0, sizeof address);
    result = getpeername(descriptor, (struct sockaddr *)&address, &size);
    say_address("peer's name", result, size);
}

static inline int bind_to(int descriptor, const char *name)
{
    socklen_t size = named(name);
    return bind(descriptor, (struct sockaddr *)&address, size);
}

static inline int connect_to(int descriptor, const char *name)
{
    socklen_t size = named(name);
    return connect(descriptor, (struct sockaddr *)&address, size);
}

static inline int option(int descriptor, int which)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, which, &value, &size) ? -errno : value;
}

static int both[2];
#define PAIR(type) printf("--- pair of type %d: %d\n", type, socketpair(AF_UNIX, type, 0, both))

static inline void close_both(void)
{
    SAY(close(both[0]));
    SAY(close(both[1]));
}
