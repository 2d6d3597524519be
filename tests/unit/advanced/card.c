// An invented controller of Intel's with advanced descriptors, an 82576 by its registers.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87).
#include "card.h"

#include "../../../drivers/net/igb/registers.h"

#include <baremetal/error.h>
#include <baremetal/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct card card;

static uint32_t take(uint32_t *value)
{
    uint32_t taken = *value;
    *value = 0;
    return taken;
}

uint32_t advanced_read(const struct advanced *self, unsigned offset)
{
    (void)self;
    if (offset >= REGISTERS_SIZE || offset % 4)
        abort();
    if (card.gone)
        return UINT32_MAX;
    switch (offset) {
    case ICR: // section 8.8.9
        return take(&card.causes);
    case MPC: // section 8.18: statistics are cleared by reading
        return take(&card.registers[MPC / 4]);
    case EEC:
        return EEC_AUTO_READ_DONE;
    case EEMNGCTL:
        return UINT32_MAX >> 4 & ~0u << 18;
    case IMS:
    case IMC:
        return card.causes_mask;
    case EIMS:
    case EIMC:
        return card.vectors_mask;
    case SW_FW_SYNC:
        return card.registers[offset / 4] | (card.firmware_keeps ? 0x7eu << SYNC_FIRMWARE_SHIFT : 0);
    case SWSM: { // section 8.16.1: who reads the first bit as 0 has it
        uint32_t value = card.registers[offset / 4];
        card.registers[offset / 4] |= SWSM_DRIVERS;
        return value;
    }
    default:
        return card.registers[offset / 4];
    }
}

// Section 4.2.1.6.1. The address comes from the EEPROM again.
static void reset(void)
{
    uint32_t status = card.registers[STATUS / 4], low = card.registers[RAL / 4],
             high = card.registers[RAH / 4];
    uint32_t mode = card.registers[CTRL_EXT / 4] & CTRL_EXT_LINK_MODE;
    card.resets++;
    card.causes_mask = card.vectors_mask = 0;
    memset(card.registers, 0, sizeof card.registers);
    card.registers[STATUS / 4] = status & ~(1u << 19);
    card.registers[RAL / 4] = low;
    card.registers[RAH / 4] = high;
    card.registers[CTRL_EXT / 4] = mode;
}

static void phy_write(uint32_t command)
{
    bool ours = card.registers[SW_FW_SYNC / 4] & 0x66;
    if (!ours || card.firmware_keeps || (command >> MDIC_REGISTER_SHIFT & 0x1f) != PHY_CONTROL)
        abort(); // somebody else's
    card.phy_writes++;
    card.phy = command & 0xffff;
    card.registers[MDIC / 4] = command | MDIC_READY | (card.phy_silent ? MDIC_ERROR : 0);
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
    bool ring = (offset >= RECEIVE_RING && offset < RECEIVE_RING + 16 * RING_STRIDE) ||
                (offset >= SEND_RING && offset < SEND_RING + 16 * RING_STRIDE);
    if (ring && (offset & 0x3f) == RING_TAIL)
        check_tail(offset, value);
    if (ring && (offset & 0x3f) == RING_CONTROL && card.ring_stands)
        value &= ~(uint32_t)RING_ENABLE;
    switch (offset) {
    case CTRL:
        if (value & (1u << 26) && !card.never_resets) {
            reset();
            return;
        }
        break;
    case IMS:
        card.causes_mask |= value;
        return;
    case IMC:
        card.causes_mask &= ~value;
        return;
    case EIMS:
        card.vectors_mask |= value;
        return;
    case EIMC:
        card.vectors_mask &= ~value;
        return;
    case MDIC:
        phy_write(value);
        return;
    default:
        break;
    }
    card.registers[offset / 4] = value;
}

void card_interrupts(unsigned message)
{
    if (card.line_handler) {
        card.line_handler(card.handler_arg);
        return;
    }
    card.vectors_mask &= ~(card.registers[EIAM / 4] & 1u << message);
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
