// Intel's gigabit controllers 82576, I350, I210 and I211, of copper ports.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU, from 8.0 on: -netdev user,id=n -device igb,netdev=n (82576)
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87). drivers/net/advanced does the work.
#include "../advanced/advanced.h"
#include "igb_phy.h"
#include "registers.h"

enum {
    FRAME_MAX = 9728, // with CRC: of RLPML (section 8.10.14)
    CAUSES = CAUSE_RECEIVED | CAUSE_RECEIVE_FEW | CAUSE_RECEIVE_OVERRUN,
    EEPROM_MAX = 10 * 1000 * 1000,
    FIRMWARE_MAX = 25 * 1000 * 1000, // ns
    THROTTLE = 200,                  // EITR: 50 µs between two interrupts
    ADDRESSES = 16,
    // Prefetch below 8 descriptors, when 8 are there; each is written back at once (RXDCTL, section 8.10.9).
    THRESHOLDS = 8 | 8 << 8 | 1 << 16
};

static void igb_stop(struct advanced *self)
{
    advanced_write(self, IMC, UINT32_MAX);
    advanced_write(self, EIMC, UINT32_MAX);
    advanced_write(self, RCTL, 0);
    advanced_write(self, TCTL, TCTL_PAD);
}

// Section 4.2.1.6: after a reset the device loads the EEPROM, and its firmware sets the PHY up. Devices
// without an EEPROM never say that they have.
static bool igb_reset(struct advanced *self)
{
    igb_stop(self);
    if (!bm_advanced_reset(self))
        return false;
    bm_advanced_wait(self, EEC, EEC_AUTO_READ_DONE, EEC_AUTO_READ_DONE, EEPROM_MAX);
    uint32_t configured = EEMNGCTL_CONFIGURED << (advanced_read(self, STATUS) >> STATUS_PORT_SHIFT & 3);
    bm_advanced_wait(self, EEMNGCTL, configured, configured, FIRMWARE_MAX);
    igb_stop(self);
    advanced_read(self, ICR);
    uint32_t control = advanced_read(self, CTRL) & ~(uint32_t)(CTRL_FORCED | CTRL_PAUSE);
    advanced_write(self, CTRL, control | CTRL_LINK_UP | CTRL_FULL_DUPLEX);
    advanced_write(self, CTRL_EXT, advanced_read(self, CTRL_EXT) | CTRL_EXT_DRIVER);
    bm_igb_phy_wake(self);
    return true;
}

static bool igb_address_read(struct advanced *self, unsigned char *mac)
{
    uint32_t high = advanced_read(self, RAH);
    mac_from_words(mac, advanced_read(self, RAL), high);
    return high & RAH_VALID && high != UINT32_MAX && mac_is_station(mac);
}

static void igb_program(struct advanced *self)
{
    const unsigned char *mac = self->netdev.mac;
    bool jumbo = self->netdev.mtu > MTU_DEFAULT;
    for (unsigned flow = FCAL; flow <= FCT; flow += 4)
        advanced_write(self, flow, 0);
    advanced_write(self, FCTTV, 0);
    advanced_write(self, FCRTL, 0);
    for (unsigned i = 1; i < ADDRESSES; i++)
        advanced_write(self, RAH + 8 * i, 0);
    advanced_write(self, RAL, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
    advanced_write(self, RAH, mac[4] | (uint32_t)mac[5] << 8 | RAH_VALID);
    advanced_write(self, RXCSUM, RXCSUM_IP | RXCSUM_TCP_UDP);
    advanced_write(self, RFCTL, RFCTL_PLAIN);
    advanced_write(self, MRQC, 0);
    advanced_write(self, RLPML, jumbo ? FRAME_MAX : 1522);
}

static void igb_send_start(struct advanced *self)
{
    advanced_write(self, TCTL, TCTL_ENABLE | TCTL_PAD | TCTL_COLLISIONS | TCTL_DISTANCE | TCTL_LATE);
}

static void igb_receive_start(struct advanced *self)
{
    advanced_write(self, RCTL,
                   RCTL_ENABLE | RCTL_BROADCAST | RCTL_ALL_GROUPS | RCTL_STRIP_CRC |
                       (self->netdev.mtu > MTU_DEFAULT ? RCTL_LONG : 0));
}

static uint32_t other_vector(const struct advanced *self)
{
    return self->one_message ? 0 : 1;
}

// Section 7.3.2: vector 0 is for frames, 1 for the rest.
static void igb_messages_start(struct advanced *self)
{
    uint32_t vectors = 1u << 0 | 1u << other_vector(self);
    advanced_write(self, GPIE, GPIE_MESSAGES | GPIE_AUTO_MASK | GPIE_NOT_SELECTIVE | GPIE_PENDING_CLEAR);
    advanced_write(self, EITR, THROTTLE);
    advanced_write(self, EITR + 4, THROTTLE);
    advanced_write(self, IVAR, IVAR_VALID);
    advanced_write(self, IVAR_MISC, (IVAR_VALID | other_vector(self)) << IVAR_OTHER_SHIFT);
    advanced_write(self, EIAC, vectors);
    advanced_write(self, EIAM, vectors);
    advanced_write(self, EIMS, vectors);
    advanced_write(self, IMS, CAUSE_LINK);
}

static void igb_line_start(struct advanced *self)
{
    advanced_write(self, GPIE, 0);
    advanced_write(self, IAM, 0);
    advanced_write(self, EITR, THROTTLE);
}

static void igb_sent_interrupt(struct advanced *self, bool on)
{
    advanced_write(self, IVAR, IVAR_VALID | (on ? IVAR_VALID << IVAR_SEND_SHIFT : 0));
}

static void igb_link_acknowledge(struct advanced *self)
{
    advanced_read(self, ICR);
    advanced_write(self, EIMS, 1u << other_vector(self));
}

static bool igb_link_read(struct advanced *self)
{
    uint32_t status = advanced_read(self, STATUS);
    return status != UINT32_MAX && status & STATUS_LINK;
}

static uint32_t igb_missed_read(struct advanced *self)
{
    return advanced_read(self, MPC); // which clears it
}

static const struct advanced_family igb_family = {.name = "igb",
                                                  .mtu_max = FRAME_MAX - 22,
                                                  .receive = RECEIVE_RING,
                                                  .send = SEND_RING,
                                                  .split = RECEIVE_SPLIT,
                                                  .thresholds = THRESHOLDS,
                                                  .errors = RECEIVED_ERROR,
                                                  .sum_errors = RECEIVED_SUM_ERRORS,
                                                  .vectors_set = EIMS,
                                                  .causes_get = ICR,
                                                  .causes_set = IMS,
                                                  .causes_clear = IMC,
                                                  .causes_frames = CAUSES,
                                                  .cause_sent = CAUSE_TRANSMITTED,
                                                  .cause_link = CAUSE_LINK,
                                                  .status = STATUS,
                                                  .stop = igb_stop,
                                                  .reset = igb_reset,
                                                  .address_read = igb_address_read,
                                                  .program = igb_program,
                                                  .send_start = igb_send_start,
                                                  .receive_start = igb_receive_start,
                                                  .messages_start = igb_messages_start,
                                                  .line_start = igb_line_start,
                                                  .sent_interrupt = igb_sent_interrupt,
                                                  .link_acknowledge = igb_link_acknowledge,
                                                  .link_read = igb_link_read,
                                                  .missed_read = igb_missed_read};

static int igb_attach(struct bm_device *device)
{
    return bm_advanced_attach(device, &igb_family);
}

enum { INTEL = 0x8086 };
static const struct bm_device_id igb_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x10c9}, // 82576
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x10e8}, // … with four ports
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1526}, // … ET2
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1521}, // I350
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1533}, // I210
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x157b}, // … without flash
    {.bus = BM_BUS_PCI, .vendor = INTEL, .device = 0x1539}, // I211
    BM_DEVICE_ID_END,
};

BM_DRIVER(igb) = {.name = "igb", .ids = igb_ids, .attach = igb_attach};
