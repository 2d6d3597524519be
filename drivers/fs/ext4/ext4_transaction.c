// Transactions: which blocks the running one has changed, and how an operation is taken back.
// SPDX-License-Identifier: MIT
#include "ext4_write.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/inode.h>

enum { MIN_LOG = 64 }; // blocks, so that any operation fits

// --- Buffers ---

static void list(struct ext4_transactions *all, struct ext4_buffer *buffer)
{
    buffer->references++;
    buffer->listed = all->buffers;
    all->buffers = buffer;
}

void bm_ext4_buffers_sweep(struct ext4_fs *fs)
{
    struct ext4_buffer **link = &fs->transactions->buffers;
    while (*link) {
        struct ext4_buffer *buffer = *link;
        if (buffer->state) {
            link = &buffer->listed;
            continue;
        }
        *link = buffer->listed;
        buffer->listed = NULL;
        bm_inode_memory_free(buffer->committed, EXT4_BLOCK_MAX);
        buffer->committed = NULL;
        bm_ext4_buffer_put(fs, buffer);
    }
}

static int change(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    struct ext4_transactions *all = fs->transactions;
    BM_ASSERT(all && all->running, "a buffer must be changed within an operation");
    bool joins = !(buffer->state & EXT4_BUFFER_JOINED);
    if (!buffer->undo) {
        if (joins && all->head + bm_ext4_commit_size(fs, all->joined + 1) > all->log.last)
            return -BM_ENOSPC;
        buffer->undo = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
        if (!buffer->undo)
            return -BM_ENOMEM;
        __builtin_memcpy(buffer->undo, buffer->data, fs->super.block_size);
        buffer->undo_state = buffer->state;
        buffer->undo_checked = buffer->checked;
        buffer->changed = all->changed;
        all->changed = buffer;
        all->changes++;
    }
    if (!buffer->state)
        list(all, buffer);
    all->joined += joins;
    buffer->state = (buffer->state | EXT4_BUFFER_JOINED) & ~(uint32_t)EXT4_BUFFER_FORGOTTEN;
    return 0;
}

int bm_ext4_buffer_change(struct ext4_fs *fs, struct ext4_buffer *buffer, enum ext4_role role)
{
    if (buffer->undo && buffer->role && buffer->role != role)
        return bm_ext4_damaged(fs, "block %lu is two things at once", buffer->block);
    int error = change(fs, buffer);
    if (error)
        return error;
    buffer->role = role;
    buffer->checked &= role;
    fs->names_changes += role == EXT4_ROLE_DIRECTORY || role == EXT4_ROLE_INDEX;
    return 0;
}

int bm_ext4_bitmap_change(struct ext4_fs *fs, struct ext4_buffer *buffer, enum ext4_role role)
{
    if (!buffer->committed) {
        uint8_t *copy = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
        if (!copy)
            return -BM_ENOMEM;
        __builtin_memcpy(copy, buffer->data, fs->super.block_size);
        int error = bm_ext4_buffer_change(fs, buffer, role);
        if (error)
            bm_inode_memory_free(copy, EXT4_BLOCK_MAX);
        else
            buffer->committed = copy;
        return error;
    }
    return bm_ext4_buffer_change(fs, buffer, role);
}

int bm_ext4_buffer_new(struct ext4_fs *fs, uint64_t block, enum ext4_role role, struct ext4_buffer **buffer)
{
    int error = bm_ext4_buffer_hold(fs, block, buffer);
    if (error)
        return error;
    if ((*buffer)->references > 1u + ((*buffer)->state != 0)) // somebody beside the list and this one
        error = bm_ext4_damaged(fs, "block %lu was free and is in use", block);
    if (!error)
        error = bm_ext4_buffer_change(fs, *buffer, role);
    if (error) {
        bm_ext4_buffer_put(fs, *buffer);
        *buffer = NULL;
        return error;
    }
    __builtin_memset((*buffer)->data, 0, EXT4_BLOCK_MAX);
    (*buffer)->checked = 0;
    return 0;
}

int bm_ext4_buffer_forget(struct ext4_fs *fs, uint64_t block)
{
    struct ext4_buffer *buffer = bm_ext4_buffer_find(fs, block);
    if (!buffer || !buffer->state)
        return 0;
    int error = change(fs, buffer);
    if (!error)
        buffer->state |= EXT4_BUFFER_FORGOTTEN;
    return error;
}

// --- Operations ---

// Room for that many blocks more than the running transaction has.
static bool has_room(const struct ext4_fs *fs, uint32_t blocks)
{
    const struct ext4_transactions *all = fs->transactions;
    return bm_ext4_commit_size(fs, all->joined + blocks) <= all->log.last - all->head;
}

int bm_ext4_operation_begin(struct ext4_fs *fs, uint32_t blocks)
{
    struct ext4_transactions *all = fs->transactions;
    if (!all || all->error)
        return -BM_EROFS;
    BM_ASSERT(!all->running, "an operation must be ended before the next begins");
    bool many = all->pinned + all->joined > fs->buffers_max / 2;
    if (!has_room(fs, blocks) || many) {
        int error = bm_ext4_commit(fs);
        if (!error && (many || !has_room(fs, blocks)))
            error = bm_ext4_checkpoint(fs);
        if (error)
            return error;
    }
    if (!has_room(fs, blocks))
        return -BM_ENOSPC;
    all->running = true;
    all->changes = 0;
    return 0;
}

static void take_back(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    bool was = buffer->undo_state & EXT4_BUFFER_JOINED, is = buffer->state & EXT4_BUFFER_JOINED;
    fs->transactions->joined -= is && !was;
    __builtin_memcpy(buffer->data, buffer->undo, fs->super.block_size);
    buffer->state = buffer->undo_state;
    buffer->checked = buffer->undo_checked;
}

int bm_ext4_operation_end(struct ext4_fs *fs, int error)
{
    struct ext4_transactions *all = fs->transactions;
    BM_ASSERT(all->running, "an operation must have begun");
    for (struct ext4_buffer *buffer = all->changed, *next; buffer; buffer = next) {
        next = buffer->changed;
        if (error)
            take_back(fs, buffer);
        bm_inode_memory_free(buffer->undo, EXT4_BLOCK_MAX);
        buffer->undo = NULL;
        buffer->changed = NULL;
        buffer->role = 0;
    }
    all->changed = NULL;
    all->running = false;
    if (error) {
        bm_ext4_buffers_sweep(fs);
        fs->names_changes++;
    }
    return error;
}

// --- Beginning and end ---

static void release(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    for (struct ext4_buffer *buffer = all->buffers; buffer; buffer = buffer->listed)
        buffer->state = 0;
    bm_ext4_buffers_sweep(fs);
    bm_ext4_log_runs_end(&all->log);
    bm_inode_memory_free(all->super, EXT4_BLOCK_MAX);
    bm_inode_memory_free(all->block, EXT4_BLOCK_MAX);
    bm_inode_memory_free(all->staging, EXT4_STAGING_BLOCKS * EXT4_BLOCK_MAX);
    bm_inode_memory_free(all, sizeof *all);
    bm_ext4_zones_end(fs);
    fs->transactions = NULL;
}

static int refuse(const char *sentence, const char **why)
{
    *why = sentence;
    return -BM_EROFS;
}

// The superblock, which lies in the first or second block, or in the middle of the first one.
static int super_set_recover(struct ext4_fs *fs, bool set)
{
    struct ext4_buffer *buffer;
    uint32_t size = fs->super.block_size;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / size, &buffer);
    if (error)
        return error;
    uint8_t *super = buffer->data + EXT4_SUPER_OFFSET % size;
    uint32_t incompat = ext4_get32(super + EXT4_S_INCOMPAT) & ~(uint32_t)EXT4_INCOMPAT_RECOVER;
    uint32_t now = (uint32_t)(fs->disk->now(fs->disk->arg) / 1000000000);
    ext4_put32(super + EXT4_S_INCOMPAT, incompat | (set ? EXT4_INCOMPAT_RECOVER : 0));
    ext4_put32(super + EXT4_S_WRITTEN, now);
    if (set)
        ext4_put32(super + EXT4_S_MOUNTED, now);
    if (ext4_has_checksums(fs))
        ext4_put32(super + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super, EXT4_S_CHECKSUM));
    buffer->checked = 0;
    const struct ext4_disk *disk = fs->disk;
    error = disk->write(disk->arg, buffer->block << fs->super.block_bits, buffer->data, size);
    bm_ext4_buffer_put(fs, buffer);
    return error ? error : disk->flush(disk->arg);
}

// The features that Linux would choose. The log is empty, so they may change.
static int features_choose(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    struct ext4_log *log = &all->log;
    log->incompat |= JBD2_INCOMPAT_REVOKE;
    if (fs->super.incompat & EXT4_INCOMPAT_64BIT)
        log->incompat |= JBD2_INCOMPAT_64BIT;
    if (ext4_has_checksums(fs)) {
        log->incompat |= JBD2_INCOMPAT_CSUM_V3;
        all->super[JBD2_S_CHECKSUM_TYPE] = JBD2_CRC32C;
    }
    jbd2_put32(all->super + JBD2_S_INCOMPAT, log->incompat);
    return bm_ext4_log_super_write(log, all->super);
}

static int open_log(struct ext4_fs *fs, const char **why)
{
    struct ext4_transactions *all = fs->transactions;
    int error = bm_ext4_log_open(&all->log, fs, all->super, why);
    if (error)
        return error == -BM_ENOMEM ? error : -BM_EROFS; // reading goes without it
    if (!all->log.has_features)
        return refuse("its journal is of an old version", why);
    if (all->log.error)
        return refuse("its journal was ended by an error: e2fsck is to check it", why);
    if (all->log.start)
        return refuse("its journal is not empty", why);
    if (all->log.last - all->log.first < MIN_LOG)
        return refuse("its journal is too small", why);
    all->head = all->log.first;
    all->sequence = all->log.sequence;
    all->empty = true;
    *why = "its journal cannot be written";
    error = bm_ext4_log_runs_begin(&all->log);
    if (!error)
        error = features_choose(fs);
    return error ? error : super_set_recover(fs, true);
}

static int tables_read(struct ext4_fs *fs, const char **why)
{
    int error = bm_ext4_zones_begin(fs);
    return error && error != -BM_ENOMEM
               ? refuse("the tables of its groups are damaged: e2fsck is to check it", why)
               : error;
}

int bm_ext4_transactions_begin(struct ext4_fs *fs, const char **why)
{
    if (!(fs->super.compat & EXT4_COMPAT_JOURNAL) || !fs->super.journal)
        return refuse("it has no journal: tune2fs -j makes one", why);
    if (fs->disk->read_only)
        return refuse("the disk is", why);
    struct ext4_transactions *all = fs->transactions = bm_inode_memory_allocate(sizeof *all);
    if (!all)
        return -BM_ENOMEM;
    all->super = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    all->block = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    all->staging = bm_inode_memory_allocate(EXT4_STAGING_BLOCKS * EXT4_BLOCK_MAX);
    int error = all->super && all->block && all->staging ? 0 : -BM_ENOMEM;
    if (!error)
        error = tables_read(fs, why);
    if (!error)
        error = open_log(fs, why);
    if (error)
        release(fs);
    else if (bm_ext4_counts_set(fs)) {
        (void)bm_ext4_transactions_end(fs); // the first error is told
        error = refuse("its free blocks cannot be counted: e2fsck is to check it", why);
    }
    return error;
}

int bm_ext4_transactions_end(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    if (!all)
        return 0;
    int error = all->error ? all->error : bm_ext4_commit(fs);
    if (!error)
        error = bm_ext4_checkpoint(fs);
    if (!error)
        error = super_set_recover(fs, false);
    release(fs);
    return error;
}
