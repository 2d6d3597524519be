// The stack's memory: objects of a few sizes in slabs of two pages.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Connections are bounded by RAM alone, and every allocation takes a handful of instructions, whichever C
// library the program uses. A slab starts with its header at an address that is a multiple of SLAB_SIZE; the
// header of an object is found by masking its address. Larger requests get a block of frames of their own
// behind the same header.
#include "memory.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <string.h>

enum {
    SLAB_ORDER = 1,
    SLAB_SIZE = 4096 << SLAB_ORDER,
    HEADER_SIZE = 64,
    SMALL_MAX = (SLAB_SIZE - HEADER_SIZE) / 2 & ~15,
    LARGE_MAX = 1 << 30, // the largest block of frames, header included
    GRAIN = 16           // what the sizes of classes are multiples of
};

static const uint16_t class_size[] = {32,  64,  96,  128,  160,  192,  256,  320,      384,
                                      512, 640, 768, 1024, 1344, 1616, 2032, SMALL_MAX};
enum { CLASSES = sizeof class_size / sizeof *class_size, LARGE = 0xff };
_Static_assert(SMALL_MAX % GRAIN == 0, "the largest class holds all that its grains do");

struct slab;

// One that is free.
struct object {
    struct object *next;
    struct slab *mark; // its slab
};

struct slab {
    struct slab *next, *previous; // among those of the class that have room
    struct object *free;          // objects that were given back
    uint16_t fresh;               // objects never used, at the end of the slab
    uint16_t used;
    uint16_t size;
    uint8_t class_index; // LARGE: one block
    uint8_t order;
};
_Static_assert(sizeof(struct slab) <= HEADER_SIZE, "the header fits");

static struct bm_spinlock memory_lock = BM_SPINLOCK_INIT;
static struct slab *with_room[CLASSES];
static uint8_t class_of[SMALL_MAX / GRAIN + 1];

static struct slab *slab_of(void *memory)
{
    return (struct slab *)((uintptr_t)memory & ~(uintptr_t)(SLAB_SIZE - 1));
}

// Whether an object is free already. Whoever has a live one may have left the mark in it.
static bool is_free(const struct slab *slab, const struct object *object)
{
    const struct object *free = slab->free;
    while (free && free != object)
        free = free->next;
    return free != NULL;
}

// The class is the same for all sizes of as many grains, so it must hold the largest of them.
static unsigned class_find(size_t size)
{
    size_t grains = (size + GRAIN - 1) / GRAIN;
    unsigned found = class_of[grains];
    if (found == 0) {
        while (class_size[found] < grains * GRAIN)
            found++;
        class_of[grains] = (uint8_t)(found + 1);
        return found;
    }
    return found - 1;
}

static void list_add(struct slab *slab)
{
    struct slab **head = &with_room[slab->class_index];
    slab->previous = NULL;
    slab->next = *head;
    if (*head)
        (*head)->previous = slab;
    *head = slab;
}

static void list_remove(struct slab *slab)
{
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        with_room[slab->class_index] = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
}

// The last 1/32 of the machine's memory is not the network's: a flood of packets must not starve the program.
static void *frames_take(unsigned order)
{
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    if (memory.free < memory.total / 32 + (4096ull << order))
        return NULL;
    return bm_frame_allocate(order);
}

static struct slab *slab_new(unsigned class_index)
{
    struct slab *slab = frames_take(SLAB_ORDER);
    if (!slab)
        return NULL;
    *slab = (struct slab){.size = class_size[class_index],
                          .class_index = (uint8_t)class_index,
                          .order = SLAB_ORDER,
                          .fresh = (uint16_t)((SLAB_SIZE - HEADER_SIZE) / class_size[class_index])};
    list_add(slab);
    return slab;
}

// Of the checked build: what is behind a free object's links.
static inline bool unwritten(const struct slab *slab, const void *object)
{
    return bm_check_poisoned((const struct object *)object + 1, slab->size - sizeof(struct object));
}

static void *allocate_small(size_t size)
{
    bm_spinlock_acquire(&memory_lock);
    unsigned class_index = class_find(size);
    struct slab *slab = with_room[class_index];
    if (!slab)
        slab = slab_new(class_index);
    void *object = NULL;
    if (slab) {
        object = slab->free;
        BM_ASSERT_HERE(!object || unwritten(slab, object),
                       "memory was written to after it had been given back");
        if (object)
            slab->free = slab->free->next;
        else
            object = (char *)slab + SLAB_SIZE - (size_t)slab->fresh-- * slab->size;
        ((struct object *)object)->mark = NULL;
        slab->used++;
        if (!slab->free && !slab->fresh)
            list_remove(slab);
    }
    bm_spinlock_release(&memory_lock);
    return object;
}

static void *allocate_large(size_t size)
{
    if (size > LARGE_MAX - HEADER_SIZE)
        return NULL;
    unsigned order = bm_frame_order(size + HEADER_SIZE);
    if (order < SLAB_ORDER) // the header is found by masking
        order = SLAB_ORDER;
    struct slab *slab = frames_take(order);
    if (!slab)
        return NULL;
    slab->class_index = LARGE;
    slab->order = (uint8_t)order;
    return (char *)slab + HEADER_SIZE;
}

void *bm_net_allocate(size_t size)
{
    return size <= SMALL_MAX ? allocate_small(size) : allocate_large(size);
}

size_t bm_net_memory_size(void *memory)
{
    const struct slab *slab = slab_of(memory);
    return slab->class_index == LARGE ? 0 : slab->size;
}

void *bm_net_allocate_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *memory = bm_net_allocate(bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void bm_net_free(void *memory)
{
    if (!memory)
        return;
    struct slab *slab = slab_of(memory);
    if (slab->class_index == LARGE) {
        bm_frame_free(slab, slab->order);
        return;
    }
    bm_spinlock_acquire(&memory_lock);
    struct object *object = memory;
    if (object->mark == slab && is_free(slab, object))
        bm_panic("net: the memory at %p is free already", memory);
    BM_ASSERT(((uintptr_t)slab + SLAB_SIZE - (uintptr_t)memory) % slab->size == 0 && slab->used,
              "only what bm_net_allocate returned may be given back");
    BM_CHECK(bm_check_poison(object + 1, slab->size - sizeof *object));
    object->mark = slab;
    bool was_full = !slab->free && !slab->fresh;
    object->next = slab->free;
    slab->free = object;
    slab->used--;
    if (was_full)
        list_add(slab);
    bool give_back = slab->used == 0 && (slab->next || slab->previous); // the last one of a class is kept
    if (give_back)
        list_remove(slab);
    bm_spinlock_release(&memory_lock);
    if (give_back)
        bm_frame_free(slab, SLAB_ORDER);
}
