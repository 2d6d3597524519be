// Calls as they are made: arguments, results, errors, of several threads; nothing without the word.
// SPDX-License-Identifier: MIT
// @variants musl
// @link trace_calls devfs
// @run shown
// @append trace=calls -- traced
// @status 35
// @expect ^trace: 1 open\("/no/such \\"file\\"", \d+, 0x[0-9a-f]+\) = -2 \(ENOENT\)$
// @expect ^trace: 1 write\(1, "text\\n\\x01", 6\) = 6$
// @expect ^trace: 1 write\(1, "0{48}"\.\.\., 100\) = 100$
// @expect ^trace: 1 read\(-1, 0x[0-9a-f]+, 1\) = -9 \(EBADF\)$
// @expect ^trace: 1 write\(-1, NULL, 0\) = -9 \(EBADF\)$
// @expect ^trace: [2-9]\d+ exit\(0\) = \?$
// @expect ^trace: 1 close\(77\) = -9 \(EBADF\)$
// @expect ^trace: 1 exit_group\(1\) = \?$
// @run not shown
// @forbid trace:
// @run another word
// @append trace=packets
// @expect ^warning: trace: trace=packets makes no sense: write trace=calls$
// @forbid ^trace:
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static void *thread(void *arg)
{
    return arg;
}

int main(int argc, char **argv)
{
    (void)argv;
    char byte, many[100];
    pthread_t other;
    memset(many, '0', sizeof many);
    many[sizeof many - 1] = '\n';
    CHECK_ERRNO(open("/no/such \"file\"", O_RDONLY), ENOENT);
    CHECK(write(1, "text\n\1", 6) == 6);
    CHECK(write(1, many, sizeof many) == sizeof many);
    CHECK_ERRNO(read(-1, &byte, 1), EBADF);
    CHECK_ERRNO(write(-1, NULL, 0), EBADF);
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK_ERRNO(close(77), EBADF);
    return argc > 1 ? 1 : passed(); // whose last lines would be the calls'
}
