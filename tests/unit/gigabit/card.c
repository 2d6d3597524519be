// An invented gigabit controller of Intel's.
// SPDX-License-Identifier: MIT
#include "card.h"

#include <baremetal/error.h>
#include <baremetal/option.h>
#include <baremetal/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct card card;

uint32_t gigabit_read(const struct gigabit *self, unsigned offset)
{
    (void)self;
    if (card.gone)
        return UINT32_MAX;
    if (offset == EERD)
        return card.registers[EERD / 4] | 1 << 4 | 1 << 1 | 0x5452u << 16;
    return card.registers[offset / 4];
}

void gigabit_write(struct gigabit *self, unsigned offset, uint32_t value)
{
    (void)self;
    if (offset == CTRL && value & CTRL_RESET) {
        card.resets++;
        value &= card.never_resets ? UINT32_MAX : ~(uint32_t)CTRL_RESET;
    }
    card.registers[offset / 4] = value;
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
    if (index != 0 || offset != 0 || length != GIGABIT_SIZE)
        abort(); // it has no others
    return card.registers;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    (void)device;
    (void)max;
    return -BM_ENODEV;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device;
    (void)index;
    (void)handler;
    (void)arg;
    return -BM_EINVAL;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device;
    (void)index;
    (void)core;
    return -BM_EINVAL;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    (void)device;
    card.line_handler = handler;
    card.line_arg = arg;
    return card.has_line ? 0 : -BM_ENODEV;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    (void)device;
    (void)core;
    return -BM_EINVAL;
}

unsigned bm_pci_capability_find(const struct bm_pci_device *device, uint8_t id, unsigned after)
{
    (void)device;
    (void)id;
    (void)after;
    return 0;
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
