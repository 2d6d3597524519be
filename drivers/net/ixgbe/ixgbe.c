// Intel's 10 GbE controllers 82599 (SFP+), X540 and X550 (10GBASE-T).
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU has none of them.
//
// Sections are those of Intel's 82599 datasheet (331520, revision 3.4). drivers/net/advanced does the work.
#include "../advanced/advanced.h"
#include "registers.h"

enum {
    FRAME_MAX = 9728, // with CRC; MAXFRS knows up to 15.5 KiB
    EEPROM_MAX = 50 * 1000 * 1000,
    READY_MAX = 50 * 1000 * 1000, // ns
    THROTTLE = 25 << 3,           // EITR: 50 µs between two interrupts
    ADDRESSES = 128,
    INTEL = 0x8086,
    I82599 = 0x10fb
};

static void ixgbe_stop(struct advanced *self)
{
    advanced_write(self, EIMC, UINT32_MAX);
    advanced_write(self, RXCTRL, 0);
    advanced_write(self, DMATXCTL, 0);
}

// Section 4.6.3: after a reset the device loads the EEPROM, which sets the link up, too, and prepares its
// memory. Without that no frame can come.
static bool ixgbe_reset(struct advanced *self)
{
    ixgbe_stop(self);
    if (!bm_advanced_reset(self))
        return false;
    bm_advanced_wait(self, EEC, EEC_AUTO_READ_DONE, EEC_AUTO_READ_DONE, EEPROM_MAX);
    if (!bm_advanced_wait(self, RDRXCTL, RDRXCTL_DMA_READY, RDRXCTL_DMA_READY, READY_MAX))
        return false;
    advanced_write(self, EIMC, UINT32_MAX);
    advanced_read(self, EICR);
    advanced_write(self, CTRL_EXT, advanced_read(self, CTRL_EXT) | CTRL_EXT_NO_SNOOP_OFF | CTRL_EXT_DRIVER);
    if (self->pci->device.device == I82599) // an operating system before may have darkened it
        advanced_write(self, ESDP, advanced_read(self, ESDP) & ~(uint32_t)ESDP_LASER_OFF);
    return true;
}

static bool ixgbe_address_read(struct advanced *self, unsigned char *mac)
{
    uint32_t high = advanced_read(self, RAH);
    mac_from_words(mac, advanced_read(self, RAL), high);
    return high & RAH_VALID && high != UINT32_MAX && mac_is_station(mac);
}

// Sections 4.6.7 and 4.6.8.
static void ixgbe_program(struct advanced *self)
{
    const unsigned char *mac = self->netdev.mac;
    bool jumbo = self->netdev.mtu > MTU_DEFAULT;
    advanced_write(self, FCCFG, 0); // no flow control
    advanced_write(self, MFLCN, 0);
    for (unsigned i = 1; i < ADDRESSES; i++)
        advanced_write(self, RAH + 8 * i, 0);
    advanced_write(self, RAL, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
    advanced_write(self, RAH, mac[4] | (uint32_t)mac[5] << 8 | RAH_VALID);
    advanced_write(self, MRQC, 0);
    advanced_write(self, FCTRL, FCTRL_BROADCAST | FCTRL_ALL_GROUPS);
    advanced_write(self, HLREG0, HLREG0_SEND_CRC | HLREG0_STRIP_CRC | HLREG0_PAD | (jumbo ? HLREG0_LONG : 0));
    advanced_write(self, MAXFRS, (uint32_t)(jumbo ? FRAME_MAX : 1518) << MAXFRS_SHIFT);
    advanced_write(self, RDRXCTL,
                   (advanced_read(self, RDRXCTL) & ~(uint32_t)RDRXCTL_FIRST) | RDRXCTL_STRIP_CRC |
                       RDRXCTL_FIXED);
    advanced_write(self, RECEIVE_DCA, advanced_read(self, RECEIVE_DCA) & ~(uint32_t)RECEIVE_DCA_RESERVED);
    advanced_write(self, DMATXCTL, advanced_read(self, DMATXCTL) | DMATXCTL_ENABLE); // before the first ring
}

static void ixgbe_send_start(struct advanced *self)
{
    (void)self; // ixgbe_program has done it
}

// Section 4.6.7: the path stands still while it is opened.
static void ixgbe_receive_start(struct advanced *self)
{
    uint32_t path = advanced_read(self, SECRXCTRL) & ~(uint32_t)SECRXCTRL_OFF;
    advanced_write(self, SECRXCTRL, path | SECRXCTRL_OFF);
    bm_advanced_wait(self, SECRXSTAT, SECRXSTAT_READY, SECRXSTAT_READY, READY_MAX);
    advanced_write(self, RXCTRL, RXCTRL_ENABLE);
    advanced_write(self, SECRXCTRL, path);
}

// Section 7.3.4: message 0 is for frames, 1 for the rest.
static void ixgbe_messages_start(struct advanced *self)
{
    unsigned other = self->one_message ? 0 : 1;
    advanced_write(self, GPIE, GPIE_MESSAGES | GPIE_AUTO_MASK | GPIE_PENDING_CLEAR);
    advanced_write(self, EITR, THROTTLE);
    advanced_write(self, EITR + 4, THROTTLE);
    advanced_write(self, IVAR, IVAR_VALID);
    advanced_write(self, IVAR_MISC, (IVAR_VALID | other) << IVAR_OTHER_SHIFT);
    advanced_write(self, EIAC, CAUSE_FRAMES);
    advanced_write(self, EIAM, CAUSE_FRAMES | CAUSE_LINK);
    advanced_write(self, EIMS, CAUSE_FRAMES | CAUSE_LINK);
}

static void ixgbe_line_start(struct advanced *self)
{
    advanced_write(self, GPIE, 0);
    advanced_write(self, EIAM, 0);
    advanced_write(self, EITR, THROTTLE);
    advanced_write(self, IVAR, IVAR_VALID);
}

static void ixgbe_sent_interrupt(struct advanced *self, bool on)
{
    advanced_write(self, IVAR, IVAR_VALID | (on ? IVAR_VALID << IVAR_SEND_SHIFT : 0));
}

static void ixgbe_link_acknowledge(struct advanced *self)
{
    advanced_write(self, EICR, CAUSE_LINK);
    advanced_write(self, EIMS, CAUSE_LINK);
}

static bool ixgbe_link_read(struct advanced *self)
{
    uint32_t links = advanced_read(self, LINKS);
    return links != UINT32_MAX && links & LINKS_UP;
}

static uint32_t ixgbe_missed_read(struct advanced *self)
{
    return advanced_read(self, MPC); // which clears it
}

static const struct advanced_family ixgbe_family = {.name = "ixgbe",
                                                    .mtu_max = FRAME_MAX - 22,
                                                    .receive = RECEIVE_RING,
                                                    .send = SEND_RING,
                                                    .split = RECEIVE_SPLIT,
                                                    .errors = RECEIVED_ERROR,
                                                    .sum_errors = RECEIVED_SUM_ERRORS,
                                                    .vectors_set = EIMS,
                                                    .causes_get = EICR,
                                                    .causes_set = EIMS,
                                                    .causes_clear = EIMC,
                                                    .causes_frames = CAUSE_FRAMES,
                                                    .cause_link = CAUSE_LINK,
                                                    .status = STATUS,
                                                    .needs_context_index = true,
                                                    .stop = ixgbe_stop,
                                                    .reset = ixgbe_reset,
                                                    .address_read = ixgbe_address_read,
                                                    .program = ixgbe_program,
                                                    .send_start = ixgbe_send_start,
                                                    .receive_start = ixgbe_receive_start,
                                                    .messages_start = ixgbe_messages_start,
                                                    .line_start = ixgbe_line_start,
                                                    .sent_interrupt = ixgbe_sent_interrupt,
                                                    .link_acknowledge = ixgbe_link_acknowledge,
                                                    .link_read = ixgbe_link_read,
                                                    .missed_read = ixgbe_missed_read};

static int ixgbe_attach(struct bm_device *device)
{
    return bm_advanced_attach(device, &ixgbe_family);
}

static const struct bm_device_id ixgbe_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = I82599},
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1528}, // X540
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1563}, // X550
    BM_DEVICE_ID_END,
};

BM_DRIVER(ixgbe) = {.name = "ixgbe", .ids = ixgbe_ids, .attach = ixgbe_attach};
