// Commands of the wire: words to settings, counters to JSON.
// SPDX-License-Identifier: MIT
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICROSECOND = 1000, KBIT = 1000, KEY_MAX = 32 };

// Where a key's value goes: 8 or 4 bytes, in the path or in the rule that drops.
struct key {
    const char *name;
    size_t offset;
    bool wide, rule;
    uint32_t unit;
};

#define OF_PATH(field, is_wide, times) offsetof(struct path, field), is_wide, false, times
static const struct key keys[] = {
    {"rate_kbit", OF_PATH(rate, true, KBIT)},
    {"delay_us", OF_PATH(delay, true, MICROSECOND)},
    {"jitter_us", OF_PATH(jitter, true, MICROSECOND)},
    {"late_us", OF_PATH(late, true, MICROSECOND)},
    {"queue", OF_PATH(queue, false, 1)},
    {"loss_ppm", OF_PATH(loss, false, 1)},
    {"burst_ppm", OF_PATH(burst, false, 1)},
    {"burst_end_ppm", OF_PATH(burst_end, false, 1)},
    {"reorder_ppm", OF_PATH(reorder, false, 1)},
    {"duplicate_ppm", OF_PATH(duplicate, false, 1)},
    {"mtu", OF_PATH(mtu, false, 1)},
    {"drop_at", offsetof(struct drop, place), false, true, 1},
    {"drop_times", offsetof(struct drop, times), false, true, 1},
};

// A whole number in decimal digits up to `max`.
static bool read_number(const char *text, uint64_t max, uint64_t *number)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return !*end && !errno && *number <= max;
}

// Cuts _in or _out off a name: the ways that it means, as bits.
static unsigned take_ways(char *name)
{
    static const char *const ends[] = {[IN] = "_in", [OUT] = "_out"};
    const size_t length = strlen(name);
    for (unsigned way = IN; way <= OUT; way++) {
        const size_t size = strlen(ends[way]);
        if (length > size && !strcmp(name + length - size, ends[way])) {
            name[length - size] = 0;
            return 1u << way;
        }
    }
    return 1u << IN | 1u << OUT;
}

static const char *store(const char *name, const char *value, unsigned ways, struct setting *setting)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct key *key = &keys[i];
        uint64_t number;
        if (strcmp(name, key->name))
            continue;
        if (!read_number(value, (key->wide ? UINT64_MAX : UINT32_MAX) / key->unit, &number))
            return "a value is no whole number, or too large";
        number *= key->unit;
        const uint32_t narrow = (uint32_t)number;
        for (unsigned way = IN; way <= OUT; way++) {
            char *base = key->rule ? (char *)&setting->drops[way] : (char *)&setting->ways[way];
            if (ways & 1u << way)
                memcpy(base + key->offset, key->wide ? (const void *)&number : (const void *)&narrow,
                       key->wide ? sizeof(number) : sizeof(narrow));
        }
        return NULL;
    }
    return "there is no such key";
}

static const char *read_word(const char *word, struct setting *setting, bool *has_path)
{
    const char *equals = strchr(word, '=');
    char name[KEY_MAX];
    uint64_t number;
    if (!equals || equals - word >= KEY_MAX)
        return "a word is not key=value";
    memcpy(name, word, (size_t)(equals - word));
    name[equals - word] = 0;
    if (!strcmp(name, "seed"))
        return read_number(equals + 1, UINT64_MAX, &setting->seed) ? NULL : "the seed is no whole number";
    if (!strcmp(name, "path")) {
        if (!read_number(equals + 1, PATHS - 1, &number))
            return "the path is no number below 256";
        setting->path = (unsigned)number;
        *has_path = true;
        return NULL;
    }
    const unsigned ways = take_ways(name);
    return store(name, equals + 1, ways, setting);
}

const char *control_read(char *words, struct setting *setting)
{
    bool has_path = false;
    char *next = NULL;
    *setting = (struct setting){0};
    for (char *word = strtok_r(words, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
        const char *problem = read_word(word, setting, &has_path);
        if (problem)
            return problem;
    }
    if (!has_path)
        return "there is no path=NUMBER";
    const char *problem = path_problem(&setting->ways[IN]);
    return problem ? problem : path_problem(&setting->ways[OUT]);
}

bool control_write(char *text, size_t room, const struct report reports[2])
{
    size_t used = 0;
    for (unsigned way = IN; way <= OUT; way++) {
        const struct report *r = &reports[way];
        const struct path_counters *c = r->path;
        const int wrote =
            snprintf(text + used, room - used,
                     "%s\"%s\": {\"frames\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"lost\": %" PRIu64
                     ", \"overflowed\": %" PRIu64 ", \"too_large\": %" PRIu64 ", \"reordered\": %" PRIu64
                     ", \"duplicated\": %" PRIu64 ", \"queued_max\": %" PRIu64 ", \"dropped\": %" PRIu64
                     ", \"data\": %" PRIu64 ", \"again\": %" PRIu64 ", \"spilled\": %" PRIu64
                     ", \"behind_max\": %" PRIu64 "}%s",
                     way == IN ? "{" : ", ", way == IN ? "in" : "out", c->frames, c->bytes, c->lost,
                     c->overflowed, c->too_large, c->reordered, c->duplicated, c->queued_max, r->dropped,
                     r->data, r->again, r->spilled, r->behind_max, way == IN ? "" : "}");
        if (wrote < 0 || (size_t)wrote >= room - used)
            return false;
        used += (size_t)wrote;
    }
    return true;
}
