// Serves the files under /www of the image over HTTP.
// SPDX-License-Identifier: MIT
//
//   qemu-system-x86_64 … -kernel http_server -append "ip=dhcp -- port=80 connections=2048 idle=60"
#include "metrics.h"
#include "server_raw.h"
#include "text.h"

#include <baremetal/file.h>
#include <baremetal/memory.h>
#include <lwip/tcpip.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/www"

static void say(int descriptor, const char *what, const char *text, const char *after)
{
    char line[200];
    struct text out = text_begin(line, sizeof(line));
    text_string(&out, "http_server: ");
    text_string(&out, what);
    text_string(&out, text);
    text_string(&out, after);
    text_string(&out, "\n");
    if (write(descriptor, line, out.length) < 0)
        exit(EXIT_FAILURE);
}

static _Noreturn void refuse(const char *what, const char *text, const char *after)
{
    say(STDERR_FILENO, what, text, after);
    exit(EXIT_FAILURE);
}

// One `name=number` word of the command line.
static void take_option(struct server_options *options, const char *word)
{
    static const char seconds[] = "': give whole seconds from 1 to 86400";
    const struct {
        const char *name;
        unsigned *value;
        unsigned long least, most;
        const char *range;
    } known[] = {
        {"port=", &options->port, 1, 65535, "': give a whole number from 1 to 65535"},
        {"connections=", &options->connections, 1, 65536, "': give a whole number from 1 to 65536"},
        {"idle=", &options->idle_seconds, 1, 86400, seconds},
        {"head=", &options->head_seconds, 1, 86400, seconds},
        {"progress=", &options->progress_seconds, 1, 86400, seconds},
        {"rate=", &options->rate, SERVER_RATE_MIN, SERVER_RATE_MAX,
         "': give whole bytes a second from 16 to 1000000"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const size_t length = strlen(known[i].name);
        if (strncmp(word, known[i].name, length) != 0)
            continue;
        char *end = NULL;
        const unsigned long value = strtoul(word + length, &end, 10);
        if (word[length] < '0' || word[length] > '9' || *end != '\0' || value < known[i].least ||
            value > known[i].most)
            refuse("'", word, known[i].range);
        *known[i].value = (unsigned)value;
        return;
    }
    refuse("unknown option '", word,
           "'; known: port=80 connections=2048 idle=60 head=10 progress=20 rate=256");
}

static void fill_site(struct site *site)
{
    const size_t prefix = strlen(FOLDER);
    bool whole = site_init(site, 2 * bm_embedded_file_count + 1);
    for (size_t i = 0; i < bm_embedded_file_count && whole; i++) {
        const struct bm_embedded_file *file = &bm_embedded_files[i];
        if (strncmp(file->path, FOLDER "/", prefix + 1) == 0)
            whole = site_add_file(site, file->path + prefix, file->data, file->size, file->hash);
    }
    if (!whole || !site_add_rendered(site, "/metrics", METRICS_TYPE, metrics_render))
        refuse("the site does not fit into memory", "", "");
}

int main(int argc, char **argv)
{
    struct server_options options = {.port = 80,
                                     .connections = 2048,
                                     .idle_seconds = 60,
                                     .head_seconds = 10,
                                     .progress_seconds = 20,
                                     .rate = 256};
    for (int i = 1; i < argc; i++)
        take_option(&options, argv[i]);

    static struct site site;
    fill_site(&site);
    options.send_memory = (size_t)bm_memory_statistics_get().free / 4;

    LOCK_TCPIP_CORE();
    const int error = server_start(&site, &options, (uint64_t)time(NULL));
    UNLOCK_TCPIP_CORE();
    char port[8];
    struct text text = text_begin(port, sizeof(port) - 1);
    text_number(&text, options.port);
    port[text.length] = '\0';
    if (error != 0)
        refuse("cannot listen on port ", port, "");
    say(STDOUT_FILENO, "serving on port ", port, "");

    // The network is served while this waits.
    for (;;) {
        sleep(1);
        LOCK_TCPIP_CORE();
        server_sweep((uint64_t)time(NULL));
        UNLOCK_TCPIP_CORE();
    }
}
