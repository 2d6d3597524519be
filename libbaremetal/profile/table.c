// The samples of one core, added up by stack.
// SPDX-License-Identifier: MIT
//
// Stacks lie one after the other in `words`: count, depth, addresses. They are found by a hash of the
// addresses. The core that owns the table writes it in a handler, so nothing here takes a lock or allocates;
// others read at any time: a stack is whole before `used` covers it, and only its count changes then.
#include "profile.h"

#include <baremetal/memory.h>

#include <stdatomic.h>

enum { SLOTS = 2048, WORDS = 16384, TRIES = 16, COUNT = 0, DEPTH = 1, HEAD = 2 };

struct bm_profile_table {
    _Atomic(uint64_t) others;
    _Atomic(size_t) used;  // words
    uint32_t slots[SLOTS]; // place of a stack in `words`, plus one; 0: free
    uint64_t words[WORDS];
};

struct bm_profile_table *bm_profile_table_make(void)
{
    return bm_memory_permanent(sizeof(struct bm_profile_table), _Alignof(struct bm_profile_table));
}

static void count_up(uint64_t *count)
{
    __atomic_store_n(count, *count + 1, __ATOMIC_RELAXED); // its core is the only one that writes
}

static uint64_t hash_of(const uint64_t *stack, unsigned depth)
{
    const uint64_t prime = 0x9e3779b97f4a7c15; // of Fibonacci hashing: 2^64 by the golden ratio
    uint64_t hash = depth;
    for (unsigned i = 0; i < depth; i++)
        hash = (hash ^ stack[i]) * prime ^ hash >> 29;
    return hash ^ hash >> 32;
}

static bool is_same(const uint64_t *entry, const uint64_t *stack, unsigned depth)
{
    return entry[DEPTH] == depth && !__builtin_memcmp(entry + HEAD, stack, depth * sizeof *stack);
}

// Puts a stack behind the others. Returns its place plus one; 0: no room.
static uint32_t append(struct bm_profile_table *table, const uint64_t *stack, unsigned depth)
{
    size_t place = table->used;
    if (place + HEAD + depth > WORDS)
        return 0;
    uint64_t *entry = &table->words[place];
    entry[COUNT] = 1;
    entry[DEPTH] = depth;
    for (unsigned i = 0; i < depth; i++)
        entry[HEAD + i] = stack[i];
    atomic_store_explicit(&table->used, place + HEAD + depth, memory_order_release);
    return (uint32_t)place + 1;
}

void bm_profile_table_add(struct bm_profile_table *table, const uint64_t *stack, unsigned depth)
{
    uint64_t hash = hash_of(stack, depth);
    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t *slot = &table->slots[(hash + i) % SLOTS];
        if (!*slot && (*slot = append(table, stack, depth)))
            return;
        if (!*slot)
            break;
        uint64_t *entry = &table->words[*slot - 1];
        if (!is_same(entry, stack, depth))
            continue;
        count_up(&entry[COUNT]);
        return;
    }
    atomic_store_explicit(&table->others, table->others + 1, memory_order_relaxed);
}

bool bm_profile_table_next(const struct bm_profile_table *table, size_t *place,
                           struct bm_profile_stack *stack)
{
    if (*place >= atomic_load_explicit(&table->used, memory_order_acquire))
        return false;
    const uint64_t *entry = &table->words[*place];
    stack->count = __atomic_load_n(&entry[COUNT], __ATOMIC_RELAXED);
    stack->depth = (unsigned)entry[DEPTH];
    stack->addresses = entry + HEAD;
    *place += HEAD + stack->depth;
    return true;
}

uint64_t bm_profile_table_others(const struct bm_profile_table *table)
{
    return table->others;
}
