// The stage's first part: text, the drive, and the loading and checking of the second part.
// SPDX-License-Identifier: MIT
//
// INT 13h extensions: Phoenix, Enhanced Disk Drive Specification 3.0. This part is what firmware loads, so it
// fits into 2,048 bytes.
#include "bios.h"

// Disk address packet of function 42h.
struct packet {
    uint8_t size, zero;
    uint16_t count, offset, segment;
    uint64_t sector;
} __attribute__((packed));

// Drive parameters, function 48h.
struct parameters {
    uint16_t size, flags;
    uint32_t cylinders, heads, sectors_per_track;
    uint32_t sectors, sectors_high;
    uint16_t sector_size;
} __attribute__((packed));

void bm_bios_main(void) __attribute__((noreturn));

static struct packet packet;
static struct parameters parameters;
static uint32_t sector_shift; // of the drive's sectors: 9 or 11
static uint32_t crc_table[256];

static void print_byte(uint8_t byte)
{
    bm_bios_registers.eax = 0x0e00u | byte;
    bm_bios_registers.ebx = 7;
    bm_bios_call(0x10);
    for (int i = 0; i < 0x10000 && !(bm_bios_in8(BM_BIOS_COM1 + 5) & 0x20); i++)
        ;
    bm_bios_out8(BM_BIOS_COM1, byte);
}

void bm_bios_print(const char *text)
{
    while (*text)
        print_byte((uint8_t)*text++);
}

// Writes the number right-aligned in front of `end`.
static void write_hex(char *end, uint32_t value)
{
    for (; value; value >>= 4)
        *--end = "0123456789abcdef"[value & 15];
}

void bm_bios_fail(const char *text)
{
    bm_bios_print("error: boot: ");
    bm_bios_print(text);
    bm_bios_print("\r\n");
    for (;;)
        __asm__ volatile("hlt");
}

// One call of the disk service; returns its status, 0 when it went well.
static uint8_t call_disk(uint32_t function, const void *argument)
{
    bm_bios_registers.eax = function << 8;
    bm_bios_registers.edx = bm_bios_drive;
    bm_bios_registers.esi = (uint32_t)argument;
    bm_bios_call(0x13);
    uint8_t status = (uint8_t)(bm_bios_registers.eax >> 8);
    if (!(bm_bios_registers.flags & BM_BIOS_CARRY))
        return 0;
    return status ? status : 0xff;
}

// Reads `count` sectors into the bounce buffer.
static void read_sectors(uint32_t sector, uint32_t count)
{
    static char text[] = "disk read error 00 at sector 00000000";
    uint8_t status = 0;
    if (parameters.sectors && !parameters.sectors_high && sector + count > parameters.sectors)
        bm_bios_fail("the disk ends before the image does: it was cut off");
    for (int i = 0; i < BM_BIOS_RETRIES; i++) {
        packet = (struct packet){16, 0, (uint16_t)count, 0, BM_BIOS_BOUNCE >> 4, sector};
        status = call_disk(0x42, &packet);
        if (!status)
            return;
        call_disk(0, 0); // reset
    }
    write_hex(text + 18, status);
    write_hex(text + sizeof text - 1, sector);
    bm_bios_fail(text);
}

void bm_bios_read(uint32_t offset, uint32_t length, void *to)
{
    uint32_t sector = (bm_bios_header.sector >> (sector_shift - 9)) + (offset >> sector_shift);
    while (length) {
        uint32_t piece = length < BM_BIOS_CHUNK ? length : BM_BIOS_CHUNK;
        uint32_t count = (piece + (1u << sector_shift) - 1) >> sector_shift;
        read_sectors(sector, count);
        if ((uint32_t)to >= 0x100000) // by then the second part is there
            bm_bios_open_a20();
        bm_bios_copy(to, (const void *)BM_BIOS_BOUNCE, piece);
        to = (char *)to + piece;
        sector += count;
        length -= piece;
    }
}

// CRC-32 of ISO 3309, as zlib computes it.
uint32_t bm_bios_crc(const void *bytes, uint32_t length)
{
    const uint8_t *byte = bytes;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
        crc_table[i] = value;
    }
    uint32_t crc = ~0u;
    while (length--)
        crc = crc >> 8 ^ crc_table[(uint8_t)(crc ^ *byte++)];
    return ~crc;
}

// The boot record has asked for the extensions; for a CD, firmware may have them without saying so.
static void open_drive(void)
{
    sector_shift = 9;
    parameters.size = sizeof parameters;
    if (call_disk(0x48, &parameters))
        parameters.sectors = 0;
    else if (parameters.sector_size == 2048)
        sector_shift = 11;
}

// The serial line as the kernel sets it, too: 115,200 baud, 8 bits, no parity.
static void open_serial(void)
{
    bm_bios_out8(BM_BIOS_COM1 + 3, 0x80);
    bm_bios_out8(BM_BIOS_COM1, 1);
    bm_bios_out8(BM_BIOS_COM1 + 1, 0);
    bm_bios_out8(BM_BIOS_COM1 + 3, 3);
}

void bm_bios_main(void)
{
    uint32_t sum = 0;
    open_serial();
    for (const uint32_t *word = (void *)BM_BIOS_STAGE; word < (uint32_t *)(BM_BIOS_STAGE + BM_BIOS_PART);
         word++)
        sum += *word;
    open_drive();
    void *second = (void *)(BM_BIOS_STAGE + BM_BIOS_PART);
    bm_bios_read(BM_BIOS_PART, BM_BIOS_STAGE_SIZE - BM_BIOS_PART, second);
    if (sum || bm_bios_crc(second, BM_BIOS_STAGE_SIZE - BM_BIOS_PART) != bm_bios_header.stage_crc)
        bm_bios_fail("the image is damaged: the loader's checksum is wrong; write it anew");
    bm_bios_load();
}
