// What disks and drives of discs say of themselves (ACS-3 section 7.12, MMC-6).
// SPDX-License-Identifier: MIT
#include "ahci.h"

#include <baremetal/error.h>

enum { IDENTIFY = 0xec, IDENTIFY_PACKET = 0xa1, PACKET = 0xa0, ANSWER = 512 };
// Words of the answer.
enum {
    SERIAL = 10,
    CAPABILITIES = 49,
    SECTORS_28 = 60,
    QUEUE_DEPTH = 75,
    SATA = 76,
    COMMANDS_82 = 82,
    COMMANDS_83 = 83,
    ENABLED_85 = 85,
    SECTORS_48 = 100,
    RANGE_BLOCKS = 105,
    SECTOR_SIZES = 106,
    SECTOR_WORDS = 117,
    DATASET = 169
};

static uint16_t word(const struct ahci_port *port, unsigned number)
{
    return (uint16_t)(port->memory->answer[2 * number] | port->memory->answer[2 * number + 1] << 8);
}

static uint32_t words(const struct ahci_port *port, unsigned number)
{
    return word(port, number) | (uint32_t)word(port, number + 1) << 16;
}

// Ten words with two characters each, the first one above (ACS-3 section 3.4.9).
static void serial_read(struct ahci_port *port)
{
    unsigned length = 0;
    for (unsigned i = 0; i < 20; i++) {
        char c = (char)(word(port, SERIAL + i / 2) >> (i % 2 ? 0 : 8));
        if (c > ' ' && c <= '~')
            port->blockdev.serial[length++] = c;
        else if (length)
            break;
    }
}

// Logical and physical sector (words 106, 117).
static const char *sizes_read(struct ahci_port *port)
{
    struct bm_blockdev *blockdev = &port->blockdev;
    uint16_t sizes = word(port, SECTOR_SIZES);
    bool valid = (sizes & 0xc000) == 0x4000;
    uint32_t size = 512;
    if (valid && sizes & 1 << 12) {
        uint32_t count = words(port, SECTOR_WORDS);
        if (count < 256 || count > BM_BLOCK_SECTOR_MAX / 2 || count & (count - 1))
            return "has sectors of a size that is not supported";
        size = 2 * count;
    }
    blockdev->sector_size = size;
    blockdev->physical_size = size;
    if (valid && sizes & 1 << 13 && (sizes & 15) < 8)
        blockdev->physical_size <<= sizes & 15;
    uint64_t sectors = port->wide ? words(port, SECTORS_48) | (uint64_t)words(port, SECTORS_48 + 2) << 32
                                  : words(port, SECTORS_28);
    uint64_t sectors_max = port->wide ? (1ull << 48) - 1 : (1ull << 28) - 1;
    blockdev->sectors = sectors < sectors_max ? sectors : sectors_max;
    return blockdev->sectors ? NULL : "says that it has no sectors";
}

static void limits_set(struct ahci_port *port)
{
    enum { COUNT_MAX_28 = 256, COUNT_MAX_48 = 65536, RANGE_MAX = 0xffff };
    struct bm_blockdev *blockdev = &port->blockdev;
    uint64_t bytes =
        (uint64_t)(port->wide || port->packet ? COUNT_MAX_48 - 1 : COUNT_MAX_28) * blockdev->sector_size;
    blockdev->driver = "ahci";
    blockdev->ops = &bm_ahci_ops;
    blockdev->transfer_max = bytes < AHCI_TRANSFER_MAX ? (uint32_t)bytes : AHCI_TRANSFER_MAX;
    blockdev->segment_max = blockdev->transfer_max;
    blockdev->segments_max = AHCI_SEGMENTS;
    blockdev->alignment = 2;
    blockdev->discard_max = blockdev->capabilities & BM_BLOCK_CAN_DISCARD ? 64 * RANGE_MAX : 0;
}

static const char *disk_identify(struct ahci_port *port)
{
    const struct ahci_command command = {.operation = IDENTIFY};
    if (bm_ahci_ask(port, &command, ANSWER))
        return "does not say what it is";
    if ((word(port, CAPABILITIES) & 0x300) != 0x300)
        return "knows no DMA or no LBA";
    port->wide = (word(port, COMMANDS_83) & 0xc400) == 0x4400;
    bool cache = word(port, COMMANDS_82) & 1 << 5 && word(port, ENABLED_85) & 1 << 5;
    port->blockdev.capabilities =
        (cache ? BM_BLOCK_CAN_FLUSH : 0) |
        (word(port, DATASET) & 1 && word(port, DATASET) != UINT16_MAX ? BM_BLOCK_CAN_DISCARD : 0);
    unsigned slots = (port->ahci->capabilities >> 8 & 31) + 1, depth = (word(port, QUEUE_DEPTH) & 31) + 1u;
    uint16_t sata = word(port, SATA);
    port->queues =
        port->wide && sata != UINT16_MAX && sata & 1 << 8 && port->ahci->capabilities & AHCI_CAP_NCQ;
    port->queue.depth = !port->queues ? slots : slots < depth ? slots : depth;
    serial_read(port);
    const char *why = sizes_read(port);
    if (!why)
        limits_set(port);
    return why;
}

static int packet_ask(struct ahci_port *port, uint8_t operation, unsigned bytes)
{
    const uint8_t packet[12] = {operation, [4] = operation == 0x03 ? (uint8_t)bytes : 0};
    const struct ahci_command command = {.operation = PACKET,
                                         .features = bytes ? 1 | 4 : 0,
                                         .sector = (uint64_t)bytes << 8, // the byte count's limit
                                         .packet = packet};
    return bm_ahci_ask(port, &command, bytes);
}

static bool restart(struct ahci_port *port)
{
    bm_ahci_recover(port, false);
    while (atomic_load(&port->stage) != PORT_LIVE && atomic_load(&port->stage) != PORT_DEAD)
        bm_ahci_advance(port);
    return atomic_load(&port->stage) == PORT_LIVE;
}

// A drive tells first, and once for each, what has happened to it: it is asked again (MMC-6 section 4.1.8).
static const char *disc_identify(struct ahci_port *port)
{
    enum { TEST_UNIT_READY = 0x00, REQUEST_SENSE = 0x03, READ_CAPACITY = 0x25, TRIES = 5, SENSE = 18 };
    const struct ahci_command command = {.operation = IDENTIFY_PACKET};
    if (bm_ahci_ask(port, &command, ANSWER))
        return "does not say what it is";
    serial_read(port);
    int error = -BM_EIO;
    for (unsigned i = 0; i < TRIES && error; i++) {
        error = packet_ask(port, TEST_UNIT_READY, 0);
        if (error && (!restart(port) || (packet_ask(port, REQUEST_SENSE, SENSE) && !restart(port))))
            return "does not answer any more";
    }
    if (error || packet_ask(port, READ_CAPACITY, 8))
        return "has no disc";
    const uint8_t *answer = port->memory->answer;
    uint32_t last = (uint32_t)answer[0] << 24 | answer[1] << 16 | answer[2] << 8 | answer[3];
    uint32_t size = (uint32_t)answer[4] << 24 | answer[5] << 16 | answer[6] << 8 | answer[7];
    if (size != 2048 || last == UINT32_MAX)
        return "has a disc with sectors of a size that is not supported";
    port->blockdev.sectors = last + 1ull;
    port->blockdev.sector_size = port->blockdev.physical_size = size;
    port->blockdev.read_only = true;
    port->blockdev.whole = true;
    port->queue.depth = (port->ahci->capabilities >> 8 & 31) + 1;
    limits_set(port);
    return NULL;
}

const char *bm_ahci_identify(struct ahci_port *port)
{
    return port->packet ? disc_identify(port) : disk_identify(port);
}
