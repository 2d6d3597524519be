// An invented controller of Intel's with advanced descriptors: its place on the bus.
// SPDX-License-Identifier: MIT
#include "card.h"

#include <baremetal/error.h>
#include <baremetal/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct card card;

static bool in_ring(unsigned offset, unsigned first)
{
    return offset >= first && offset < first + 16 * RING_STRIDE;
}

uint32_t advanced_read(const struct advanced *self, unsigned offset)
{
    (void)self;
    if (offset >= REGISTERS_SIZE || offset % 4)
        abort();
    return card.gone ? UINT32_MAX : card.kind->read(offset);
}

// A ring's descriptors and length (section 8.10.6): so many as fit, and none while it does not run.
static void check_tail(unsigned offset, uint32_t value)
{
    const uint32_t *ring = &card.registers[(offset & ~0x3fu) / 4];
    if (value && (value >= ring[RING_LENGTH / 4] / 16 || !(ring[RING_CONTROL / 4] & RING_ENABLE)))
        abort();
}

void advanced_write(struct advanced *self, unsigned offset, uint32_t value)
{
    (void)self;
    if (offset >= REGISTERS_SIZE || offset % 4)
        abort();
    bool ring = in_ring(offset, card.kind->receive) || in_ring(offset, card.kind->send);
    if (ring && (offset & 0x3f) == RING_TAIL)
        check_tail(offset, value);
    if (ring && (offset & 0x3f) == RING_CONTROL && card.ring_stands)
        value &= ~(uint32_t)RING_ENABLE;
    card.kind->write(offset, value);
}

void card_interrupts(unsigned message)
{
    if (card.line_handler) {
        card.line_handler(card.handler_arg);
        return;
    }
    card.kind->interrupts(message);
    card.handlers[message](card.handler_arg);
}

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
    (void)device;
    if (index != 0 || offset != 0 || length != REGISTERS_SIZE)
        abort(); // it has no others
    return card.registers;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    device->msix = card.messages ? 0x70 : 0;
    if (!card.messages)
        return card.has_message ? 1 : -BM_ENODEV;
    return (int)(card.messages < max ? card.messages : max);
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device;
    if (index >= 2)
        abort();
    card.handlers[index] = handler;
    card.handler_arg = arg;
    return 0;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device;
    if (index >= 2 || !card.handlers[index])
        abort();
    card.aimed[index] = core;
    return 0;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    (void)device;
    if (!card.has_line)
        return -BM_ENODEV;
    card.line_handler = handler;
    card.handler_arg = arg;
    return 0;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    (void)device;
    (void)core;
    return -BM_EBUSY;
}

void bm_time_delay(uint64_t nanoseconds)
{
    (void)nanoseconds;
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
