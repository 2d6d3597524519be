// Robust futexes: a thread that ends with locks held leaves them to who waits, marked.
// SPDX-License-Identifier: MIT
//
// The list is the program's: nothing in it is believed but that it can be read. (musl goes through it itself
// when a thread ends; other C libraries leave it to the kernel.)
#include "../memory/paging.h"
#include "../thread/futex.h"
#include "linux.h"
#include "signals.h"

// struct robust_list_head; an entry begins with the next one, its bit 0 says that it inherits priorities.
struct head {
    uint64_t first;
    int64_t offset; // from an entry to its word
    uint64_t pending;
};

enum { ENTRIES_MAX = 2048 };
#define OWNER_DIED 0x40000000u
#define WAITERS    0x80000000u
#define NUMBER     0x3fffffffu

static bool is_there(uint64_t address, uint64_t alignment)
{
    uint64_t size, entry = bm_paging_lookup(address, &size);
    return address % alignment == 0 && entry & BM_PTE_WRITE;
}

static void leave(uint64_t entry, int64_t offset, unsigned number)
{
    uint64_t address = (entry & ~1ull) + (uint64_t)offset;
    if (!is_there(address, sizeof(uint32_t)))
        return;
    _Atomic(uint32_t) *word = (_Atomic(uint32_t) *)address;
    const bm_futex *key = bm_futex_everywhere(word);
    uint32_t value = atomic_load(word);
    do {
        if ((value & NUMBER) != number)
            return;
    } while (!atomic_compare_exchange_weak(word, &value, (value & WAITERS) | OWNER_DIED));
    if (value & WAITERS)
        bm_futex_wake(key, 1, BM_FUTEX_ALL);
}

void bm_linux_robust_leave(struct bm_linux_signals *self)
{
    const struct head *head = self->robust;
    self->robust = NULL;
    if (!head || !is_there((uint64_t)head, sizeof(uint64_t)) || !is_there((uint64_t)(head + 1) - 1, 1))
        return;
    uint64_t entry = head->first, pending = head->pending;
    for (unsigned i = 0; i < ENTRIES_MAX && entry && (entry & ~1ull) != (uint64_t)head; i++) {
        if (!is_there(entry & ~1ull, sizeof entry))
            return;
        uint64_t next = *(const uint64_t *)(entry & ~1ull);
        if (entry != pending)
            leave(entry, head->offset, self->number);
        entry = next;
    }
    if (pending)
        leave(pending, head->offset, self->number);
}

long bm_linux_set_robust_list(void *head, size_t size)
{
    if (size != sizeof(struct head))
        return -BM_EINVAL;
    bm_linux_signals_self()->robust = head;
    return 0;
}

long bm_linux_get_robust_list(int thread, void **head, size_t *size)
{
    const struct bm_linux_signals *of = thread ? bm_linux_signals_find(thread) : bm_linux_signals_self();
    if (!of)
        return -BM_ESRCH;
    *head = of->robust;
    *size = sizeof(struct head);
    return 0;
}
