// Writing ext4's journal: after any power cut all of a transaction is there or nothing of it, and what was
// committed is; operations that fail leave nothing; errors of the disk end the journal.
// SPDX-License-Identifier: MIT
// @sources drivers/fs/ext4/ext4_allocate.c drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c
// @sources drivers/fs/ext4/ext4_commit.c drivers/fs/ext4/ext4_directory.c drivers/fs/ext4/ext4_entry.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_extent_write.c drivers/fs/ext4/ext4_file.c
// @sources drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c drivers/fs/ext4/ext4_index.c
// @sources drivers/fs/ext4/ext4_index_write.c drivers/fs/ext4/ext4_inode.c
// @sources drivers/fs/ext4/ext4_inode_write.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_name.c
// @sources drivers/fs/ext4/ext4_orphan.c drivers/fs/ext4/ext4_path.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_space.c drivers/fs/ext4/ext4_super.c drivers/fs/ext4/ext4_transaction.c
// @sources drivers/fs/ext4/ext4_zone.c
// @sources drivers/fs/ext4/ext4_listing.c
#include "../../drivers/fs/ext4/ext4_write.h"

#include "ext4_host/crash.h"

#include <setjmp.h>

#include <cmocka.h>

enum { BLOCKS = 48, TRANSACTIONS = 60, BUFFERS = 200, DATA = 0xdada };

static const struct {
    const char *options;
    unsigned block;
} kinds[] = {{"-b 1024", 1024}, {"-b 4096 -O ^64bit", 4096}, {"-b 1024 -t ext3", 1024}};

static const char *folder;
static char image[100];
static unsigned block_size, first_block; // of those that transactions write: nobody else has them
static struct ext4_fs fs;

// What the blocks hold after each operation, and how many events had happened when it was safe.
static uint32_t model[2 * TRANSACTIONS + 1][BLOCKS];
static size_t safe[2 * TRANSACTIONS + 1], data_safe;
static unsigned operations;
static unsigned found_last; // operations on the disk that was judged last

static void disk_make(unsigned kind)
{
    block_size = kinds[kind].block;
    first_block = (12 << 20) / block_size - BLOCKS - 8;
    run("rm -f %s; PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -J size=4 %s %s 12M >/dev/null", image,
        kinds[kind].options, image);
    disk_load(image);
}

static int mount_for_writing(void)
{
    const char *why = NULL;
    memset(&fs, 0, sizeof fs);
    int error = bm_ext4_mount(&fs, &disk, BUFFERS, &why);
    if (error)
        return error;
    error = bm_ext4_transactions_begin(&fs, &why);
    if (error)
        bm_ext4_unmount(&fs);
    return error;
}

static int unmount(void)
{
    int error = bm_ext4_transactions_end(&fs);
    bm_ext4_unmount(&fs);
    assert_int_equal(fs.buffers, 0);
    assert_int_equal(memory_out, 0);
    return error;
}

// Blocks tell by whom they were written; some begin as the journal's own do.
static void fill(uint8_t *data, uint32_t value)
{
    for (unsigned at = 0; at < block_size; at += 4)
        jbd2_put32(data + at, value);
    if (value % 3 == 0)
        jbd2_put32(data, (uint32_t)JBD2_MAGIC);
}

static uint32_t value_of(unsigned index)
{
    const uint8_t *at = disk_bytes + (size_t)(first_block + index) * block_size;
    uint32_t value = jbd2_get32(at + 4);
    uint8_t right[EXT4_BLOCK_MAX];
    fill(right, value);
    if (value && memcmp(right, at, block_size))
        fail_msg("block %u is in pieces", index);
    return value;
}

static int change(unsigned index, uint32_t value)
{
    struct ext4_buffer *buffer;
    int error = bm_ext4_buffer_new(&fs, first_block + index, EXT4_ROLE_TEXT, &buffer);
    if (error)
        return error;
    fill(buffer->data, value);
    bm_ext4_buffer_put(&fs, buffer);
    return 0;
}

// Changes some blocks, or fails and must leave nothing.
static int operate(uint32_t number, bool fails)
{
    uint32_t now[BLOCKS];
    memcpy(now, model[operations], sizeof now);
    int error = bm_ext4_operation_begin(&fs, BLOCKS);
    if (error)
        return error;
    for (unsigned i = 0, count = 1 + crash_number(BLOCKS / 2); i < count && !error; i++) {
        unsigned index = 1 + crash_number(BLOCKS - 1);
        error = change(index, number);
        now[index] = number;
    }
    if (bm_ext4_operation_end(&fs, fails && !error ? -BM_ENOENT : error) != (fails ? -BM_ENOENT : 0))
        return -BM_EIO;
    if (!fails)
        memcpy(model[++operations], now, sizeof now);
    return 0;
}

// Two operations and one that fails. A full log may part them.
static int transaction(unsigned number)
{
    int error = operate(number * 4, false);
    if (!error)
        error = operate(number * 4 + 1, true);
    if (!error)
        error = operate(number * 4 + 2, false);
    return error ? error : bm_ext4_commit(&fs);
}

// Block 0 is in the log, is freed, and then written as data, which a replay must leave alone.
static void block_free(void)
{
    uint8_t data[EXT4_BLOCK_MAX];
    assert_int_equal(bm_ext4_operation_begin(&fs, 1), 0);
    assert_int_equal(change(0, 7), 0);
    assert_int_equal(bm_ext4_operation_end(&fs, 0), 0);
    assert_int_equal(bm_ext4_commit(&fs), 0);
    assert_int_equal(bm_ext4_operation_begin(&fs, 1), 0);
    assert_int_equal(bm_ext4_buffer_forget(&fs, first_block), 0);
    assert_int_equal(bm_ext4_operation_end(&fs, 0), 0);
    assert_int_equal(bm_ext4_commit(&fs), 0);
    assert_int_equal(fs.transactions->revocations, 1);
    fill(data, DATA);
    assert_int_equal(disk.write(disk.arg, (uint64_t)first_block * block_size, data, block_size), 0);
    assert_int_equal(bm_ext4_commit(&fs), 0);
    data_safe = crash_count;
}

static void judge(size_t happened)
{
    const char *why = NULL;
    struct ext4_fs after = {0};
    assert_int_equal(bm_ext4_mount(&after, &disk, BUFFERS, &why), 0);
    bm_ext4_unmount(&after);
    unsigned min = 0;
    for (unsigned i = 1; i <= operations; i++)
        if (safe[i] && safe[i] <= happened)
            min = i;
    unsigned found = min;
    for (; found <= operations; found++) {
        unsigned index = 1;
        while (index < BLOCKS && value_of(index) == model[found][index])
            index++;
        if (index == BLOCKS)
            break;
    }
    if (found > operations)
        fail_msg("moment %zu: what is there is of no operation from %u on", happened, min);
    if (happened >= data_safe)
        assert_int_equal(value_of(0), DATA);
    found_last = found;
    crash_fsck(image);
}

static void power_cuts(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        disk_make(kind);
        memset(safe, 0, sizeof safe);
        assert_int_equal(mount_for_writing(), 0);
        crash_begin();
        operations = 0;
        for (unsigned i = 1; i <= TRANSACTIONS; i++) {
            assert_int_equal(transaction(i), 0);
            safe[operations] = crash_count;
            if (i == 2)
                block_free();
        }
        assert_int_equal(unmount(), 0);
        unsigned points = crash_points, checks = crash_checks;
        crash_each(kind ? 11 : 4, 2, block_size, judge);
        print_message("%s: %zu events, %u crash points, %u disks for e2fsck\n", kinds[kind].options,
                      crash_count, crash_points - points, crash_checks - checks);
        assert_int_equal(found_last, 2 * TRANSACTIONS);
        assert_true(crash_points - points > 50);
        crash_end();
    }
}

// The log is full again and again, and large transactions are refused.
static void full(void **unused)
{
    (void)unused;
    disk_make(0);
    assert_int_equal(mount_for_writing(), 0);
    uint32_t size = fs.transactions->log.last - fs.transactions->log.first;
    assert_int_equal(bm_ext4_operation_begin(&fs, size), -BM_ENOSPC);
    fs.buffers_max = 4 * size;
    assert_int_equal(bm_ext4_operation_begin(&fs, size / 2), 0);
    unsigned count = 0;
    int error = 0;
    for (; !error; count++) {
        struct ext4_buffer *buffer;
        error = bm_ext4_buffer_get(&fs, 5000 + count, &buffer);
        if (!error) {
            error = bm_ext4_buffer_change(&fs, buffer, EXT4_ROLE_TEXT);
            bm_ext4_buffer_put(&fs, buffer);
        }
    }
    assert_int_equal(error, -BM_ENOSPC);
    assert_true(count > size - size / 16 && count < size);
    assert_int_equal(bm_ext4_operation_end(&fs, error), -BM_ENOSPC);
    assert_int_equal(fs.transactions->joined, 0);
    uint32_t before = fs.transactions->sequence;
    for (unsigned i = 1; i < 400; i++) {
        assert_int_equal(bm_ext4_operation_begin(&fs, BLOCKS), 0);
        for (unsigned index = 1; index < BLOCKS; index++)
            assert_int_equal(change(index, i), 0);
        assert_int_equal(bm_ext4_operation_end(&fs, 0), 0);
        assert_int_equal(bm_ext4_commit(&fs), 0);
    }
    assert_true(fs.transactions->sequence >= before + 399);
    assert_int_equal(unmount(), 0);
    assert_int_equal(value_of(1), 399);
    crash_fsck(image);
}

// Each write fails once: the journal ends, and says so; what was committed before is there.
static void errors(void **unused)
{
    (void)unused;
    disk_is_quiet = true;
    unsigned ended = 0;
    for (unsigned left = 0; left < 200; left += 6) {
        disk_make(0);
        assert_int_equal(mount_for_writing(), 0);
        memset(safe, 0, sizeof safe);
        operations = 0;
        disk_left = left;
        int error = 0;
        for (unsigned i = 1; i <= TRANSACTIONS && !error; i++) {
            error = transaction(i);
            if (!error)
                safe[operations] = 1;
        }
        disk_left = -1;
        if (error) {
            ended++;
            assert_true(fs.read_only);
            assert_int_equal(bm_ext4_operation_begin(&fs, 1), -BM_EROFS);
            assert_int_equal(bm_ext4_commit(&fs), -BM_EROFS);
        }
        assert_int_equal(unmount() != 0, error != 0);
        data_safe = SIZE_MAX;
        judge(1);
    }
    assert_true(ended > 15);
    disk_is_quiet = false;
}

// What an ended journal says is read, and the file system is not written.
static void ended_before(void **unused)
{
    (void)unused;
    disk_make(0);
    assert_int_equal(mount_for_writing(), 0);
    disk_is_quiet = true;
    assert_int_equal(bm_ext4_abort(&fs, -BM_EIO), -BM_EIO);
    disk_is_quiet = false;
    assert_int_equal(unmount(), -BM_EIO);
    assert_int_equal(mount_for_writing(), -BM_EROFS);
    assert_int_equal(memory_out, 0);
    run("rm -f %s; PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -O ^has_journal %s 12M >/dev/null", image,
        image);
    disk_load(image);
    assert_int_equal(mount_for_writing(), -BM_EROFS);
}

static int begin(void **unused)
{
    (void)unused;
    folder = folder_make();
    snprintf(image, sizeof image, "%s/image", folder);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    run("rm -r %s", folder);
    free(disk_bytes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(power_cuts), cmocka_unit_test(full),
                                       cmocka_unit_test(errors), cmocka_unit_test(ended_before)};
    return cmocka_run_group_tests(tests, begin, end);
}
