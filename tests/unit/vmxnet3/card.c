// An invented vmxnet3.
// SPDX-License-Identifier: MIT
#include "card.h"

#include "../virtio_net/machine.h"

#include <baremetal/error.h>
#include <baremetal/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct card card;
struct bm_pci_device card_pci;
static uint64_t shared_address;

static void *at(uint64_t address, size_t size)
{
    if (address < BASE || address + size > BASE + (uint64_t)FRAMES * BM_PAGE_SIZE)
        abort(); // the card was given memory that is none
    return frames + (address - BASE);
}

static struct vmxnet3_shared *shared(void)
{
    return at(shared_address, sizeof(struct vmxnet3_shared));
}

static struct vmxnet3_queues *queues_of_driver(void)
{
    return at(shared()->queues, sizeof(struct vmxnet3_queues));
}

uint32_t vmxnet3_read(const struct vmxnet3 *self, unsigned offset)
{
    (void)self;
    if (card.gone)
        return UINT32_MAX;
    switch (offset) {
    case REVISION:
    case UPT_REVISION:
        return card.revisions;
    case MAC_LOW:
        return 0x12005452;
    case MAC_HIGH:
        return 0x5634;
    case CAUSES:
        return card.line;
    case COMMAND:
        return card.last_command == (uint32_t)COMMAND_LINK       ? card.link
               : card.last_command == (uint32_t)COMMAND_ACTIVATE ? card.refuses
                                                                 : 0;
    default:
        abort();
    }
}

static void starts(void)
{
    const struct vmxnet3_shared *said = shared();
    const struct vmxnet3_queues *queue = queues_of_driver();
    if (said->magic != 0xbabefee1 || said->mtu < 60 || said->mtu > 9000 || said->send_queues != 1 ||
        said->receive_queues != 1 || said->queues_length != sizeof *queue ||
        queue->send.ring_size != queue->send.completions_size || queue->send.ring_size % RING_UNIT ||
        queue->receive.ring_sizes[0] % RING_UNIT || queue->receive.ring_sizes[1] % RING_UNIT ||
        queue->receive.completions_size != queue->receive.ring_sizes[0] + queue->receive.ring_sizes[1] ||
        queue->send.ring % 512 || queue->receive.rings[0] % 512 || queue->receive.completions % 512)
        abort();
    card.starts++;
    card.receive_next = card.bodies_next = card.receive_done = card.send_next = card.send_done = 0;
}

void vmxnet3_write(struct vmxnet3 *self, unsigned offset, uint32_t value)
{
    (void)self;
    if (offset == SHARED_LOW)
        shared_address = value;
    else if (offset == SHARED_HIGH)
        shared_address |= (uint64_t)value << 32;
    else if (offset == EVENTS)
        shared()->events &= ~value;
    if (offset != COMMAND)
        return;
    card.last_command = value;
    if (value == (uint32_t)COMMAND_STATISTICS)
        queues_of_driver()->receive.missed = card.missed;
    card.resets += value == (uint32_t)COMMAND_RESET;
    if (value == (uint32_t)COMMAND_ACTIVATE && !card.refuses)
        starts();
}

void vmxnet3_ring(struct vmxnet3 *self, unsigned offset, uint32_t value)
{
    (void)self;
    if (offset == SEND_DOOR) {
        card.send_door = value;
        card.doorbells++;
    } else if (offset < INTERRUPT_MASK + 16 && !value) {
        card.unmasked[offset / 8]++;
    }
}

// The next buffer of a ring gets the bytes, and the next completion says so.
static void fill(unsigned ring_number, unsigned *next, unsigned length, const uint32_t words[4])
{
    const struct vmxnet3_receive_queue *queue = &queues_of_driver()->receive;
    unsigned count = queue->ring_sizes[ring_number], size = queue->completions_size;
    const struct vmxnet3_descriptor *ring = at(queue->rings[ring_number], count * sizeof *ring);
    struct vmxnet3_completion *entries = at(queue->completions, size * sizeof *entries);
    const struct vmxnet3_descriptor *buffer = &ring[*next % count];
    bool there = !!(buffer->low & BUFFER_GENERATION) == vmxnet3_generation(*next, count);
    if (there && !(buffer->low & BUFFER_BODY) != !ring_number)
        abort(); // a buffer of the other ring
    if (there && length <= (buffer->low & 0x3fff))
        memset(at(buffer->address, length), 0x5a, length);
    bool generation = vmxnet3_generation(card.receive_done, size);
    entries[card.receive_done++ % size] =
        (struct vmxnet3_completion){{((*next)++ % count) ^ words[0], 0, length | words[2],
                                     words[3] | (generation ? COMPLETION_GENERATION : 0)}};
}

void card_receives(unsigned length, uint32_t word0, uint32_t word2, uint32_t word3)
{
    fill(0, &card.receive_next, length, (const uint32_t[4]){word0, 0, word2, word3});
}

void card_goes_on(unsigned length, uint32_t word0, uint32_t word3)
{
    fill(1, &card.bodies_next, length, (const uint32_t[4]){word0 | RECEIVED_BODIES, 0, 0, word3});
}

int bm_option_get_nth(const char *key, unsigned index, char *value, size_t size)
{
    if (strcmp(key, "mtu") != 0)
        abort(); // the driver asks for no other
    for (unsigned i = 0; card.mtu_words && card.mtu_words[i]; i++)
        if (i == index)
            return snprintf(value, size, "%s", card.mtu_words[i]);
    return -1;
}

unsigned card_sends(unsigned char *buffer, struct vmxnet3_descriptor *first, unsigned *pieces)
{
    const struct vmxnet3_send_queue *queue = &queues_of_driver()->send;
    unsigned length = 0, count = queue->ring_size;
    const struct vmxnet3_descriptor *ring = at(queue->ring, count * sizeof *ring);
    *pieces = 0;
    for (bool end = false; !end;) {
        const struct vmxnet3_descriptor *descriptor = &ring[card.send_next % count];
        if (!!(descriptor->low & SEND_GENERATION) != vmxnet3_generation(card.send_next, count)) {
            if (*pieces)
                abort(); // a frame without an end
            return 0;
        }
        unsigned piece = descriptor->low & SEND_LENGTH_MASK ? descriptor->low & SEND_LENGTH_MASK : 16384;
        const unsigned char *data = at(descriptor->address, piece);
        if (!*pieces)
            *first = *descriptor;
        if (buffer)
            memcpy(buffer + length, data, piece);
        length += piece;
        ++*pieces;
        card.send_next++;
        end = descriptor->high & SEND_END;
    }
    return length;
}

void card_sent(void)
{
    const struct vmxnet3_send_queue *queue = &queues_of_driver()->send;
    struct vmxnet3_completion *entries = at(queue->completions, queue->completions_size * sizeof *entries);
    bool generation = vmxnet3_generation(card.send_done, queue->completions_size);
    entries[card.send_done++ % queue->completions_size] = (struct vmxnet3_completion){
        {(card.send_next - 1) % queue->ring_size, 0, 0, generation ? COMPLETION_GENERATION : 0}};
}

void card_reset(void)
{
    card = (struct card){.revisions = 3, .link = 10000 << 16 | 1, .messages = true};
    card_pci = (struct bm_pci_device){.device = {.vendor = 0x15ad, .device = 0x07b0, .name = "pci 00:03.0"}};
}

// --- The bus ---

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
    card.disabled = false;
}

void bm_pci_disable(struct bm_pci_device *device)
{
    (void)device;
    card.disabled = true;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    static unsigned char registers[2][4096];
    (void)device;
    if (index > 1 || offset || length > sizeof registers[0])
        abort();
    return registers[index];
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    (void)device;
    return card.messages ? (int)max : -BM_ENODEV;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device;
    if (index == 0) {
        card.handler = handler;
        card.handler_arg = arg;
    }
    return 0;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index, (void)core;
    return 0;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    (void)device;
    card.handler = handler;
    card.handler_arg = arg;
    return card.line ? 0 : -BM_ENODEV;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    (void)device, (void)core;
    return 0;
}
