// The virtio console: text and keys, and a named port that echoes what the host sends.
// SPDX-License-Identifier: MIT
// @link virtio_console
// @script virtio_console.py

#include <baremetal/console.h>
#include <baremetal/virtio_port.h>
#include <baremetal/wait.h>

#include "check.h"

static struct bm_virtio_port *port;

static bool is_found(void *arg)
{
    port = bm_virtio_port_open(arg);
    return port != NULL;
}

static bool is_readable(void *arg)
{
    return bm_virtio_port_readable(arg);
}

static bool is_writable(void *arg)
{
    return bm_virtio_port_writable(arg);
}

// The sum of the bytes tells both sides that none was lost.
static void echo(void)
{
    static unsigned char buffer[3000];
    bool over = false;
    while (!over) {
        CHECK(bm_wait_until(is_readable, port, UINT64_MAX));
        long size = bm_virtio_port_read(port, buffer, sizeof buffer);
        CHECK(size >= 0);
        over = size && buffer[size - 1] == 0;
        for (long done = 0; done < size;) {
            CHECK(bm_wait_until(is_writable, port, UINT64_MAX));
            long sent = bm_virtio_port_write(port, buffer + done, (size_t)(size - done));
            CHECK(sent >= 0);
            done += sent;
        }
    }
    CHECK(bm_virtio_port_connected(port));
}

int main(int argc, char **argv)
{
    char line[64];
    puts("ready");
    CHECK(fgets(line, sizeof line, stdin) != NULL);
    printf("line: %s", line);
    if (argc > 1) {
        CHECK(bm_virtio_port_open("no.such.port") == NULL);
        CHECK(bm_wait_until(is_found, argv[1], UINT64_MAX));
        printf("open: %s\n", argv[1]);
        fflush(stdout);
        echo();
    }
    for (unsigned i = 0; i < 200; i++)
        printf("%03u 0123456789abcdefghijklmnopqrstuvwxyz\n", i);
    return passed();
}
