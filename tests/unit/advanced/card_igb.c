// An invented 82576 of Intel's.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87).
#include "../../../drivers/net/igb/registers.h"
#include "card.h"

#include <stdlib.h>
#include <string.h>

static uint32_t take(uint32_t *value)
{
    uint32_t taken = *value;
    *value = 0;
    return taken;
}

static uint32_t igb_read(unsigned offset)
{
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

static void igb_write(unsigned offset, uint32_t value)
{
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

static void igb_power_on(void)
{
    card.registers[STATUS / 4] = STATUS_LINK;
    card.registers[RAL / 4] = 0x12005452;
    card.registers[RAH / 4] = RAH_VALID | 0x5634;
}

static void igb_interrupts(unsigned message)
{
    card.vectors_mask &= ~(card.registers[EIAM / 4] & 1u << message);
}

const struct card_kind card_igb = {.device = 0x10c9,
                                   .receive = RECEIVE_RING,
                                   .send = SEND_RING,
                                   .power_on = igb_power_on,
                                   .read = igb_read,
                                   .write = igb_write,
                                   .interrupts = igb_interrupts};
