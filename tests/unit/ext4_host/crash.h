// Power cuts: what a disk may hold after one, between two flushes.
// SPDX-License-Identifier: MIT
//
// While it records, every write and flush of the disk is kept. Afterwards crash_each makes the disk of each
// moment: all writes that a flush has followed, and of the others all, or any of them, in pieces of blocks,
// as a disk with a cache may have them. The judge of each is the test's; crash_fsck asks e2fsck, once for
// each disk that it has not yet seen.
#pragma once

#include "ext4_host.h"

enum { CRASH_SEEN = 1 << 16 };

static struct crash_event {
    uint64_t at;
    size_t size; // 0: a flush
    uint8_t *bytes;
} * crash_events;

static size_t crash_count, crash_room;
static uint8_t *crash_base;
static uint32_t crash_state = 1;
static uint64_t *crash_seen;
static unsigned crash_points, crash_checks; // that were made; that e2fsck has seen

static void crash_add(uint64_t at, const void *from, size_t size)
{
    if (crash_count == crash_room) {
        crash_room = crash_room ? 2 * crash_room : 1024;
        crash_events = realloc(crash_events, crash_room * sizeof *crash_events);
    }
    struct crash_event *event = &crash_events[crash_count++];
    *event = (struct crash_event){.at = at, .size = size, .bytes = size ? malloc(size) : NULL};
    if (size)
        memcpy(event->bytes, from, size);
}

static void crash_flush(void)
{
    crash_add(0, NULL, 0);
}

// Records from now on.
static inline void crash_begin(void)
{
    crash_base = malloc(disk.size);
    memcpy(crash_base, disk_bytes, disk.size);
    disk_on_write = crash_add;
    disk_on_flush = crash_flush;
}

static inline void crash_stop(void)
{
    disk_on_write = NULL;
    disk_on_flush = NULL;
}

static inline void crash_end(void)
{
    crash_stop();
    for (size_t i = 0; i < crash_count; i++)
        free(crash_events[i].bytes);
    free(crash_events);
    free(crash_base);
    free(crash_seen);
    crash_events = NULL;
    crash_seen = NULL;
    crash_count = crash_room = 0;
}

static inline uint32_t crash_number(uint32_t below)
{
    crash_state = crash_state * 1664525 + 1013904223;
    return (crash_state >> 8) % below;
}

// Puts events [first, end) on the disk: all of them, or with `unit` each of their pieces of that size or not.
static void crash_apply(size_t first, size_t end, size_t unit)
{
    for (size_t i = first; i < end; i++) {
        const struct crash_event *event = &crash_events[i];
        size_t piece = unit ? unit : event->size;
        for (size_t at = 0; at < event->size; at += piece)
            if (!unit || crash_number(2))
                memcpy(disk_bytes + event->at + at, event->bytes + at,
                       event->size - at < piece ? event->size - at : piece);
    }
}

// For each `step`th moment of the record, and then `samples` of the disks that there may be, calls the judge
// with how many events had happened.
static inline void crash_each(size_t step, unsigned samples, size_t unit, void (*judge)(size_t happened))
{
    crash_stop();
    uint8_t *stable = malloc(disk.size);
    size_t flushed = 0; // events
    memcpy(stable, crash_base, disk.size);
    for (size_t moment = 0; moment <= crash_count; moment++) {
        if (moment && crash_events[moment - 1].size == 0) {
            memcpy(disk_bytes, stable, disk.size);
            crash_apply(flushed, moment, 0);
            memcpy(stable, disk_bytes, disk.size);
            flushed = moment;
        }
        if (moment % step && moment != crash_count)
            continue;
        for (unsigned sample = 0; sample <= samples; sample++) {
            if (sample && flushed == moment)
                break;
            memcpy(disk_bytes, stable, disk.size);
            crash_apply(flushed, moment, sample ? unit : 0);
            crash_points++;
            judge(moment);
        }
    }
    free(stable);
}

static inline uint64_t disk_hash(void)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t at = 0; at < disk.size; at += 8) {
        uint64_t word;
        memcpy(&word, disk_bytes + at, sizeof word);
        hash = (hash ^ word) * 0x100000001b3;
        hash ^= hash >> 29;
    }
    return hash;
}

// Whether the disk is one that e2fsck has not seen yet.
static inline bool crash_is_new(void)
{
    if (!crash_seen)
        crash_seen = calloc(CRASH_SEEN, sizeof *crash_seen);
    uint64_t hash = disk_hash() | 1;
    uint64_t *slot = &crash_seen[hash >> 1 & (CRASH_SEEN - 1)];
    bool is_new = *slot != hash;
    *slot = hash;
    return is_new;
}

// Has e2fsck look at the disk, which is put into a file: it must find nothing but trees that could be
// shorter.
static inline void crash_fsck(const char *path)
{
    if (!crash_is_new())
        return;
    crash_checks++;
    disk_save(path);
    run("PATH=$PATH:/usr/sbin:/sbin; e2fsck -fn %s >%s.log 2>&1 && ! grep '?' %s.log | grep -qv 'Optimize?' "
        "|| "
        "{ cat %s.log; false; }",
        path, path, path, path);
}
