// Partition tables: GPT with its backup, MBR with logical partitions, and what a broken or hostile disk says.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/block/partition.c
// @includes libbaremetal/block
#include "partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECTORS = 4096, SIZE_MAX_ = 4096 };

static unsigned char *disk, buffer[BM_PARTITION_BUFFER];
static uint32_t sector_size = 512;
static uint64_t sectors, bad_sector;
static unsigned reads, refusals;
static char last_refusal[100];
static struct bm_partition found[BM_PARTITIONS_MAX];
static unsigned found_count;

static int disk_read(void *arg, uint64_t sector, void *into, uint32_t count)
{
    assert_ptr_equal(arg, disk);
    assert_true(count > 0 && sector < sectors && count <= sectors - sector);
    assert_true((size_t)count * sector_size <= sizeof buffer);
    reads++;
    if (bad_sector >= sector && bad_sector < sector + count)
        return -5;
    memcpy(into, disk + sector * sector_size, (size_t)count * sector_size);
    return 0;
}

static void on_found(void *arg, const struct bm_partition *partition)
{
    assert_ptr_equal(arg, disk);
    assert_true(found_count < BM_PARTITIONS_MAX);
    assert_true(partition->count && partition->first && partition->first < sectors);
    assert_true(partition->count <= sectors - partition->first);
    for (unsigned i = 0; i < found_count; i++)
        assert_true(partition->first + partition->count <= found[i].first ||
                    found[i].first + found[i].count <= partition->first);
    found[found_count++] = *partition;
}

static void on_refused(void *arg, unsigned number, const char *why)
{
    assert_ptr_equal(arg, disk);
    refusals++;
    snprintf(last_refusal, sizeof last_refusal, "%u %s", number, why);
}

static int scan(void)
{
    const struct bm_partition_source source = {.read = disk_read,
                                               .found = on_found,
                                               .refused = on_refused,
                                               .arg = disk,
                                               .sectors = sectors,
                                               .sector_size = sector_size,
                                               .buffer = buffer};
    found_count = refusals = reads = 0;
    last_refusal[0] = 0;
    int count = bm_partition_scan(&source);
    if (count >= 0)
        assert_int_equal(count, found_count);
    return count;
}

static int set_up(void **state)
{
    (void)state;
    sector_size = 512;
    sectors = SECTORS;
    bad_sector = UINT64_MAX;
    disk = calloc(SECTORS, SIZE_MAX_);
    return disk ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(disk);
    return 0;
}

static unsigned char *at(uint64_t sector)
{
    return disk + sector * sector_size;
}

static void put(unsigned char *where, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        where[i] = (unsigned char)(value >> 8 * i);
}

static void mbr_entry(uint64_t table, unsigned number, unsigned type, uint32_t first, uint32_t count)
{
    unsigned char *entry = at(table) + 446 + 16 * number;
    entry[4] = (unsigned char)type;
    put(entry + 8, 4, first);
    put(entry + 12, 4, count);
    put(at(table) + 510, 2, 0xaa55);
}

// A table-driven CRC-32, of another make than the one under test.
static uint32_t crc(const unsigned char *bytes, size_t size)
{
    uint32_t table[16], value = 0xffffffff;
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t entry = i;
        for (unsigned bit = 0; bit < 4; bit++)
            entry = entry & 1 ? entry >> 1 ^ 0xedb88320 : entry >> 1;
        table[i] = entry;
    }
    for (size_t i = 0; i < size; i++) {
        value = table[(value ^ bytes[i]) & 15] ^ value >> 4;
        value = table[(value ^ bytes[i] >> 4) & 15] ^ value >> 4;
    }
    return ~value;
}

// --- GPT ---

static struct {
    uint32_t count, size;
    uint64_t first, last;
} gpt;

static void gpt_header(uint64_t sector, uint64_t array)
{
    unsigned char *header = at(sector);
    memcpy(header, "EFI PART", 8);
    put(header + 8, 4, 0x10000);
    put(header + 12, 4, 92);
    put(header + 24, 8, sector);
    put(header + 32, 8, sector == 1 ? sectors - 1 : 1);
    put(header + 40, 8, gpt.first);
    put(header + 48, 8, gpt.last);
    put(header + 72, 8, array);
    put(header + 80, 4, gpt.count);
    put(header + 84, 4, gpt.size);
    put(header + 88, 4, crc(at(array), (size_t)gpt.count * gpt.size));
    put(header + 16, 4, 0);
    put(header + 16, 4, crc(header, 92));
}

static uint64_t array_sectors(void)
{
    return ((uint64_t)gpt.count * gpt.size + sector_size - 1) / sector_size;
}

static void gpt_entry(unsigned number, uint64_t first, uint64_t last)
{
    for (unsigned copy = 0; copy < 2; copy++) {
        unsigned char *entry = at(copy ? sectors - 1 - array_sectors() : 2) + (size_t)(number - 1) * gpt.size;
        memset(entry, 0x10 + (int)number, 16);
        memset(entry + 16, 0x80 + (int)number, 16);
        put(entry + 32, 8, first);
        put(entry + 40, 8, last);
    }
}

static void gpt_seal(void)
{
    gpt_header(1, 2);
    gpt_header(sectors - 1, sectors - 1 - array_sectors());
}

static void gpt_begin(uint32_t count, uint32_t size)
{
    mbr_entry(0, 0, 0xee, 1, (uint32_t)(sectors - 1));
    gpt.count = count;
    gpt.size = size;
    gpt.first = 2 + array_sectors();
    gpt.last = sectors - 2 - array_sectors();
}

static void gpt_usual(void)
{
    gpt_begin(128, 128);
    gpt_entry(1, 100, 199);
    gpt_entry(3, 1000, 1000);
    gpt_entry(128, 2000, gpt.last);
    gpt_seal();
}

static void gpt_is_read(void **state)
{
    (void)state;
    for (sector_size = 512; sector_size <= SIZE_MAX_; sector_size *= 2) {
        memset(disk, 0, (size_t)SECTORS * SIZE_MAX_);
        gpt_usual();
        assert_int_equal(scan(), 3);
        assert_int_equal(refusals, 0);
        assert_int_equal(reads, 3); // MBR, header, array
        assert_true(found[0].number == 1 && found[0].first == 100 && found[0].count == 100);
        assert_true(found[1].number == 3 && found[1].first == 1000 && found[1].count == 1);
        assert_true(found[2].number == 128 && found[2].first == 2000);
        assert_int_equal(found[2].count, gpt.last - 1999);
        assert_int_equal(found[1].type[15], 0x13);
        assert_int_equal(found[1].id[0], 0x83);
    }
}

static void larger_entries_are_read(void **state)
{
    (void)state;
    gpt_begin(16, 4096);
    gpt_entry(16, gpt.first, gpt.last);
    gpt_seal();
    assert_int_equal(scan(), 1);
    assert_int_equal(found[0].number, 16);
}

// Whatever byte of the first header or of its array is wrong, the backup counts.
static void backup_counts_when_the_first_is_bad(void **state)
{
    (void)state;
    gpt_usual();
    for (size_t i = 0; i < 92; i++) {
        at(1)[i] ^= 0x40;
        assert_int_equal(scan(), 3);
        assert_int_equal(refusals, 1);
        at(1)[i] ^= 0x40;
    }
    at(2)[127] ^= 1;
    assert_int_equal(scan(), 3);
    assert_string_equal(last_refusal, "0 has GPT entries with a wrong CRC");
    at(sectors - 1)[30] ^= 1; // both
    assert_int_equal(scan(), 0);
    assert_int_equal(refusals, 2);
    at(sectors - 1)[30] ^= 1;
    bad_sector = 1;
    assert_int_equal(scan(), 3);
    bad_sector = 5; // in the array
    assert_int_equal(scan(), 3);
    at(sectors - 1)[30] ^= 1;
    bad_sector = sectors - 1;
    at(2)[127] ^= 1;
    bad_sector = 0;
    assert_int_equal(scan(), -5);
}

static void impossible_headers_are_refused(void **state)
{
    (void)state;
    const struct {
        unsigned offset, size;
        uint64_t value;
    } lies[] = {
        {12, 4, 91},         {12, 4, 513},     {12, 4, 0xffffffff},  {24, 8, 2},
        {84, 4, 0},          {84, 4, 127},     {84, 4, 132},         {84, 4, 8192},
        {84, 4, 0xffffff80}, {80, 4, 513},     {80, 4, 0xffffffff},  {72, 8, 0},
        {72, 8, 1},          {72, 8, SECTORS}, {72, 8, SECTORS - 5}, {72, 8, 100},
        {72, 8, UINT64_MAX}, {48, 8, SECTORS}, {48, 8, UINT64_MAX},  {40, 8, SECTORS - 1},
    };
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        gpt_usual();
        for (unsigned copy = 0; copy < 2; copy++) {
            unsigned char *header = at(copy ? sectors - 1 : 1);
            put(header + lies[i].offset, lies[i].size, lies[i].value);
            uint64_t size = header[12] | header[13] << 8;
            put(header + 16, 4, 0);
            put(header + 16, 4, crc(header, size <= 512 ? size : 512));
        }
        assert_int_equal(scan(), 0);
        assert_true(refusals >= 2);
    }
}

static void impossible_entries_are_left_out(void **state)
{
    (void)state;
    gpt_usual();
    const struct {
        uint64_t first, last;
    } lies[] = {
        {150, 300},
        {50, 100},
        {199, 199},
        {120, 130},
        {50, 5000},
        {0, 10},
        {33, 40},
        {300, 299},
        {3000, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX},
        {SECTORS - 40, SECTORS - 30},
    };
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        gpt_entry(2, lies[i].first, lies[i].last);
        gpt_seal();
        // The one that comes first in the table is what the later ones must not overlap.
        assert_true(scan() >= 1);
        for (unsigned k = 0; k < found_count; k++)
            if (found[k].number == 2)
                assert_int_equal(found[k].first, 50);
        assert_int_equal(refusals, 1);
        gpt_begin(128, 128);
    }
}

static void tiny_disks_have_no_table(void **state)
{
    (void)state;
    gpt_usual();
    for (sectors = 0; sectors < 40; sectors++)
        assert_int_equal(scan(), 0);
}

// --- MBR ---

static void primary_partitions_are_read(void **state)
{
    (void)state;
    mbr_entry(0, 0, 0x83, 63, 100);
    mbr_entry(0, 2, 0x0c, 163, 1);
    mbr_entry(0, 3, 0x82, 1000, SECTORS - 1000);
    at(0)[446] = 0x80; // active
    assert_int_equal(scan(), 3);
    assert_true(found[0].number == 1 && found[0].first == 63 && found[0].count == 100);
    assert_true(found[1].number == 3 && found[1].first == 163 && found[1].count == 1);
    assert_true(found[2].number == 4 && found[2].first == 1000 && found[2].type[0] == 0x82);
    assert_int_equal(refusals, 0);
    mbr_entry(0, 3, 0x82, 1000, SECTORS - 999);
    assert_int_equal(scan(), 2);
    mbr_entry(0, 3, 0x82, 0xffffffff, 0xffffffff);
    assert_int_equal(scan(), 2);
    mbr_entry(0, 3, 0x82, 100, 1);
    assert_int_equal(scan(), 2);
    assert_string_equal(last_refusal, "4 overlaps another one");
    mbr_entry(0, 3, 0x82, 0, 10);
    assert_int_equal(scan(), 2);
}

static void file_systems_are_no_tables(void **state)
{
    (void)state;
    assert_int_equal(scan(), 0); // nothing at all
    mbr_entry(0, 0, 0x83, 63, 100);
    at(0)[446 + 16] = 0x6f; // code or text where a flag would be
    assert_int_equal(scan(), 0);
    assert_int_equal(refusals, 0);
}

static void logical_partitions_are_read(void **state)
{
    (void)state;
    mbr_entry(0, 0, 0x83, 63, 100);
    mbr_entry(0, 1, 0x0f, 1000, 2000);
    mbr_entry(1000, 0, 0x83, 63, 200);
    mbr_entry(1000, 1, 0x05, 500, 600);
    mbr_entry(1500, 0, 0x83, 1, 100);
    mbr_entry(1500, 1, 0x05, 1000, 600);
    mbr_entry(2000, 0, 0x83, 10, 900);
    assert_int_equal(scan(), 4);
    assert_true(found[1].number == 5 && found[1].first == 1063 && found[1].count == 200);
    assert_true(found[2].number == 6 && found[2].first == 1501 && found[2].count == 100);
    assert_true(found[3].number == 7 && found[3].first == 2010 && found[3].count == 900);
    assert_int_equal(refusals, 0);
}

static void chains_of_logical_partitions_end(void **state)
{
    (void)state;
    mbr_entry(0, 1, 0x05, 1000, 2000);
    mbr_entry(1000, 0, 0x83, 63, 200);
    mbr_entry(1000, 1, 0x05, 500, 600);
    mbr_entry(1500, 1, 0x05, 0, 600); // back to the first
    assert_int_equal(scan(), 1);
    assert_string_equal(last_refusal, "0 has an endless chain of logical partitions");
    assert_true(reads < 200);
    mbr_entry(1500, 1, 0x05, 2000, 600); // behind the end
    assert_int_equal(scan(), 1);
    mbr_entry(1500, 1, 0x05, 0xffffffff, 600);
    assert_int_equal(scan(), 1);
    mbr_entry(1500, 0, 0x83, 0, 10); // the table in it
    mbr_entry(1500, 1, 0, 0, 0);
    assert_int_equal(scan(), 1);
    mbr_entry(1500, 0, 0x83, 1, 1500); // longer than the extended one
    assert_int_equal(scan(), 1);
    at(1500)[510] = 0;
    assert_int_equal(scan(), 1);
    assert_string_equal(last_refusal, "6 has no table");
    bad_sector = 1500;
    assert_int_equal(scan(), -5);
    mbr_entry(0, 1, 0x05, SECTORS, 2000); // no extended partition at all
    assert_int_equal(scan(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gpt_is_read),
        TEST(larger_entries_are_read),
        TEST(backup_counts_when_the_first_is_bad),
        TEST(impossible_headers_are_refused),
        TEST(impossible_entries_are_left_out),
        TEST(tiny_disks_have_no_table),
        TEST(primary_partitions_are_read),
        TEST(file_systems_are_no_tables),
        TEST(logical_partitions_are_read),
        TEST(chains_of_logical_partitions_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
