// The PHY of Intel's gigabit controllers, behind MDIC, which the firmware uses, too.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87).
#include "igb_phy.h"

#include "registers.h"

#include <baremetal/log.h>

enum { SEMAPHORE_MAX = 100 * 1000 * 1000, MDIC_MAX = 5 * 1000 * 1000 }; // ns

// The bit of SW_FW_SYNC for the port's PHY (section 8.16.2).
static uint32_t phy_bit(const struct advanced *self)
{
    static const uint8_t bits[] = {1 << 1, 1 << 2, 1 << 5, 1 << 6};
    return bits[advanced_read(self, STATUS) >> STATUS_PORT_SHIFT & 3];
}

// Section 4.7.1: first among drivers, then with the firmware.
static bool semaphore_take(struct advanced *self)
{
    if (!bm_advanced_wait(self, SWSM, SWSM_DRIVERS, 0, SEMAPHORE_MAX))
        return false;
    uint64_t end = bm_time_monotonic() + SEMAPHORE_MAX;
    do {
        advanced_write(self, SWSM, advanced_read(self, SWSM) | SWSM_FIRMWARE);
        if (advanced_read(self, SWSM) & SWSM_FIRMWARE)
            return true;
        bm_time_delay(50 * 1000);
    } while (bm_time_monotonic() < end);
    return false;
}

static void semaphore_give(struct advanced *self)
{
    advanced_write(self, SWSM, advanced_read(self, SWSM) & ~(uint32_t)(SWSM_DRIVERS | SWSM_FIRMWARE));
}

static bool phy_take(struct advanced *self, uint32_t bit)
{
    uint64_t end = bm_time_monotonic() + SEMAPHORE_MAX;
    do {
        bool taken = false;
        if (semaphore_take(self)) {
            uint32_t owners = advanced_read(self, SW_FW_SYNC);
            taken = !(owners & (bit | bit << SYNC_FIRMWARE_SHIFT));
            if (taken)
                advanced_write(self, SW_FW_SYNC, owners | bit);
        }
        semaphore_give(self);
        if (taken)
            return true;
        bm_time_delay(1000 * 1000);
    } while (bm_time_monotonic() < end);
    return false;
}

static void phy_give(struct advanced *self, uint32_t bit)
{
    semaphore_take(self); // or not: it is ours to clear
    advanced_write(self, SW_FW_SYNC, advanced_read(self, SW_FW_SYNC) & ~bit);
    semaphore_give(self);
}

// Section 8.2.4. False: the PHY does not answer.
static bool phy_write(struct advanced *self, uint32_t place, uint32_t value)
{
    advanced_write(self, MDIC, MDIC_WRITE | MDIC_PHY | place << MDIC_REGISTER_SHIFT | value);
    return bm_advanced_wait(self, MDIC, MDIC_READY | MDIC_ERROR, MDIC_READY, MDIC_MAX);
}

void bm_igb_phy_wake(struct advanced *self)
{
    if (advanced_read(self, CTRL_EXT) & CTRL_EXT_LINK_MODE || advanced_read(self, STATUS) & STATUS_LINK)
        return; // no copper; it is awake
    uint32_t bit = phy_bit(self);
    const char *wrong = NULL;
    if (!phy_take(self, bit)) {
        wrong = "its firmware does not let go of the PHY, which stays as it is";
    } else {
        if (!phy_write(self, PHY_CONTROL, PHY_NEGOTIATE | PHY_RESTART))
            wrong = "its PHY does not answer";
        phy_give(self, bit);
    }
    if (wrong)
        bm_log_warn(self->pci->device.name, "%s", wrong);
}
