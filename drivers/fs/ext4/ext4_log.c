// The journal's file and superblock: where the log lies, and what it says of itself.
// SPDX-License-Identifier: MIT
#include "ext4_log.h"

#include <baremetal/error.h>
#include <baremetal/file.h>
#include <baremetal/inode.h>

enum { KNOWN = JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_CSUM_V3 };

int bm_ext4_log_place(const struct ext4_log *log, uint32_t at, uint64_t *place)
{
    struct ext4_extent extent;
    if (log->runs) {
        uint32_t low = 0, high = log->run_count; // the last one that does not begin behind it
        while (high - low > 1)
            *(log->runs[(low + high) / 2].first <= at ? &low : &high) = (low + high) / 2;
        *place = (log->runs[low].block + (at - log->runs[low].first)) << log->fs->super.block_bits;
        return 0;
    }
    int error = bm_ext4_map(log->fs, &log->file, at, &extent);
    if (!error && extent.hole)
        error = bm_ext4_damaged(log->fs, "block %lu of the journal is a hole", at);
    if (!error)
        *place = (extent.block + (at - extent.first)) << log->fs->super.block_bits;
    return error;
}

// Goes over the runs; puts them into `runs`, which has room for `max`, if that is not NULL. Returns how many,
// or an error.
static int64_t runs_find(const struct ext4_log *log, struct ext4_log_run *runs, int64_t max)
{
    int64_t count = 0;
    for (uint64_t at = 0; at < log->last; count++) {
        if (count == max) // the disk says something else than it did before
            return -BM_EIO;
        struct ext4_extent extent;
        int error = bm_ext4_map(log->fs, &log->file, at, &extent);
        if (!error && extent.hole)
            error = bm_ext4_damaged(log->fs, "block %lu of the journal is a hole", at);
        if (error)
            return error;
        uint64_t next = extent.first + extent.count;
        if (runs)
            runs[count] = (struct ext4_log_run){.first = (uint32_t)at,
                                                .count = (uint32_t)(next - at),
                                                .block = extent.block + (at - extent.first)};
        at = next;
    }
    return count;
}

int bm_ext4_log_runs_begin(struct ext4_log *log)
{
    int64_t count = runs_find(log, NULL, INT64_MAX);
    if (count < 0)
        return (int)count;
    struct ext4_log_run *runs = bm_inode_memory_allocate((size_t)count * sizeof *runs);
    if (!runs)
        return -BM_ENOMEM;
    log->runs = runs;
    log->run_count = (uint32_t)count;
    int64_t found = runs_find(log, runs, count);
    if (found == count)
        return 0;
    bm_ext4_log_runs_end(log);
    return found < 0 ? (int)found : -BM_EIO;
}

void bm_ext4_log_runs_end(struct ext4_log *log)
{
    bm_inode_memory_free(log->runs, log->run_count * sizeof *log->runs);
    log->runs = NULL;
}

int bm_ext4_log_read(const struct ext4_log *log, uint32_t at, uint8_t *to)
{
    const struct ext4_disk *disk = log->fs->disk;
    uint64_t place;
    int error = bm_ext4_log_place(log, at, &place);
    return error ? error : disk->read(disk->arg, place, to, log->fs->super.block_size);
}

static int refuse(int error, const char *sentence, const char **why)
{
    *why = sentence;
    return error;
}

static int features_check(const struct ext4_log *log, bool old_checksums, const char **why)
{
    if (log->incompat & JBD2_INCOMPAT_FAST_COMMIT)
        return refuse(-BM_EOPNOTSUPP, "its journal may have fast commits: e2fsck is to replay it", why);
    if (old_checksums)
        return refuse(-BM_EOPNOTSUPP, "its journal has checksums before version 3: e2fsck is to replay it",
                      why);
    if (log->incompat & ~(uint32_t)KNOWN)
        return refuse(-BM_EOPNOTSUPP, "its journal has a feature that is not known here", why);
    return 0;
}

uint32_t bm_ext4_log_super_checksum(const uint8_t *super)
{
    uint8_t copy[JBD2_S_SIZE];
    __builtin_memcpy(copy, super, sizeof copy);
    jbd2_put32(copy + JBD2_S_CHECKSUM, 0);
    return bm_ext4_crc32c(~0u, copy, sizeof copy);
}

static int checksum_check(struct ext4_log *log, const uint8_t *super, const char **why)
{
    log->seed = bm_ext4_crc32c(~0u, super + JBD2_S_UUID, sizeof log->fs->super.uuid);
    if (!ext4_log_has_checksums(log))
        return 0;
    if (super[JBD2_S_CHECKSUM_TYPE] != JBD2_CRC32C)
        return refuse(-BM_EOPNOTSUPP, "its journal's kind of checksums is not known here", why);
    if (bm_ext4_log_super_checksum(super) != jbd2_get32(super + JBD2_S_CHECKSUM))
        return refuse(-BM_EIO, "the checksum of its journal's superblock is wrong", why);
    return 0;
}

static int super_parse(struct ext4_log *log, const uint8_t *super, const char **why)
{
    uint32_t kind = jbd2_get32(super + JBD2_KIND), size = log->fs->super.block_size, compat;
    if (jbd2_get32(super) != (uint32_t)JBD2_MAGIC || (kind != JBD2_SUPER_1 && kind != JBD2_SUPER_2))
        return refuse(-BM_EIO, "its journal has no superblock", why);
    log->has_features = kind == JBD2_SUPER_2;
    compat = log->has_features ? jbd2_get32(super + JBD2_S_COMPAT) : 0;
    log->incompat = log->has_features ? jbd2_get32(super + JBD2_S_INCOMPAT) : 0;
    int error =
        features_check(log, compat & JBD2_COMPAT_CHECKSUM || log->incompat & JBD2_INCOMPAT_CSUM_V2, why);
    if (!error)
        error = checksum_check(log, super, why);
    if (error)
        return error;
    log->first = jbd2_get32(super + JBD2_S_FIRST);
    log->last = jbd2_get32(super + JBD2_S_LENGTH);
    log->start = jbd2_get32(super + JBD2_S_START);
    log->sequence = jbd2_get32(super + JBD2_S_SEQUENCE);
    log->error = jbd2_get32(super + JBD2_S_ERROR);
    if (jbd2_get32(super + JBD2_S_BLOCK_SIZE) != size || log->first == 0 ||
        log->last > log->file.size / size || log->last > log->fs->super.blocks || log->first >= log->last ||
        (log->start && (log->start < log->first || log->start >= log->last)))
        return refuse(-BM_EIO, "its journal's superblock is wrong", why);
    return 0;
}

int bm_ext4_log_open(struct ext4_log *log, struct ext4_fs *fs, uint8_t *data, const char **why)
{
    *log = (struct ext4_log){.fs = fs};
    *why = "its journal cannot be read";
    int error = bm_ext4_inode_get(fs, fs->super.journal, &log->file);
    if (!error && (log->file.mode & BM_FILE_TYPE) != BM_FILE_REGULAR)
        error = -BM_EIO;
    if (!error)
        error = bm_ext4_log_read(log, 0, data);
    return error ? error : super_parse(log, data, why);
}

int bm_ext4_log_super_write(const struct ext4_log *log, uint8_t *data)
{
    const struct ext4_disk *disk = log->fs->disk;
    uint64_t place;
    if (ext4_log_has_checksums(log))
        jbd2_put32(data + JBD2_S_CHECKSUM, bm_ext4_log_super_checksum(data));
    int error = bm_ext4_log_place(log, 0, &place);
    return error ? error : disk->write(disk->arg, place, data, log->fs->super.block_size);
}
