// The fence behind a block of a heap, and what is left of a block that was given back.
// SPDX-License-Identifier: MIT
#include "check.h"

// Not the size itself, so that a program's own small numbers do not pass for it.
static uint64_t word_for(const void *block, size_t size)
{
    return size ^ (uintptr_t)block * 0x9e3779b97f4a7c15ull >> 32 << 16;
}

static uint64_t *last_word(const void *block, size_t room)
{
    return (uint64_t *)((uintptr_t)block + room) - 1;
}

void bm_guard_begin(void *block, size_t size, size_t room)
{
    *last_word(block, room) = word_for(block, size);
    bm_check_poison((char *)block + size, room - sizeof(uint64_t) - size);
}

size_t bm_guard_check(const void *block, size_t room, const char *function, const void *caller)
{
    size_t size = *last_word(block, room) ^ word_for(block, 0);
    BM_ASSERT_OF(function,
                 size <= room - sizeof(uint64_t) &&
                     bm_check_poisoned((const char *)block + size, room - sizeof(uint64_t) - size),
                 "what lies behind a block of the heap must not be written to", caller);
    return size;
}

void bm_guard_end(void *block, size_t size, const char *function, const void *caller)
{
    BM_ASSERT_OF(function, !bm_check_work_within(block, size),
                 "memory must not be given back while a submitted item lies in it", caller);
    bm_check_poison(block, size);
}
