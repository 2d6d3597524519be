// ext4 disks with any bytes changed, mounted to be written: files and directories come, go, move, grow and
// shrink, all of it within bounds.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @max_len 600
// @seconds 20
// @least 300
// @sources drivers/fs/ext4/ext4_allocate.c drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c
// @sources drivers/fs/ext4/ext4_commit.c drivers/fs/ext4/ext4_directory.c drivers/fs/ext4/ext4_entry.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_extent_write.c drivers/fs/ext4/ext4_file.c
// @sources drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c drivers/fs/ext4/ext4_index.c
// @sources drivers/fs/ext4/ext4_index_write.c drivers/fs/ext4/ext4_inode.c
// @sources drivers/fs/ext4/ext4_inode_write.c drivers/fs/ext4/ext4_listing.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_name.c
// @sources drivers/fs/ext4/ext4_orphan.c drivers/fs/ext4/ext4_path.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_space.c drivers/fs/ext4/ext4_super.c drivers/fs/ext4/ext4_transaction.c
// @sources drivers/fs/ext4/ext4_zone.c
//
// The first byte of the input chooses the disk, the second how many changes follow (as in fuzz_ext4.c); each
// four bytes behind them are an operation: which, a directory and a name, another pair, a number.
#include "ext4_disks.h"

#include "../../drivers/fs/ext4/ext4_write.h"

#include <baremetal/file.h>

enum { DISKS = 3, EDITS = 16, BUFFERS = 300, OPERATION = 4, NAMES = 16 };

static const char *const options[DISKS] = {"-J size=1 -O ^metadata_csum",
                                           "-J size=1 -O ^metadata_csum,^flex_bg,^64bit -g 1024",
                                           "-J size=1 -O ^metadata_csum,orphan_file -b 1024"};

static struct ext4_fs fs;

static size_t name_of(uint8_t byte, char *name)
{
    static const char *const known[] = {"h", "l", "s", "b", "d"};
    unsigned which = byte % NAMES;
    if (which < sizeof known / sizeof *known)
        return (size_t)sprintf(name, "%s", known[which]);
    if (which < 10)
        return (size_t)sprintf(name, "a-long-name-of-a-file-%u", which * 13);
    return (size_t)sprintf(name, "%c%0*u", 'a' + byte / 16, (int)(which * which), byte);
}

static bool get(uint32_t number, struct ext4_inode *inode)
{
    return bm_ext4_inode_get(&fs, number, inode) == 0 && inode->links;
}

static bool directory_of(uint8_t byte, struct ext4_inode *directory)
{
    uint32_t number = EXT4_ROOT;
    if (!get(EXT4_ROOT, directory))
        return false;
    if (byte & 64 &&
        bm_ext4_directory_find(&fs, directory, byte & 32 ? "d" : "a0", byte & 32 ? 1 : 2, &number) == 0)
        return get(number, directory) && (directory->mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY;
    return (directory->mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY;
}

static bool find(uint8_t byte, struct ext4_inode *directory, char *name, size_t *length,
                 struct ext4_inode *inode)
{
    uint32_t number;
    *length = name_of(byte, name);
    return directory_of(byte, directory) &&
           bm_ext4_directory_find(&fs, directory, name, *length, &number) == 0 &&
           number >= fs.super.first_inode && get(number, inode);
}

static void end_if_unnamed(struct ext4_inode *inode, int error)
{
    if (!error && !inode->links)
        (void)bm_ext4_file_end(&fs, inode);
}

static void rename_one(const uint8_t *words)
{
    char name[EXT4_NAME_MAX + 1], new_name[EXT4_NAME_MAX + 1];
    struct ext4_inode from, to, inode, target;
    struct ext4_rename what = {.from = &from, .to = &to, .inode = &inode, .name = name, .new_name = new_name};
    if (!find(words[1], &from, name, &what.length, &inode))
        return;
    bool there = find(words[2], &to, new_name, &what.new_length, &target);
    if (!directory_of(words[2], &to))
        return;
    if (to.number == from.number)
        what.to = &from;
    if (there)
        what.target = &target;
    uint32_t numbers[] = {from.number, to.number, inode.number, there ? target.number : 0};
    if (numbers[2] == numbers[0] || numbers[2] == numbers[1] || numbers[3] == numbers[0] ||
        numbers[3] == numbers[1] || numbers[3] == numbers[2])
        return;
    what.exchanges = there && words[3] & 1;
    int error = bm_ext4_rename(&fs, &what);
    if (there)
        end_if_unnamed(&target, error);
}

static void create_one(const uint8_t *words)
{
    static const uint32_t modes[] = {BM_FILE_REGULAR | 0644, BM_FILE_DIRECTORY | 0755, BM_FILE_LINK | 0777};
    char name[EXT4_NAME_MAX + 1],
        target[] = "a link that says more than an inode has room for, so a block has it";
    struct ext4_inode directory, made = {.mode = modes[words[3] % 3]};
    size_t length = name_of(words[1], name);
    if (directory_of(words[1], &directory))
        (void)bm_ext4_create(&fs, &directory, name, length, &made, words[3] % 3 == 2 ? target : NULL);
}

static void file_one(const uint8_t *words)
{
    char name[EXT4_NAME_MAX + 1];
    struct ext4_inode directory, file;
    size_t length;
    uint32_t first = words[2] * 5u, total = words[3] % 64 + 1u, done;
    if (!find(words[1], &directory, name, &length, &file) || (file.mode & BM_FILE_TYPE) != BM_FILE_REGULAR)
        return;
    if (words[0] % 8 == 5)
        (void)bm_ext4_file_resize(&fs, &file, words[2] * 997u);
    else if (bm_ext4_file_allocate(&fs, &file, first, total, &done) == 0 && words[3] & 64)
        (void)bm_ext4_file_written(&fs, &file, first, total, (first + total) * (uint64_t)BLOCK);
}

static void names_one(const uint8_t *words)
{
    char name[EXT4_NAME_MAX + 1], text[100];
    struct ext4_inode directory, inode, other;
    size_t length;
    if (!find(words[1], &directory, name, &length, &inode))
        return;
    if (words[0] % 8 == 2) {
        int error = bm_ext4_unlink(&fs, &directory, name, length, &inode);
        end_if_unnamed(&inode, error);
    } else if ((inode.mode & BM_FILE_TYPE) == BM_FILE_LINK) {
        (void)bm_ext4_link_read(&fs, &inode, text, sizeof text);
    } else if ((inode.mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY) {
        struct ext4_entry entry = {.next = 0};
        for (unsigned i = 0; i < 300 && bm_ext4_directory_next(&fs, &inode, entry.next, &entry) == 1; i++)
            if (entry.length > EXT4_NAME_MAX || strlen(entry.name) != entry.length)
                abort();
    } else if (directory_of(words[2], &other)) {
        length = name_of(words[2], name);
        (void)bm_ext4_link(&fs, other.number == directory.number ? &directory : &other, name, length, &inode);
    }
}

static void operate(const uint8_t *words)
{
    switch (words[0] % 8) {
    case 0:
    case 1:
        create_one(words);
        break;
    case 2:
    case 3:
        names_one(words);
        break;
    case 4:
    case 5:
        file_one(words);
        break;
    case 6:
        rename_one(words);
        break;
    default:
        if (words[3] & 1)
            (void)bm_ext4_commit(&fs);
        else if (bm_ext4_commit(&fs) == 0)
            (void)bm_ext4_checkpoint(&fs);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!disks[0].bytes) {
        disk_is_quiet = true;
        disks_make(options, DISKS, DISKS);
    }
    if (size < 2)
        return 0;
    unsigned number = data[0] % DISKS, edits = data[1] % EDITS;
    free(disk_bytes);
    disk_bytes = disks[number].now;
    disk.size = disks[number].size;
    disk_writes = 0;
    size_t at = 2;
    for (; edits && at + EDIT <= size; edits--, at += EDIT)
        change(number, data + at, false);
    const char *why;
    fs = (struct ext4_fs){0};
    if (bm_ext4_mount(&fs, &disk, BUFFERS, &why) == 0) {
        if (!fs.why_read_only && bm_ext4_transactions_begin(&fs, &why) == 0) {
            fs.read_only = false;
            (void)bm_ext4_orphans_end(&fs);
            for (; at + OPERATION <= size; at += OPERATION)
                operate(data + at);
            (void)bm_ext4_transactions_end(&fs);
        }
        bm_ext4_unmount(&fs);
    }
    memcpy(disk_bytes, disks[number].bytes, disk.size);
    disk_bytes = NULL;
    if (memory_out || fs.buffers)
        abort();
    return 0;
}
