// The fields of BMFS, each checked where it is read.
// SPDX-License-Identifier: MIT
#include "bmfs_parse.h"

#include <baremetal/error.h>

#include <stdbool.h>

enum { RECORD = 64, AT_FIRST = 32, AT_RESERVED = 40, AT_SIZE = 48, NAME_END = 0, NAME_UNUSED = 1 };

static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 8; i-- > 0;)
        number = number << 8 | bytes[i];
    return number;
}

static bool is_marked(const uint8_t *head)
{
    const char *marker = "BMFS";
    for (unsigned i = 0; marker[i]; i++)
        if ((head[BMFS_MARKER + i] & ~32) != marker[i]) // in capitals or not
            return false;
    return true;
}

// The length of a name that a path can have; 0: it is none.
static unsigned name_length(const uint8_t *name)
{
    unsigned length = 0;
    while (length < BMFS_NAME && name[length]) {
        if (name[length] == '/')
            return 0;
        length++;
    }
    bool dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
    return length == BMFS_NAME || dots ? 0 : length;
}

static bool is_there(const struct bmfs_files *files, const uint8_t *name, unsigned length)
{
    for (unsigned i = 0; i < files->count; i++)
        if (files->file[i].length == length && !__builtin_memcmp(files->file[i].name, name, length))
            return true;
    return false;
}

// Block 0 is the file system's own; the last one has a copy of it, but disks whose files reach there are
// read.
static bool take(const uint8_t *record, uint64_t disk_blocks, struct bmfs_files *files)
{
    uint64_t first = number_at(record + AT_FIRST), reserved = number_at(record + AT_RESERVED);
    uint64_t size = number_at(record + AT_SIZE);
    unsigned length = name_length(record);
    if (!length || is_there(files, record, length))
        return false;
    if (first == 0 || first > disk_blocks || reserved > disk_blocks - first ||
        size > reserved << BMFS_BLOCK_BITS)
        return false;
    struct bmfs_file *file = &files->file[files->count++];
    __builtin_memcpy(file->name, record, length);
    file->length = length;
    file->first = first << BMFS_BLOCK_BITS;
    file->size = size;
    return true;
}

int bm_bmfs_parse(const uint8_t head[BMFS_HEAD], uint64_t disk_blocks, struct bmfs_files *files)
{
    *files = (struct bmfs_files){0};
    if (!is_marked(head))
        return -BM_ENODEV;
    if (disk_blocks > UINT64_MAX >> BMFS_BLOCK_BITS)
        disk_blocks = UINT64_MAX >> BMFS_BLOCK_BITS;
    for (unsigned i = 0; i < BMFS_RECORDS; i++) {
        const uint8_t *record = head + BMFS_DIRECTORY + i * RECORD;
        if (record[0] == NAME_END)
            break;
        if (record[0] != NAME_UNUSED && !take(record, disk_blocks, files))
            files->wrong++;
    }
    return 0;
}
