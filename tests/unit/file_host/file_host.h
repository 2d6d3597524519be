// The kernel below the file service, for tests on the host: frames that can run out, a clock, waiting.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../libbaremetal/base/early.h"
#include "../../../libbaremetal/file/tmpfs.h"

#include <baremetal/core.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bm_boot_early bm_boot_early_state = {.seed = 0x9e3779b97f4a7c15};

enum { HOST_MEMORY = 64 << 20 }; // bytes that the machine says it has

// Frames that are out, and how many may still be taken: fewer than 0: as many as wanted.
static _Atomic(long) frames_out, frames_left = -1;

static bool frame_allowed(void)
{
    long left = atomic_load(&frames_left);
    while (left > 0 && !atomic_compare_exchange_weak(&frames_left, &left, left - 1))
        ;
    return left != 0;
}

void *bm_frame_allocate(unsigned order)
{
    if (!frame_allowed())
        return NULL;
    void *block = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
    memset(block, 0xa5, BM_PAGE_SIZE << order);
    frames_out += 1l << order;
    return block;
}

void bm_frame_free(void *block, unsigned order)
{
    if (!block)
        return;
    frames_out -= 1l << order;
    memset(block, 0x5a, BM_PAGE_SIZE << order);
    free(block);
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = HOST_MEMORY, .free = HOST_MEMORY};
}

uint64_t bm_time_wall(void)
{
    static _Atomic(uint64_t) now;
    return ++now;
}

static _Thread_local unsigned own_core;

unsigned bm_core_id(void)
{
    return own_core;
}

unsigned bm_context_id(void)
{
    return own_core + 1;
}

void bm_core_wake(unsigned core)
{
    (void)core;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    while (!condition(arg)) {
        if (deadline == 0)
            return false;
        sched_yield();
    }
    return true;
}

bool bm_wait_woken(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    return bm_wait_until(condition, arg, deadline);
}

void bm_context_wake(unsigned context)
{
    (void)context;
}

void bm_random_fill(void *buffer, size_t size)
{
    memset(buffer, 0x42, size);
}

void bm_random_add(const char *source, const void *data, size_t size, unsigned entropy_bits)
{
    (void)source;
    (void)data;
    (void)size;
    (void)entropy_bits;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", subject);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static const struct bm_file_ops terminal_ops;
struct bm_file bm_terminal_file = {.ops = &terminal_ops, .flags = BM_O_RDWR, .references = 3};
