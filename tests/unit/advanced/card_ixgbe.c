// An invented 82599 of Intel's.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82599 datasheet (331520, revision 3.4).
#include "../../../drivers/net/ixgbe/registers.h"
#include "card.h"

#include <stdlib.h>
#include <string.h>

static uint32_t ixgbe_read(unsigned offset)
{
    uint32_t value = card.registers[offset / 4];
    switch (offset) {
    case EICR: // section 8.2.3.5.1: reading clears
        value = card.causes;
        card.causes = 0;
        return value;
    case MPC: // section 8.2.3.23: statistics are cleared by reading
        card.registers[MPC / 4] = 0;
        return value;
    case EIMS:
    case EIMC:
        return card.vectors_mask;
    default:
        return value;
    }
}

// Section 4.2.1: the EEPROM is loaded, and the memory gets ready or not.
static void reset(void)
{
    uint32_t links = card.registers[LINKS / 4], low = card.registers[RAL / 4], high = card.registers[RAH / 4];
    uint32_t pins = card.registers[ESDP / 4];
    card.resets++;
    card.vectors_mask = 0;
    memset(card.registers, 0, sizeof card.registers);
    card.registers[LINKS / 4] = links;
    card.registers[RAL / 4] = low;
    card.registers[RAH / 4] = high;
    card.registers[ESDP / 4] = pins;
    card.registers[EEC / 4] = EEC_AUTO_READ_DONE;
    card.registers[RDRXCTL / 4] = card.never_ready ? 0 : RDRXCTL_DMA_READY | 8 << 17;
    card.registers[RECEIVE_DCA / 4] = RECEIVE_DCA_RESERVED;
    card.registers[SECRXSTAT / 4] = SECRXSTAT_READY;
}

static void ixgbe_write(unsigned offset, uint32_t value)
{
    switch (offset) {
    case CTRL:
        if (value & 1 << 26 && !card.never_resets)
            reset();
        else
            card.registers[CTRL / 4] = value;
        break;
    case EICR: // write 1 to clear
        card.causes &= ~value;
        break;
    case EIMS:
        card.vectors_mask |= value;
        break;
    case EIMC:
        card.vectors_mask &= ~value;
        break;
    case RXCTRL: // section 4.6.7: the path stands still meanwhile
        if (value & RXCTRL_ENABLE && !(card.registers[SECRXCTRL / 4] & SECRXCTRL_OFF))
            abort();
        card.registers[RXCTRL / 4] = value;
        break;
    default:
        card.registers[offset / 4] = value;
    }
}

static void ixgbe_power_on(void)
{
    card.registers[LINKS / 4] = LINKS_UP;
    card.registers[RAL / 4] = 0x12005452;
    card.registers[RAH / 4] = RAH_VALID | 0x5634;
}

static void ixgbe_interrupts(unsigned message)
{
    card.vectors_mask &= ~(card.registers[EIAM / 4] & (message ? CAUSE_LINK : CAUSE_FRAMES));
}

const struct card_kind card_ixgbe = {.device = 0x10fb,
                                     .receive = RECEIVE_RING,
                                     .send = SEND_RING,
                                     .power_on = ixgbe_power_on,
                                     .read = ixgbe_read,
                                     .write = ixgbe_write,
                                     .interrupts = ixgbe_interrupts};
