// Replaying ext4's journal: e2fsck as the oracle; cut off behind each write; journals that are damaged.
// SPDX-License-Identifier: MIT
// @sources drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c drivers/fs/ext4/ext4_directory.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c
// @sources drivers/fs/ext4/ext4_index.c drivers/fs/ext4/ext4_inode.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_super.c
// @sources drivers/fs/ext4/ext4_listing.c
#include "ext4_host/ext4_host.h"

#include "../../drivers/fs/ext4/ext4_journal.h"

#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DISK = 12 << 20, COUNT = 60, BUFFERS = 32, TRANSACTIONS = 6, FLIPS = 150 };

static const char *folder;
static char dirty[100], checked[100], ours[100];

static const struct {
    const char *options, *journal;
    unsigned block;
} kinds[] = {{"-b 1024", "", 1024},
             {"-b 1024", "-c -v 3", 1024},

             {"-b 4096 -O ^64bit", "-c -v 3", 4096},
             {"-b 1024 -t ext3", "", 1024}};

static uint32_t state = 1;
static unsigned blocks_first; // those that transactions have: near the end, where nothing else is

static uint32_t number(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

// Random blocks, some of which begin as the journal's own do.
static void data_make(unsigned transaction, unsigned count, unsigned block)
{
    char path[200];
    snprintf(path, sizeof path, "%s/data%u", folder, transaction);
    FILE *file = fopen(path, "wb");
    for (unsigned i = 0; i < count * block; i++) {
        static const uint8_t magic[] = {0xc0, 0x3b, 0x39, 0x98};
        bool begins = i % block < sizeof magic && (i / block) % 3 == 0;
        fputc(begins ? magic[i % block] : (int)number(256), file);
    }
    fclose(file);
}

// A file system with transactions in its journal that are nowhere else, the last of them without a commit.
static void disk_make(unsigned kind)
{
    char path[200];
    blocks_first = DISK / kinds[kind].block - 100;
    run("rm -f %s; PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -J size=4 %s %s 12M >/dev/null", dirty,
        kinds[kind].options, dirty);
    snprintf(path, sizeof path, "%s/script", folder);
    FILE *script = fopen(path, "w");
    fprintf(script, "jo %s\n", kinds[kind].journal);
    for (unsigned i = 0; i < TRANSACTIONS; i++) {
        unsigned count = 1 + number(COUNT / 2), first = blocks_first + number(COUNT / 2);
        data_make(i, count, kinds[kind].block);
        fprintf(script, "jw %s-b ", i == TRANSACTIONS - 1 ? "-c " : "");
        for (unsigned block = 0; block < count; block++)
            fprintf(script, "%s%u", block ? "," : "", first + block);
        fprintf(script, " %s/data%u\n", folder, i);
        if (i % 2 == 0 && i + 2 < TRANSACTIONS)
            fprintf(script, "jw -r %u,%u,%u\n", blocks_first + number(COUNT), blocks_first + number(COUNT),
                    blocks_first + number(COUNT));
    }
    fprintf(script, "jc\n");
    fclose(script);
    run("PATH=$PATH:/usr/sbin:/sbin; debugfs -w -f %s %s >%s/log 2>&1; ! grep -i 'error\\|usage\\|invalid' "
        "%s/log",
        path, dirty, folder, folder);
    disk_load(dirty);
}

static int mount_it(bool *replayed)
{
    struct ext4_fs fs = {0};
    const char *why = NULL;
    int error = bm_ext4_mount(&fs, &disk, BUFFERS, &why);
    *replayed = fs.replayed;
    if (!error)
        bm_ext4_unmount(&fs);
    assert_int_equal(fs.buffers, 0);
    assert_int_equal(memory_out, 0);
    return error;
}

static void compare_blocks(const uint8_t *theirs, unsigned block)
{
    for (unsigned i = blocks_first; i < blocks_first + COUNT; i++)
        if (memcmp(disk_bytes + (size_t)i * block, theirs + (size_t)i * block, block))
            fail_msg("block %u is not as e2fsck has it", i);
}

static void replays(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        bool replayed;
        print_message("%s, journal %s\n", kinds[kind].options, kinds[kind].journal);
        disk_make(kind);
        size_t size = disk.size;
        uint8_t *before = malloc(size), *theirs = malloc(size);
        memcpy(before, disk_bytes, size);
        run("PATH=$PATH:/usr/sbin:/sbin; cp %s %s; e2fsck -fy %s >%s/log 2>&1; [ $? -le 1 ]", dirty, checked,
            checked, folder);
        disk_load(checked);
        memcpy(theirs, disk_bytes, size);
        memcpy(disk_bytes, before, size);
        disk_writes = 0;
        assert_int_equal(mount_it(&replayed), 0);
        assert_true(replayed);
        unsigned writes = disk_writes;
        assert_true(writes > 10 &&
                    memcmp(before + blocks_first * kinds[kind].block,
                           theirs + blocks_first * kinds[kind].block, COUNT * kinds[kind].block));
        compare_blocks(theirs, kinds[kind].block);
        disk_save(ours);
        run("PATH=$PATH:/usr/sbin:/sbin; e2fsck -fn %s >%s/log 2>&1 || { cat %s/log; false; }", ours, folder,
            folder);
        assert_int_equal(mount_it(&replayed), 0);
        assert_false(replayed);
        for (unsigned cut = 0; cut < writes; cut += kind ? 7 : 1) { // the power goes, and comes back
            memcpy(disk_bytes, before, size);
            disk_left = cut;
            assert_int_equal(mount_it(&replayed), -BM_EIO);
            disk_left = -1;
            assert_int_equal(mount_it(&replayed), 0);
            compare_blocks(theirs, kinds[kind].block);
        }
        disk.read_only = true;
        memcpy(disk_bytes, before, size);
        assert_int_equal(mount_it(&replayed), -BM_EROFS);
        disk.read_only = false;
        free(before);
        free(theirs);
    }
}

// Where the journal is: its superblock's place on the disk.
static size_t journal_find(void)
{
    static const uint8_t head[] = {0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 4};
    for (size_t at = 0; at < disk.size; at += 1024)
        if (!memcmp(disk_bytes + at, head, sizeof head))
            return at;
    fail_msg("there is no journal");
    return 0;
}

// The first block of the log of a kind, or that many blocks behind it.
static uint8_t *log_block(unsigned block, uint32_t wanted, unsigned behind)
{
    for (size_t at = journal_find() + block;; at += block) {
        assert_true(at + (behind + 1) * block <= disk.size);
        if (jbd2_get32(disk_bytes + at) == (uint32_t)JBD2_MAGIC &&
            jbd2_get32(disk_bytes + at + JBD2_KIND) == wanted)
            return disk_bytes + at + behind * block;
    }
}

// Whether a wrong bit may make the log end early: it may look like one of no log, or like a transaction that
// was not written to its end.
static bool may_end(const uint8_t *before, size_t place, unsigned block)
{
    const uint8_t *head = before + place / block * block;
    return place % block < JBD2_HEAD ||
           (jbd2_get32(head) == (uint32_t)JBD2_MAGIC && jbd2_get32(head + JBD2_KIND) == JBD2_DESCRIPTOR);
}

// Any bit of the journal may be wrong: it is refused, or ends earlier; with checksums all of the journal is
// replayed where nothing is said.
static void damages(void **unused)
{
    (void)unused;
    disk_is_quiet = true;
    for (unsigned kind = 0; kind < 2; kind++) {
        bool replayed;
        disk_make(kind);
        size_t size = disk.size, journal = journal_find();
        uint8_t *before = malloc(size), *right = malloc(size);
        memcpy(before, disk_bytes, size);
        assert_int_equal(mount_it(&replayed), 0);
        memcpy(right, disk_bytes, size);
        unsigned refused = 0;
        for (unsigned i = 0; i < FLIPS; i++) {
            memcpy(disk_bytes, before, size);
            size_t place = i % 3 ? number(200 * 1024) : number(64) + 1024 * number(20);
            disk_bytes[journal + place] ^= (uint8_t)(1 << number(8));
            int error = mount_it(&replayed);
            refused += error != 0;
            if (kind == 1 && !error && !may_end(before, journal + place, kinds[kind].block))
                compare_blocks(right, kinds[kind].block);
        }
        assert_true(kind == 0 || (refused > 0 && refused < FLIPS));
        free(before);
        free(right);
    }
    disk_is_quiet = false;
}

// What has a wrong checksum and was committed is not given up, and nothing is written behind it.
static void checksums(void **unused)
{
    static const struct {
        uint32_t kind;
        unsigned behind, at;
    } wrong[] = {{JBD2_SUPER_2, 0, JBD2_S_UUID},
                 {JBD2_DESCRIPTOR, 0, 1023},
                 {JBD2_DESCRIPTOR, 0, JBD2_HEAD + JBD2_T_BLOCK + 3},
                 {JBD2_DESCRIPTOR, 1, 500},
                 {JBD2_COMMIT, 0, JBD2_C_CHECKSUM},
                 {JBD2_COMMIT, 0, 1000},
                 {JBD2_REVOKE, 0, JBD2_R_FIRST + 7}};
    (void)unused;
    disk_is_quiet = true;
    disk_make(1);
    size_t size = disk.size;
    uint8_t *before = malloc(size);
    memcpy(before, disk_bytes, size);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bool replayed;
        bool super = wrong[i].kind == JBD2_SUPER_2;
        (super ? disk_bytes + journal_find()
               : log_block(kinds[1].block, wrong[i].kind, wrong[i].behind))[wrong[i].at] ^= 1;
        disk_writes = 0;
        int error = mount_it(&replayed);
        if (error != -BM_EIO || disk_writes)
            fail_msg("field %u: %d, %u writes", i, error, disk_writes);
        memcpy(disk_bytes, before, size);
    }
    // A commit that is older than the one before it was left by another log, and ends this one.
    uint8_t *commit = log_block(kinds[1].block, JBD2_COMMIT, 0) + kinds[1].block;
    while (jbd2_get32(commit) != (uint32_t)JBD2_MAGIC || jbd2_get32(commit + JBD2_KIND) != JBD2_COMMIT)
        commit += kinds[1].block;
    jbd2_put32(commit + JBD2_C_SECONDS, 0);
    jbd2_put32(commit + JBD2_C_SECONDS + 4, 1);
    bool replayed;
    assert_int_equal(mount_it(&replayed), 0);
    assert_true(replayed && memcmp(disk_bytes, before, size));
    free(before);
    disk_is_quiet = false;
}

static void wrong_fields(void **unused)
{
    static const struct {
        unsigned at;
        uint32_t value;
        int error;
    } wrong[] = {{0, 1, -BM_EIO},
                 {JBD2_KIND, 1, -BM_EIO},
                 {JBD2_S_BLOCK_SIZE, 4096, -BM_EIO},
                 {JBD2_S_LENGTH, 1 << 30, -BM_EIO},
                 {JBD2_S_LENGTH, 0, -BM_EIO},
                 {JBD2_S_FIRST, 0, -BM_EIO},
                 {JBD2_S_FIRST, 1 << 30, -BM_EIO},
                 {JBD2_S_START, 1 << 30, -BM_EIO},
                 {JBD2_S_COMPAT, JBD2_COMPAT_CHECKSUM, -BM_EOPNOTSUPP},
                 {JBD2_S_INCOMPAT, JBD2_INCOMPAT_CSUM_V2, -BM_EOPNOTSUPP},
                 {JBD2_S_INCOMPAT, JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3, -BM_EOPNOTSUPP},
                 {JBD2_S_INCOMPAT, JBD2_INCOMPAT_ASYNC_COMMIT, -BM_EOPNOTSUPP},
                 {JBD2_S_INCOMPAT, 0x80000013, -BM_EOPNOTSUPP},
                 {JBD2_S_INCOMPAT, 0x33, -BM_EOPNOTSUPP}};
    (void)unused;
    disk_make(0);
    size_t size = disk.size, journal = journal_find();
    uint8_t *before = malloc(size);
    memcpy(before, disk_bytes, size);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bool replayed;
        memcpy(disk_bytes, before, size);
        jbd2_put32(disk_bytes + journal + wrong[i].at, wrong[i].value);
        int error = mount_it(&replayed);
        if (error != wrong[i].error)
            fail_msg("field %u: %d, not %d", i, error, wrong[i].error);
    }
    free(before);
}

static int begin(void **unused)
{
    (void)unused;
    folder = folder_make();
    snprintf(dirty, sizeof dirty, "%s/dirty", folder);
    snprintf(checked, sizeof checked, "%s/checked", folder);
    snprintf(ours, sizeof ours, "%s/ours", folder);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    run("rm -r %s", folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replays), cmocka_unit_test(damages),
                                       cmocka_unit_test(checksums), cmocka_unit_test(wrong_fields)};
    return cmocka_run_group_tests(tests, begin, end);
}
