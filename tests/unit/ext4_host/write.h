// A file system that is written, for tests on the host.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/fs/ext4/ext4_write.h"

#include "crash.h"

#include <setjmp.h>

#include <cmocka.h>

enum { BUFFERS = 600 };

static const char *const kinds[] = {"-b 1024", "-b 4096 -O ^64bit,^metadata_csum,uninit_bg",
                                    "-b 1024 -t ext3 -O extent", "-b 1024 -O ^flex_bg -g 1024 -I 128"};

static const char *folder;
static char image[100];
static struct ext4_fs fs;

static inline void disk_make(const char *options, const char *size)
{
    run("rm -f %s; PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -J size=4 %s %s %s >/dev/null", image, options,
        image, size);
    disk_load(image);
}

static inline int mount_for_writing(void)
{
    const char *why = NULL;
    memset(&fs, 0, sizeof fs);
    int error = bm_ext4_mount(&fs, &disk, BUFFERS, &why);
    if (error)
        return error;
    error = bm_ext4_transactions_begin(&fs, &why);
    if (!error)
        error = bm_ext4_orphans_end(&fs);
    if (error)
        bm_ext4_unmount(&fs);
    return error;
}

static inline int unmount(void)
{
    int error = bm_ext4_transactions_end(&fs);
    bm_ext4_unmount(&fs);
    assert_int_equal(fs.buffers, 0);
    assert_int_equal(memory_out, 0);
    return error;
}

static inline struct ext4_inode inode_of(uint32_t number)
{
    struct ext4_inode inode;
    assert_int_equal(bm_ext4_inode_get(&fs, number, &inode), 0);
    return inode;
}

static inline bool find(const struct ext4_inode *directory, const char *name, size_t length,
                        struct ext4_inode *inode)
{
    uint32_t number;
    int error = bm_ext4_directory_find(&fs, directory, name, length, &number);
    assert_true(error == 0 || error == -BM_ENOENT);
    if (!error)
        *inode = inode_of(number);
    return !error;
}

static inline uint64_t free_count(void)
{
    uint64_t blocks, inodes;
    assert_int_equal(bm_ext4_count_free(&fs, &blocks, &inodes), 0);
    return blocks;
}

#define PAD                                                                                                  \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"             \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
    "nnnnnnnn"

// Of a group of tests: where the disk is.
static inline int begin(void **unused)
{
    (void)unused;
    folder = folder_make();
    snprintf(image, sizeof image, "%s/image", folder);
    return 0;
}

static inline int end(void **unused)
{
    (void)unused;
    run("rm -r %s", folder);
    free(disk_bytes);
    return 0;
}
