// The page /metrics in Prometheus's text format.
// SPDX-License-Identifier: MIT
#include "metrics.h"

#include "server_raw.h"
#include "text.h"

#include <baremetal/log.h>
#include <baremetal/netdev.h>
#include <baremetal/statistics.h>
#include <baremetal/time.h>
#include <stdarg.h>
#include <string.h>

// The kernel's format (<baremetal/log.h>); what does not fit, with a byte to spare, is left out.
static __attribute__((format(printf, 2, 3))) void print(struct text *out, const char *format, ...)
{
    const size_t room = out->size - out->length;
    va_list arguments;
    va_start(arguments, format);
    const size_t length =
        room == 0 ? 0 : (size_t)bm_format_list(out->start + out->length, room, format, arguments);
    va_end(arguments);
    if (length < room)
        out->length += length;
    else
        out->full = true;
}

static void describe(struct text *out, const char *name, const char *type, const char *help)
{
    print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// One sample; `split` is the name of its label, or NULL: it has none. The label is `label`, or `number` where
// that is NULL.
static void sample(struct text *out, const char *name, const char *split, const char *label, unsigned number,
                   uint64_t value)
{
    char digits[12];
    if (label == NULL) {
        bm_format(digits, sizeof(digits), "%u", number);
        label = digits;
    }
    print(out, split == NULL ? "%s" : "%s{%s=\"%s\"}", name, split, label);
    print(out, " %llu\n", (unsigned long long)value);
}

// A metric without labels: a counter if its name ends in _total. `words` are name and help, each with its
// end; returns what follows.
static const char *metric(struct text *out, const char *words, uint64_t value)
{
    const size_t length = strlen(words);
    const char *help = words + length + 1;
    describe(out, words, words[length - 1] == 'l' ? "counter" : "gauge", help);
    sample(out, words, NULL, NULL, 0, value);
    return help + strlen(help) + 1;
}

static void write_requests(struct text *out, const struct server_counters *counters)
{
    static const char name[] = "http_requests_total";
    describe(out, name, "counter", "Requests answered, by status.");
    for (unsigned i = 0; i < HTTP_STATUSES; i++)
        sample(out, name, "code", NULL, http_status_code(i), counters->requests[i]);
    sample(out, name, "code", "other", 0, counters->requests[HTTP_STATUSES]);
}

static void write_uptime(struct text *out)
{
    const uint64_t milliseconds = bm_time_monotonic() / 1000000;
    describe(out, "machine_uptime_seconds", "gauge", "Time since the kernel's start.");
    print(out, "machine_uptime_seconds %llu.%03u\n", (unsigned long long)(milliseconds / 1000),
          (unsigned)(milliseconds % 1000));
}

static void write_counters(struct text *out, const struct server_counters *counters)
{
    static const char words[] = "http_connections_open\0Connections now.\0"
                                "http_connections_accepted_total\0Connections taken.\0"
                                "http_connections_evicted_total\0Closed for new ones.\0"
                                "http_connections_expired_total\0Closed by a time-out.\0"
                                "http_connections_refused_total\0Not taken for want of room.\0"
                                "http_sent_bytes_total\0Bytes of answers.\0"
                                "machine_network_received_packets_total\0Frames received.\0"
                                "machine_network_transmitted_packets_total\0Frames sent.";
    const struct bm_netdev *device = bm_netdev_first();
    const struct bm_netqueue *queue = device ? device->queues : NULL; // the one that the network uses
    const uint64_t values[] = {
        counters->open,    counters->accepted, counters->evicted,           counters->expired,
        counters->refused, counters->sent,     queue ? queue->received : 0, queue ? queue->transmitted : 0};
    const char *at = words;
    for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
        at = metric(out, at, values[i]);
}

enum { VALUES_MAX = 8 }; // of a statistic that are shown one by one: a page has bounded room

// A statistic of the machine: all its values, those of many cores together.
static void write_statistic(struct text *out, const struct bm_statistic *statistic)
{
    char name[64];
    const bool counts = statistic->kind == BM_STATISTIC_COUNTER;
    bm_format(name, sizeof(name), "machine_%s%s", statistic->name, counts ? "_total" : "");
    describe(out, name, counts ? "counter" : "gauge", statistic->help);
    uint64_t rest = 0;
    struct bm_statistic_value value = {0};
    for (; statistic->read(statistic, &value); value.index++)
        if (value.index < VALUES_MAX)
            sample(out, name, statistic->split, value.label, value.index, value.value);
        else
            rest += value.value;
    if (value.index > VALUES_MAX)
        sample(out, name, statistic->split, "others", 0, rest);
}

size_t metrics_render(char *buffer, size_t size)
{
    struct text out = text_begin(buffer, size);
    const struct server_counters *counters = server_counters_get();
    write_requests(&out, counters);
    write_counters(&out, counters);
    write_uptime(&out);
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s)) != NULL;)
        write_statistic(&out, s);
    return out.length;
}
