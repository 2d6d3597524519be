// The network's memory and received packets, from malloc.
// SPDX-License-Identifier: MIT
#include "memory.h"

#include "../../../net/lwip/memory.h"
#include "machine.h"

#include <baremetal/netdev.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

enum {
    OBJECTS_MAX = 1 << 20,
    HELD_MANY = 256, // packets with the stack from which on it copies (packet.c)
    LOOK_AHEAD = 34  // lwIP looks at Ethernet's and IP's header before it knows that they are there
};

struct header {
    size_t size;
    unsigned index;
} __attribute__((aligned(16)));
static struct header *objects[OBJECTS_MAX];
static unsigned count, packets, fail_in;
static size_t held;

static void *object_make(size_t size)
{
    struct header *header = malloc(sizeof *header + size);
    if (!header || count == OBJECTS_MAX)
        fail("the network holds more objects than the fuzzer can count");
    *header = (struct header){size, count};
    objects[count++] = header;
    held += size;
    ASAN_POISON_MEMORY_REGION(header, sizeof *header);
    return header + 1;
}

static void object_free(void *memory)
{
    struct header *header = (struct header *)memory - 1;
    ASAN_UNPOISON_MEMORY_REGION(header, sizeof *header);
    held -= header->size;
    struct header *last = objects[--count];
    if (last != header) {
        ASAN_UNPOISON_MEMORY_REGION(last, sizeof *last);
        last->index = header->index;
        ASAN_POISON_MEMORY_REGION(last, sizeof *last);
        objects[header->index] = last;
    }
    free(header);
}

void memory_start(void)
{
    while (count)
        object_free(objects[count - 1] + 1);
    packets = fail_in = 0;
}

void memory_fail_after(unsigned allocations)
{
    fail_in = allocations + 1;
}

size_t memory_held(void)
{
    return held;
}

unsigned memory_objects(void)
{
    return count;
}

void memory_tell(void)
{
    for (unsigned i = 1; i < count; i++) // the first is the interface's
        __asan_describe_address(objects[i] + 1);
}

// --- What the network asks for ---

void *bm_net_allocate(size_t size)
{
    if (fail_in && --fail_in == 0)
        return NULL;
    return object_make(size);
}

void *bm_net_allocate_zeroed(size_t number, size_t size)
{
    void *memory = bm_net_allocate(number * size);
    if (memory)
        memset(memory, 0, number * size);
    return memory;
}

void bm_net_free(void *memory)
{
    if (memory)
        object_free(memory);
}

size_t bm_net_memory_size(void *memory)
{
    struct header *header = (struct header *)memory - 1;
    ASAN_UNPOISON_MEMORY_REGION(header, sizeof *header);
    size_t size = header->size;
    ASAN_POISON_MEMORY_REGION(header, sizeof *header);
    return size;
}

// --- Packets ---

struct bm_packet *packet_make(const uint8_t *bytes, unsigned length)
{
    unsigned room = length < LOOK_AHEAD ? LOOK_AHEAD : length;
    struct bm_packet *packet = object_make(BM_PACKET_DATA_OFFSET + room);
    memset(packet, 0xa5, BM_PACKET_DATA_OFFSET + room);
    packet->next = NULL;
    packet->pool = NULL;
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    packet->length = (uint16_t)length;
    packet->flags = 0;
    memcpy(packet->data, bytes, length);
    packets++;
    return packet;
}

void bm_packet_free(struct bm_packet *packet)
{
    packets--;
    object_free(packet);
}

bool bm_packet_pool_scarce(const struct bm_packet_pool *pool)
{
    (void)pool;
    return packets > HELD_MANY;
}
