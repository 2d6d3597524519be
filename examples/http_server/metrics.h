// The page /metrics: figures of the server and the machine.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

// Writes the page in Prometheus's text format into out[size]; returns its length. With lwIP's core lock held.
size_t metrics_render(char *out, size_t size);
