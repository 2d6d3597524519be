// Parses partition tables: GPT, with its backup, and MBR with logical partitions. No device is touched here.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the UEFI specification, version 2.10.
#include "partition.h"

#include <stdbool.h>

enum { MBR_ENTRIES = 446, MBR_ENTRY = 16, MBR_SIGNATURE = 510, PROTECTIVE = 0xee, LOGICAL_FIRST = 5 };
enum { GPT_HEADER_MIN = 92, GPT_ENTRY_MIN = 128, GPT_ENTRY_MAX = 4096 };

struct scan {
    const struct bm_partition_source *source;
    unsigned count;
    struct {
        uint64_t first, last;
    } taken[BM_PARTITIONS_MAX];
};

static uint32_t get32(const unsigned char *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t get64(const unsigned char *bytes)
{
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

// CRC-32 as in section 5.3.2: of the polynomial 0x04c11db7, reflected.
static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void refuse(const struct scan *scan, unsigned number, const char *why)
{
    scan->source->refused(scan->source->arg, number, why);
}

// Takes [first, last], which is not empty, unless it lies outside of the disk or overlaps another one.
static void take(struct scan *scan, struct bm_partition *partition, uint64_t last)
{
    const struct bm_partition_source *source = scan->source;
    const char *wrong = last >= source->sectors ? "leaves the disk" : NULL;
    if (scan->count == BM_PARTITIONS_MAX)
        wrong = "is one too many";
    for (unsigned i = 0; i < scan->count && !wrong; i++)
        if (partition->first <= scan->taken[i].last && last >= scan->taken[i].first)
            wrong = "overlaps another one";
    if (wrong) {
        refuse(scan, partition->number, wrong);
        return;
    }
    scan->taken[scan->count].first = partition->first;
    scan->taken[scan->count++].last = last;
    partition->count = last - partition->first + 1;
    source->found(source->arg, partition);
}

// --- GPT ---

// What counts of a header (section 5.3.2).
struct gpt {
    uint64_t first, last; // sectors that partitions may have
    uint64_t array;       // sector
    uint32_t count, size; // of the entries
    uint32_t crc;         // of the array
};

// Reads the header in that sector. Returns what is wrong with it, or NULL; *error is that of a read.
static const char *gpt_header(const struct bm_partition_source *source, uint64_t sector, struct gpt *gpt,
                              int *error)
{
    static const char signature[8] = "EFI PART";
    unsigned char *header = source->buffer;
    *error = source->read(source->arg, sector, header, 1);
    if (*error)
        return "cannot be read";
    if (__builtin_memcmp(header, signature, sizeof signature) != 0)
        return "has no GPT header";
    uint32_t size = get32(header + 12), crc = get32(header + 16);
    if (size < GPT_HEADER_MIN || size > source->sector_size)
        return "has a GPT header of an impossible size";
    __builtin_memset(header + 16, 0, 4);
    if (crc32_of(header, size) != crc)
        return "has a GPT header with a wrong CRC";
    if (get64(header + 24) != sector)
        return "has a GPT header of another sector";
    *gpt = (struct gpt){.first = get64(header + 40),
                        .last = get64(header + 48),
                        .array = get64(header + 72),
                        .count = get32(header + 80),
                        .size = get32(header + 84),
                        .crc = get32(header + 88)};
    if (gpt->size < GPT_ENTRY_MIN || gpt->size > GPT_ENTRY_MAX || gpt->size % 8 ||
        gpt->count > BM_PARTITION_BUFFER / gpt->size)
        return "has a GPT with entries of an impossible size or number";
    if (gpt->first > gpt->last || gpt->last >= source->sectors)
        return "has a GPT that leaves the disk";
    return NULL;
}

// Reads the array of entries. Returns what is wrong with it, or NULL.
static const char *gpt_array(const struct bm_partition_source *source, const struct gpt *gpt, int *error)
{
    size_t bytes = (size_t)gpt->count * gpt->size;
    uint32_t sectors = (uint32_t)((bytes + source->sector_size - 1) / source->sector_size);
    // Two of the first sectors are the MBR's and the header's; none lies among the partitions.
    if (gpt->array < 2 || gpt->array >= source->sectors || sectors > source->sectors - gpt->array ||
        (gpt->array <= gpt->last && gpt->array + sectors > gpt->first))
        return "has a GPT whose entries lie in an impossible place";
    *error = sectors ? source->read(source->arg, gpt->array, source->buffer, sectors) : 0;
    if (*error)
        return "cannot be read";
    return crc32_of(source->buffer, bytes) == gpt->crc ? NULL : "has GPT entries with a wrong CRC";
}

static const char *gpt_read(const struct bm_partition_source *source, uint64_t sector, struct gpt *gpt,
                            int *error)
{
    const char *wrong = gpt_header(source, sector, gpt, error);
    return wrong ? wrong : gpt_array(source, gpt, error);
}

static void gpt_entry(struct scan *scan, const struct gpt *gpt, unsigned number, const unsigned char *entry)
{
    static const unsigned char unused[16];
    if (__builtin_memcmp(entry, unused, sizeof unused) == 0)
        return;
    struct bm_partition partition = {.number = number, .first = get64(entry + 32)};
    uint64_t last = get64(entry + 40);
    __builtin_memcpy(partition.type, entry, 16);
    __builtin_memcpy(partition.id, entry + 16, 16);
    if (partition.first > last || partition.first < gpt->first || last > gpt->last)
        refuse(scan, number, "leaves the room for partitions");
    else
        take(scan, &partition, last);
}

// The header behind the MBR, or the backup in the disk's last sector (section 5.3.2).
static int gpt_scan(struct scan *scan)
{
    const struct bm_partition_source *source = scan->source;
    struct gpt gpt;
    int error;
    const char *wrong = gpt_read(source, 1, &gpt, &error);
    if (wrong) {
        refuse(scan, 0, wrong);
        wrong = gpt_read(source, source->sectors - 1, &gpt, &error);
        if (wrong) {
            refuse(scan, 0, wrong);
            return error;
        }
    }
    for (uint32_t i = 0; i < gpt.count; i++)
        gpt_entry(scan, &gpt, i + 1, source->buffer + (size_t)i * gpt.size);
    return 0;
}

// --- MBR ---

struct mbr_entry {
    uint8_t type;
    uint32_t first, count;
};

static struct mbr_entry mbr_entry(const unsigned char *sector, unsigned number)
{
    const unsigned char *entry = sector + MBR_ENTRIES + MBR_ENTRY * number;
    return (struct mbr_entry){.type = entry[4], .first = get32(entry + 8), .count = get32(entry + 12)};
}

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

static void mbr_take(struct scan *scan, unsigned number, uint64_t base, struct mbr_entry entry)
{
    struct bm_partition partition = {.number = number, .first = base + entry.first, .type = {entry.type}};
    take(scan, &partition, partition.first + entry.count - 1);
}

// Each logical partition stands behind a table of its own, which leads to the next one; places count from
// this table and from the extended partition. A chain that loops ends where there is no number left.
static int logical_scan(struct scan *scan, struct mbr_entry extended)
{
    const struct bm_partition_source *source = scan->source;
    uint64_t table = extended.first, end = (uint64_t)extended.first + extended.count;
    for (unsigned number = LOGICAL_FIRST; number < LOGICAL_FIRST + BM_PARTITIONS_MAX; number++) {
        if (table < extended.first || table >= end || table >= source->sectors) {
            refuse(scan, number, "has its table outside of the extended partition");
            return 0;
        }
        int error = source->read(source->arg, table, source->buffer, 1);
        if (error)
            return error;
        if (source->buffer[MBR_SIGNATURE] != 0x55 || source->buffer[MBR_SIGNATURE + 1] != 0xaa) {
            refuse(scan, number, "has no table");
            return 0;
        }
        struct mbr_entry entry = mbr_entry(source->buffer, 0), next = mbr_entry(source->buffer, 1);
        if (entry.type && entry.count) {
            if (!entry.first || table + entry.first + entry.count > end)
                refuse(scan, number, "leaves the extended partition");
            else
                mbr_take(scan, number, table, entry);
        }
        if (!is_extended(next.type) || !next.count)
            return 0;
        table = (uint64_t)extended.first + next.first;
    }
    refuse(scan, 0, "has an endless chain of logical partitions");
    return 0;
}

static int mbr_scan(struct scan *scan)
{
    struct mbr_entry extended = {0}, entries[4];
    for (unsigned i = 0; i < 4; i++)
        entries[i] = mbr_entry(scan->source->buffer, i);
    for (unsigned i = 0; i < 4; i++) {
        if (!entries[i].type || !entries[i].count)
            continue;
        if (!entries[i].first)
            refuse(scan, i + 1, "has the table in it");
        else if (!is_extended(entries[i].type))
            mbr_take(scan, i + 1, 0, entries[i]);
        else if (!extended.count)
            extended = entries[i];
    }
    return extended.count ? logical_scan(scan, extended) : 0;
}

// Whether the first sector is a partition table: a file system's first sector may have the signature, too,
// but not four flags that are flags.
static bool is_mbr(const unsigned char *sector)
{
    if (sector[MBR_SIGNATURE] != 0x55 || sector[MBR_SIGNATURE + 1] != 0xaa)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (sector[MBR_ENTRIES + MBR_ENTRY * i] & 0x7f)
            return false;
    return true;
}

int bm_partition_scan(const struct bm_partition_source *source)
{
    struct scan scan = {.source = source};
    bool is_gpt = false;
    if (source->sectors < 3)
        return 0;
    int error = source->read(source->arg, 0, source->buffer, 1);
    if (error || !is_mbr(source->buffer))
        return error;
    for (unsigned i = 0; i < 4; i++)
        is_gpt |= mbr_entry(source->buffer, i).type == PROTECTIVE;
    error = is_gpt ? gpt_scan(&scan) : mbr_scan(&scan);
    return error ? error : (int)scan.count;
}
