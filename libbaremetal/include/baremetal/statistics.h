// Statistics: counters and gauges with names, of the machine, its cores and its devices.
// SPDX-License-Identifier: MIT
//
// Each is a constant beside the code that counts; docs/statistics.md lists them. Who wants them walks the
// list:
//
//     for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s));)
//         for (struct bm_statistic_value value = {0}; s->read(s, &value); value.index++)
//             …
//
// Nothing is allocated, and an image in which nobody walks it keeps none. Any core, any context.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One value of a statistic.
struct bm_statistic_value {
    unsigned index;    // which one, from 0: the caller's
    const char *label; // its word; NULL: it is told by its number, or it is the only one
    uint64_t value;
};

// How its values behave.
enum bm_statistic_kind {
    BM_STATISTIC_COUNTER, // only grows
    BM_STATISTIC_GAUGE    // grows and shrinks
};

// A statistic.
struct bm_statistic {
    const char *name;  // "core_interrupts": small letters and underscores
    const char *help;  // a sentence
    const char *split; // what each value belongs to: "core", "device", "state"; NULL: there is one value
    enum bm_statistic_kind kind; // counter or gauge
    unsigned argument;           // the owner's
    // Fills in label and value; false: no such index.
    bool (*read)(const struct bm_statistic *statistic, struct bm_statistic_value *value);
};

// Places a statistic in the list. To be used at file scope: BM_STATISTIC(name) = {.name = …};
#define BM_STATISTIC(name)                                                                                   \
    static const struct bm_statistic bm_statistic_##name                                                     \
        __attribute__((used, section("bm_statistics"), aligned(8)))

// The statistic behind one, NULL: the first. Returns NULL behind the last.
const struct bm_statistic *bm_statistic_next(const struct bm_statistic *before);

#ifdef __cplusplus
}
#endif
