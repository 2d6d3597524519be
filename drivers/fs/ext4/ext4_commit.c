// Commits and checkpoints: the running transaction goes to the journal, and what is there to its place.
// SPDX-License-Identifier: MIT
//
// The log begins anew at its first block after each checkpoint, so it never wraps: a transaction that has no
// room behind the last one is preceded by a checkpoint (bm_ext4_operation_begin). Sequence numbers go on, so
// blocks that an older log left behind are never taken for the new one's.
#include "ext4_write.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/inode.h>

static const uint64_t SECOND = 1000000000;

// --- The log ---

static uint32_t tail_size(const struct ext4_log *log)
{
    return ext4_log_has_checksums(log) ? JBD2_TAIL : 0;
}

static uint32_t tag_size(const struct ext4_log *log)
{
    if (ext4_log_has_checksums(log))
        return JBD2_T_SIZE_V3;
    return log->incompat & JBD2_INCOMPAT_64BIT ? JBD2_T_SIZE + 4 : JBD2_T_SIZE;
}

// Blocks that one descriptor describes.
static uint32_t tags_max(const struct ext4_fs *fs)
{
    const struct ext4_log *log = &fs->transactions->log;
    return (fs->super.block_size - JBD2_HEAD - JBD2_T_UUID - tail_size(log)) / tag_size(log);
}

static uint32_t revocations_max(const struct ext4_fs *fs)
{
    const struct ext4_log *log = &fs->transactions->log;
    uint32_t word = log->incompat & JBD2_INCOMPAT_64BIT ? 8 : 4;
    return (fs->super.block_size - JBD2_R_FIRST - tail_size(log)) / word;
}

// Each block is described or revoked, which takes less room; two blocks that are not full, and the commit.
uint32_t bm_ext4_commit_size(const struct ext4_fs *fs, uint32_t blocks)
{
    return blocks + blocks / tags_max(fs) + blocks / revocations_max(fs) + 3;
}

static int staging_write(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    size_t size = (size_t)all->staged << fs->super.block_bits;
    all->staged = 0;
    return size ? fs->disk->write(fs->disk->arg, all->staged_place, all->staging, size) : 0;
}

// Adds a block to the log; with `escapes` without the number by which the log's own blocks are known.
static int log_add(struct ext4_fs *fs, const uint8_t *block, bool escapes)
{
    struct ext4_transactions *all = fs->transactions;
    uint32_t size = fs->super.block_size;
    uint64_t place;
    BM_ASSERT(all->head < all->log.last, "a transaction must fit into the log");
    int error = bm_ext4_log_place(&all->log, all->head++, &place);
    if (!error && all->staged &&
        (all->staged == EXT4_STAGING_BLOCKS ||
         place != all->staged_place + ((uint64_t)all->staged << fs->super.block_bits)))
        error = staging_write(fs);
    if (error)
        return error;
    if (all->staged == 0)
        all->staged_place = place;
    uint8_t *to = all->staging + (size_t)size * all->staged++;
    __builtin_memcpy(to, block, size);
    if (escapes)
        jbd2_put32(to, 0);
    return 0;
}

static uint8_t *head_make(struct ext4_transactions *all, enum jbd2_kind kind)
{
    __builtin_memset(all->block, 0, EXT4_BLOCK_MAX);
    jbd2_put32(all->block, (uint32_t)JBD2_MAGIC);
    jbd2_put32(all->block + JBD2_KIND, kind);
    jbd2_put32(all->block + JBD2_TRANSACTION, all->sequence);
    return all->block;
}

// Adds a descriptor or a revocation, with the checksum at its end.
static int head_add(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    uint32_t size = fs->super.block_size;
    if (ext4_log_has_checksums(&all->log))
        jbd2_put32(all->block + size - JBD2_TAIL, bm_ext4_crc32c(all->log.seed, all->block, size));
    return log_add(fs, all->block, false);
}

// --- What a transaction writes ---

static bool is_logged(const struct ext4_buffer *buffer)
{
    return (buffer->state & (EXT4_BUFFER_JOINED | EXT4_BUFFER_FORGOTTEN)) == EXT4_BUFFER_JOINED;
}

// Freed, while it is in the log.
static bool is_revoked(const struct ext4_buffer *buffer)
{
    return buffer->state & EXT4_BUFFER_FORGOTTEN && buffer->state & EXT4_BUFFER_PINNED;
}

static bool is_escaped(const struct ext4_buffer *buffer)
{
    return jbd2_get32(buffer->data) == (uint32_t)JBD2_MAGIC;
}

static int revocations_write(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    bool wide = all->log.incompat & JBD2_INCOMPAT_64BIT;
    uint32_t at = 0, end = fs->super.block_size - tail_size(&all->log);
    int error = 0;
    for (struct ext4_buffer *buffer = all->buffers; buffer && !error; buffer = buffer->listed) {
        if (!is_revoked(buffer))
            continue;
        if (at == 0) {
            head_make(all, JBD2_REVOKE);
            at = JBD2_R_FIRST;
        }
        if (wide)
            jbd2_put32(all->block + at, (uint32_t)(buffer->block >> 32));
        jbd2_put32(all->block + at + (wide ? 4 : 0), (uint32_t)buffer->block);
        at += wide ? 8 : 4;
        jbd2_put32(all->block + JBD2_R_SIZE, at);
        all->revocations++;
        if (at + (wide ? 8 : 4) > end) {
            error = head_add(fs);
            at = 0;
        }
    }
    return !error && at ? head_add(fs) : error;
}

static uint32_t block_checksum(const struct ext4_fs *fs, const struct ext4_buffer *buffer)
{
    const struct ext4_transactions *all = fs->transactions;
    static const uint8_t zeros[4];
    uint8_t word[4];
    bool escaped = is_escaped(buffer);
    jbd2_put32(word, all->sequence);
    uint32_t crc = bm_ext4_crc32c(all->log.seed, word, sizeof word);
    crc = bm_ext4_crc32c(crc, escaped ? zeros : buffer->data, sizeof zeros);
    return bm_ext4_crc32c(crc, buffer->data + sizeof zeros, fs->super.block_size - sizeof zeros);
}

// Puts a tag at `at` of the descriptor; returns where the next one goes.
static uint8_t *tag_put(const struct ext4_fs *fs, uint8_t *at, const struct ext4_buffer *buffer, bool first)
{
    const struct ext4_log *log = &fs->transactions->log;
    uint32_t flags = (first ? 0 : JBD2_TAG_SAME) | (is_escaped(buffer) ? JBD2_TAG_ESCAPED : 0);
    jbd2_put32(at + JBD2_T_BLOCK, (uint32_t)buffer->block);
    if (ext4_log_has_checksums(log)) {
        jbd2_put32(at + JBD2_T_FLAGS, flags);
        jbd2_put32(at + JBD2_T_CHECKSUM, block_checksum(fs, buffer));
    } else {
        jbd2_put16(at + JBD2_T_FLAGS_16, flags);
    }
    if (log->incompat & JBD2_INCOMPAT_64BIT)
        jbd2_put32(at + JBD2_T_BLOCK_HIGH, (uint32_t)(buffer->block >> 32));
    at += tag_size(log);
    if (first)
        __builtin_memcpy(at, fs->transactions->super + JBD2_S_UUID, JBD2_T_UUID);
    return first ? at + JBD2_T_UUID : at;
}

// The tag that ends at `end` is the descriptor's last one.
static void tag_end(const struct ext4_fs *fs, uint8_t *end, bool first)
{
    const struct ext4_log *log = &fs->transactions->log;
    uint8_t *at = end - tag_size(log) - (first ? JBD2_T_UUID : 0);
    if (ext4_log_has_checksums(log))
        jbd2_put32(at + JBD2_T_FLAGS, jbd2_get32(at + JBD2_T_FLAGS) | JBD2_TAG_LAST);
    else
        jbd2_put16(at + JBD2_T_FLAGS_16, jbd2_get16(at + JBD2_T_FLAGS_16) | JBD2_TAG_LAST);
}

static int blocks_write(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    struct ext4_buffer *from = all->buffers, *buffer;
    int error = 0;
    while (!error) {
        uint32_t count = 0;
        uint8_t *at = head_make(all, JBD2_DESCRIPTOR) + JBD2_HEAD;
        for (buffer = from; buffer && count < tags_max(fs); buffer = buffer->listed)
            if (is_logged(buffer))
                at = tag_put(fs, at, buffer, count++ == 0);
        if (count == 0)
            break;
        tag_end(fs, at, count == 1);
        error = head_add(fs);
        for (; from != buffer && !error; from = from->listed)
            if (is_logged(from))
                error = log_add(fs, from->data, is_escaped(from));
    }
    return error;
}

static int commit_block_write(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    uint64_t now = (uint64_t)fs->disk->now(fs->disk->arg);
    if (now / SECOND > all->seconds) // a replay takes an older one for the end of the log
        all->seconds = now / SECOND;
    uint8_t *block = head_make(all, JBD2_COMMIT);
    jbd2_put32(block + JBD2_C_SECONDS, (uint32_t)(all->seconds >> 32));
    jbd2_put32(block + JBD2_C_SECONDS + 4, (uint32_t)all->seconds);
    jbd2_put32(block + JBD2_C_NANOSECONDS, (uint32_t)(now % SECOND));
    if (ext4_log_has_checksums(&all->log))
        jbd2_put32(block + JBD2_C_CHECKSUM, bm_ext4_crc32c(all->log.seed, block, fs->super.block_size));
    int error = log_add(fs, block, false);
    return error ? error : staging_write(fs);
}

// --- Commits ---

static int super_write(struct ext4_fs *fs, uint32_t start)
{
    struct ext4_transactions *all = fs->transactions;
    jbd2_put32(all->super + JBD2_S_START, start);
    jbd2_put32(all->super + JBD2_S_SEQUENCE, all->sequence);
    return bm_ext4_log_super_write(&all->log, all->super);
}

// What is written must be safe before the commit is, and the commit before anybody relies on it.
static int transaction_write(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    const struct ext4_disk *disk = fs->disk;
    int error = all->empty ? super_write(fs, all->head) : 0;
    if (!error)
        error = revocations_write(fs);
    if (!error)
        error = blocks_write(fs);
    if (!error)
        error = staging_write(fs);
    if (!error)
        error = disk->flush(disk->arg);
    if (!error)
        error = commit_block_write(fs);
    return error ? error : disk->flush(disk->arg);
}

int bm_ext4_commit(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    if (all->error)
        return -BM_EROFS;
    BM_ASSERT(!all->running, "an operation must be ended before a commit");
    int error = all->joined ? transaction_write(fs) : fs->disk->flush(fs->disk->arg);
    if (error)
        return bm_ext4_abort(fs, error);
    if (!all->joined)
        return 0;
    all->empty = all->frees = false;
    all->sequence++;
    all->joined = all->pinned = 0;
    for (struct ext4_buffer *buffer = all->buffers; buffer; buffer = buffer->listed) {
        bm_inode_memory_free(buffer->committed, EXT4_BLOCK_MAX);
        buffer->committed = NULL;
        buffer->state = buffer->state & EXT4_BUFFER_FORGOTTEN ? 0 : EXT4_BUFFER_PINNED;
        all->pinned += buffer->state == EXT4_BUFFER_PINNED;
    }
    bm_ext4_buffers_sweep(fs);
    return 0;
}

static int places_write(struct ext4_fs *fs)
{
    const struct ext4_disk *disk = fs->disk;
    int error = 0;
    for (struct ext4_buffer *buffer = fs->transactions->buffers; buffer && !error; buffer = buffer->listed)
        error =
            disk->write(disk->arg, buffer->block << fs->super.block_bits, buffer->data, fs->super.block_size);
    return error ? error : disk->flush(disk->arg);
}

int bm_ext4_checkpoint(struct ext4_fs *fs)
{
    struct ext4_transactions *all = fs->transactions;
    if (all->error)
        return -BM_EROFS;
    BM_ASSERT(!all->joined && !all->running, "what is not committed must not go to its place");
    if (all->empty)
        return 0;
    int error = places_write(fs);
    if (!error)
        error = super_write(fs, 0);
    if (!error)
        error = fs->disk->flush(fs->disk->arg);
    if (error)
        return bm_ext4_abort(fs, error);
    for (struct ext4_buffer *buffer = all->buffers; buffer; buffer = buffer->listed)
        buffer->state = 0;
    bm_ext4_buffers_sweep(fs);
    all->pinned = 0;
    all->head = all->log.first;
    all->empty = true;
    return 0;
}

int bm_ext4_abort(struct ext4_fs *fs, int error)
{
    struct ext4_transactions *all = fs->transactions;
    if (!all->error) {
        all->error = error;
        fs->read_only = true;
        fs->disk->report(fs->disk->arg, "error %lu ended the journal: it can only be read from now on",
                         (uint64_t)-error);
        jbd2_put32(all->super + JBD2_S_ERROR, (uint32_t)error);
        if (!bm_ext4_log_super_write(&all->log, all->super))
            (void)fs->disk->flush(fs->disk->arg); // it has failed already
    }
    return error;
}
