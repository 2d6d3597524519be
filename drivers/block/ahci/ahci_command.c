// Commands of ATA in the form that AHCI wants: a header, a register FIS, a list of segments.
// SPDX-License-Identifier: MIT
#include "ahci.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

enum {
    READ_DMA = 0xc8,
    WRITE_DMA = 0xca,
    READ_DMA_EXT = 0x25,
    WRITE_DMA_EXT = 0x35,
    READ_QUEUED = 0x60,
    WRITE_QUEUED = 0x61,
    FLUSH = 0xe7,
    FLUSH_EXT = 0xea,
    DATASET = 0x06,
    PACKET = 0xa0
};
enum { FIS_REGISTER = 0x27, FIS_COMMAND = 0x80, FIS_WORDS = 5, DEVICE_LBA = 0x40 };
enum { HEADER_PACKET = 1 << 5, HEADER_WRITE = 1 << 6 };
enum { SECTOR_BYTES = 512 };

void bm_ahci_command_put(struct ahci_port *port, unsigned slot, const struct ahci_command *command,
                         const struct bm_dma_segment *segments, unsigned count)
{
    struct ahci_table *table = &port->memory->tables[slot];
    struct ahci_header *header = &port->memory->headers[slot];
    uint8_t *fis = table->fis;
    fis[0] = FIS_REGISTER;
    fis[1] = FIS_COMMAND;
    fis[2] = command->operation;
    fis[3] = (uint8_t)command->features;
    for (unsigned i = 0; i < 3; i++) {
        fis[4 + i] = (uint8_t)(command->sector >> 8 * i);
        fis[8 + i] = (uint8_t)(command->sector >> (24 + 8 * i));
    }
    fis[7] = command->device;
    fis[11] = (uint8_t)(command->features >> 8);
    fis[12] = (uint8_t)command->count;
    fis[13] = (uint8_t)(command->count >> 8);
    __builtin_memset(fis + 14, 0, 6);
    header->flags = (uint16_t)(FIS_WORDS | (command->writes ? HEADER_WRITE : 0));
    if (command->packet) {
        header->flags |= HEADER_PACKET;
        __builtin_memset(table->packet, 0, sizeof table->packet);
        __builtin_memcpy(table->packet, command->packet, 12);
    }
    header->segments = (uint16_t)count;
    header->moved = 0;
    header->table = port->memory_address + offsetof(struct ahci_memory, tables) + slot * sizeof *table;
    for (unsigned i = 0; i < count; i++)
        table->segments[i] = (struct ahci_segment){segments[i].address, 0, segments[i].length - 1};
}

// A discard's range: 48 bits of sector, 16 of count; the rest of the block is empty (ACS-3 section 7.5.3).
static void discard_put(struct ahci_port *port, unsigned slot)
{
    enum { TRIM = 1, RANGE_MAX = 0xffff };
    const struct bm_block_request *request = port->slots[slot].request;
    uint64_t *ranges = port->memory->range[slot], sector = request->disk_sector;
    uint32_t left = request->count;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t count = left < RANGE_MAX ? left : RANGE_MAX;
        ranges[i] = count ? sector | (uint64_t)count << 48 : 0;
        sector += count;
        left -= count;
    }
    const struct bm_dma_segment segment = {port->memory_address + offsetof(struct ahci_memory, range) +
                                               slot * sizeof port->memory->range[0],
                                           SECTOR_BYTES};
    const struct ahci_command command = {
        .operation = DATASET, .device = DEVICE_LBA, .features = TRIM, .count = 1, .writes = true};
    bm_ahci_command_put(port, slot, &command, &segment, 1);
}

// READ(10) of MMC: discs have no other requests here. The drive says when it has all (section 5.3.12), and
// sends by DMA.
static void packet_put(struct ahci_port *port, unsigned slot)
{
    enum { READ_10 = 0x28, BY_DMA = 1, TO_HOST = 4 };
    const struct bm_block_request *request = port->slots[slot].request;
    uint32_t sector = (uint32_t)request->disk_sector;
    const uint8_t packet[12] = {
        READ_10,         0, (uint8_t)(sector >> 24),        (uint8_t)(sector >> 16), (uint8_t)(sector >> 8),
        (uint8_t)sector, 0, (uint8_t)(request->count >> 8), (uint8_t)request->count};
    const struct ahci_command command = {.operation = PACKET, .features = BY_DMA | TO_HOST, .packet = packet};
    bm_ahci_command_put(port, slot, &command, request->segments, request->segment_count);
}

static void move_put(struct ahci_port *port, unsigned slot, bool queued)
{
    const struct bm_block_request *request = port->slots[slot].request;
    struct ahci_command command = {.device = DEVICE_LBA,
                                   .sector = request->disk_sector,
                                   .count = (uint16_t)request->count,
                                   .writes = request->operation == BM_BLOCK_WRITE};
    if (queued) {
        command.operation = command.writes ? WRITE_QUEUED : READ_QUEUED;
        command.features = (uint16_t)request->count;
        command.count = (uint16_t)(slot << 3);
    } else if (port->wide) {
        command.operation = command.writes ? WRITE_DMA_EXT : READ_DMA_EXT;
    } else {
        command.operation = command.writes ? WRITE_DMA : READ_DMA;
        command.device |= request->disk_sector >> 24 & 15;
        command.sector &= 0xffffff;
        command.count &= 0xff; // 256 are 0
    }
    bm_ahci_command_put(port, slot, &command, request->segments, request->segment_count);
}

void bm_ahci_request_put(struct ahci_port *port, unsigned slot, bool queued)
{
    const struct bm_block_request *request = port->slots[slot].request;
    if (request->operation == BM_BLOCK_FLUSH || port->slots[slot].flushes) {
        const struct ahci_command command = {.operation = port->wide ? FLUSH_EXT : FLUSH,
                                             .device = DEVICE_LBA};
        bm_ahci_command_put(port, slot, &command, NULL, 0);
    } else if (request->operation == BM_BLOCK_DISCARD) {
        discard_put(port, slot);
    } else if (port->packet) {
        packet_put(port, slot);
    } else {
        move_put(port, slot, queued);
    }
}

int bm_ahci_ask(struct ahci_port *port, const struct ahci_command *command, unsigned bytes)
{
    const struct bm_dma_segment segment = {port->memory_address + offsetof(struct ahci_memory, answer),
                                           bytes};
    uint64_t end = bm_time_monotonic() + AHCI_AGE_MAX * AHCI_SECOND;
    __builtin_memset(port->memory->answer, 0, sizeof port->memory->answer);
    bm_ahci_command_put(port, 0, command, &segment, bytes ? 1 : 0);
    port_write(port, PORT_IS, UINT32_MAX);
    port_write(port, PORT_CI, 1);
    for (;;) {
        bool over = !(port_read(port, PORT_CI) & 1);
        if (port_read(port, PORT_IS) & PORT_IS_ERRORS)
            return -BM_EIO;
        if (over)
            return port_read(port, PORT_TFD) & PORT_TFD_ERROR ? -BM_EIO : 0;
        if (bm_time_monotonic() > end)
            return -BM_ETIME;
    }
}
