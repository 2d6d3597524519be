// The page /metrics in Prometheus's text format.
// SPDX-License-Identifier: MIT
#include "metrics.h"

#include "server_raw.h"
#include "text.h"

#include <baremetal/netdev.h>
#include <baremetal/statistics.h>
#include <baremetal/time.h>

static void describe(struct text *out, const char *name, const char *type, const char *help)
{
    text_string(out, "# HELP ");
    text_string(out, name);
    text_string(out, " ");
    text_string(out, help);
    text_string(out, "\n# TYPE ");
    text_string(out, name);
    text_string(out, " ");
    text_string(out, type);
    text_string(out, "\n");
}

// One sample; `labels` with its braces, or "".
static void sample(struct text *out, const char *name, const char *labels, uint64_t value)
{
    text_string(out, name);
    text_string(out, labels);
    text_string(out, " ");
    text_number(out, value);
    text_string(out, "\n");
}

static void counter(struct text *out, const char *name, const char *help, uint64_t value)
{
    describe(out, name, "counter", help);
    sample(out, name, "", value);
}

static void gauge(struct text *out, const char *name, const char *help, uint64_t value)
{
    describe(out, name, "gauge", help);
    sample(out, name, "", value);
}

static void write_requests(struct text *out, const struct server_counters *counters)
{
    describe(out, "http_requests_total", "counter", "Requests answered, by status.");
    for (unsigned i = 0; i <= HTTP_STATUSES; i++) {
        text_string(out, "http_requests_total{code=\"");
        if (i < HTTP_STATUSES)
            text_number(out, http_status_code(i));
        else
            text_string(out, "other");
        text_string(out, "\"} ");
        text_number(out, counters->requests[i]);
        text_string(out, "\n");
    }
}

static void write_uptime(struct text *out)
{
    const uint64_t milliseconds = bm_time_monotonic() / 1000000;
    describe(out, "machine_uptime_seconds", "gauge", "Time since the kernel's start.");
    text_string(out, "machine_uptime_seconds ");
    text_number(out, milliseconds / 1000);
    text_string(out, ".");
    text_number_padded(out, milliseconds % 1000, 3);
    text_string(out, "\n");
}

static void write_network(struct text *out)
{
    const struct bm_netdev *device = bm_netdev_first();
    const struct bm_netqueue *queue = device ? device->queues : NULL; // the one that the network uses
    if (queue == NULL)
        return;
    counter(out, "machine_network_received_packets_total", "Frames received.", queue->received);
    counter(out, "machine_network_transmitted_packets_total", "Frames sent.", queue->transmitted);
}

enum { VALUES_MAX = 8 }; // of a statistic that are shown one by one: a page has bounded room

static void write_value(struct text *out, const char *name, const char *split, const char *label,
                        unsigned number, uint64_t value)
{
    text_string(out, name);
    text_string(out, "{");
    text_string(out, split);
    text_string(out, "=\"");
    if (label != NULL)
        text_string(out, label);
    else
        text_number(out, number);
    text_string(out, "\"} ");
    text_number(out, value);
    text_string(out, "\n");
}

// A statistic of the machine: all its values, those of many cores together.
static void write_statistic(struct text *out, const struct bm_statistic *statistic)
{
    char name[64] = "";
    const bool counts = statistic->kind == BM_STATISTIC_COUNTER;
    struct text whole = text_begin(name, sizeof(name) - 1);
    text_string(&whole, "machine_");
    text_string(&whole, statistic->name);
    text_string(&whole, counts ? "_total" : "");
    describe(out, name, counts ? "counter" : "gauge", statistic->help);
    uint64_t rest = 0;
    struct bm_statistic_value value = {0};
    for (; statistic->read(statistic, &value); value.index++) {
        if (statistic->split == NULL)
            sample(out, name, "", value.value);
        else if (value.index < VALUES_MAX)
            write_value(out, name, statistic->split, value.label, value.index, value.value);
        else
            rest += value.value;
    }
    if (value.index > VALUES_MAX)
        write_value(out, name, statistic->split, "others", 0, rest);
}

size_t metrics_render(char *buffer, size_t size)
{
    struct text out = text_begin(buffer, size);
    const struct server_counters *counters = server_counters_get();
    write_requests(&out, counters);
    gauge(&out, "http_connections_open", "Connections now.", counters->open);
    counter(&out, "http_connections_accepted_total", "Connections taken.", counters->accepted);
    counter(&out, "http_connections_evicted_total", "Closed for new ones.", counters->evicted);
    counter(&out, "http_connections_expired_total", "Closed by a time-out.", counters->expired);
    counter(&out, "http_connections_refused_total", "Not taken for want of room.", counters->refused);
    counter(&out, "http_sent_bytes_total", "Bytes of answers.", counters->sent);
    write_uptime(&out);
    write_network(&out);
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s)) != NULL;)
        write_statistic(&out, s);
    return out.length;
}
