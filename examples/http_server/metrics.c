// The page /metrics in Prometheus's text format.
// SPDX-License-Identifier: MIT
#include "metrics.h"

#include "server_raw.h"
#include "text.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
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
    for (unsigned i = 0; i < SERVER_STATUSES; i++) {
        text_string(out, "http_requests_total{code=\"");
        text_number(out, server_status(i));
        text_string(out, "\"} ");
        text_number(out, counters->requests[i]);
        text_string(out, "\n");
    }
}

static void write_memory(struct text *out)
{
    const struct bm_memory_statistics memory = bm_memory_statistics_get();
    describe(out, "machine_memory_bytes", "gauge", "Memory of the machine.");
    sample(out, "machine_memory_bytes", "{state=\"total\"}", memory.total);
    sample(out, "machine_memory_bytes", "{state=\"free\"}", memory.free);
    sample(out, "machine_memory_bytes", "{state=\"heap\"}", memory.heap);
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
    write_memory(&out);
    write_uptime(&out);
    gauge(&out, "machine_cores", "Cores that run.", bm_core_count());
    write_network(&out);
    return out.length;
}
