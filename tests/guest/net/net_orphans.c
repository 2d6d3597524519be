// Answers each connection and closes it at once; net_orphans.py's clients take nothing.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net virtio_net virtio_rng
// @script net_orphans.py

#include <baremetal/memory.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PORT = 80, SIZE = 2000, WARM = 100, CLIENTS = 3001 };

int main(void)
{
    static unsigned char answer[SIZE];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listener >= 0);
    CHECK(bind(listener, (const struct sockaddr *)&here, sizeof(here)) == 0);
    CHECK(listen(listener, 255) == 0);
    puts("ready");
    uint64_t before = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        int client = accept(listener, NULL, NULL);
        CHECK(client >= 0);
        CHECK(send(client, answer, SIZE, 0) == SIZE);
        CHECK(close(client) == 0);
        if (i == WARM)
            before = bm_memory_statistics_get().free;
    }
    uint64_t after = bm_memory_statistics_get().free, total = bm_memory_statistics_get().total;
    printf("closed connections keep %lu of %lu KiB\n", (unsigned long)(before - after) >> 10,
           (unsigned long)total >> 10);
    CHECK(before - after < total / 8); // without a bound they would keep some 3 KB each, 9 MB
    return passed();
}
