// Replaying the journal: what was committed and did not reach its place before the power went.
// SPDX-License-Identifier: MIT
//
// Three rounds over the log, as in Linux: the first finds where it ends, the second which blocks are revoked
// and until when, the third writes. Nothing is changed in the log until all has been written and flushed, so
// a replay that is cut off begins anew.
#include "ext4_log.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

enum { REVOKE_BUCKETS = 256 };

enum round { FIND_END, REVOKE, WRITE };

// A block that is not to be replayed from transactions up to `transaction`.
struct revoked {
    struct revoked *chain;
    uint64_t block;
    uint32_t transaction;
};

struct replay {
    struct ext4_fs *fs;
    struct ext4_log log;
    uint32_t end;          // transaction behind the last one
    uint32_t left;         // blocks that this round has not seen: no more than the log has
    uint64_t seconds;      // time of the last commit of this round
    uint8_t *block, *data; // one of the log: what describes, and what is described
    struct revoked *revoked[REVOKE_BUCKETS];
};

static bool has_checksums(const struct replay *replay)
{
    return ext4_log_has_checksums(&replay->log);
}

static uint32_t log_next(const struct replay *replay, uint32_t at)
{
    return at + 1 < replay->log.last ? at + 1 : replay->log.first;
}

// --- Revocations ---

static int revoke(struct replay *replay, uint64_t block, uint32_t transaction)
{
    struct revoked **bucket = &replay->revoked[block % REVOKE_BUCKETS], *at = *bucket;
    while (at && at->block != block)
        at = at->chain;
    if (at) {
        if ((int32_t)(transaction - at->transaction) > 0)
            at->transaction = transaction;
        return 0;
    }
    at = bm_inode_memory_allocate(sizeof *at);
    if (!at)
        return -BM_ENOMEM;
    *at = (struct revoked){.chain = *bucket, .block = block, .transaction = transaction};
    *bucket = at;
    return 0;
}

static bool is_revoked(const struct replay *replay, uint64_t block, uint32_t transaction)
{
    const struct revoked *at = replay->revoked[block % REVOKE_BUCKETS];
    while (at && at->block != block)
        at = at->chain;
    return at && (int32_t)(transaction - at->transaction) <= 0;
}

// The checksum at the end of a descriptor or a revocation.
static bool tail_is_right(const struct replay *replay, uint8_t *block)
{
    uint32_t size = replay->fs->super.block_size;
    uint8_t *tail = block + size - JBD2_TAIL;
    uint32_t said = jbd2_get32(tail);
    if (!has_checksums(replay))
        return true;
    jbd2_put32(tail, 0);
    uint32_t crc = bm_ext4_crc32c(replay->log.seed, block, size);
    jbd2_put32(tail, said);
    return crc == said;
}

static int revoke_all(struct replay *replay, uint32_t transaction)
{
    uint32_t size = jbd2_get32(replay->block + JBD2_R_SIZE),
             wide = replay->log.incompat & JBD2_INCOMPAT_64BIT;
    uint32_t word = wide ? 8 : 4,
             room = replay->fs->super.block_size - (has_checksums(replay) ? JBD2_TAIL : 0);
    if (size < JBD2_R_FIRST || size > room)
        return bm_ext4_damaged(replay->fs, "the journal's transaction %lu revokes too much", transaction);
    for (uint32_t at = JBD2_R_FIRST; at + word <= size; at += word) {
        const uint8_t *entry = replay->block + at;
        uint64_t block = wide ? ext4_get64(jbd2_get32(entry + 4), jbd2_get32(entry)) : jbd2_get32(entry);
        int error = revoke(replay, block, transaction);
        if (error)
            return error;
    }
    return 0;
}

// --- Blocks ---

struct tag {
    uint64_t block;
    uint32_t flags, checksum, size; // bytes of the tag
};

static struct tag tag_read(const struct replay *replay, const uint8_t *at)
{
    bool wide = replay->log.incompat & JBD2_INCOMPAT_64BIT, third = has_checksums(replay);
    struct tag tag = {.size = third ? JBD2_T_SIZE_V3 : wide ? JBD2_T_SIZE + 4 : JBD2_T_SIZE};
    tag.flags = third ? jbd2_get32(at + JBD2_T_FLAGS) : jbd2_get16(at + JBD2_T_FLAGS_16);
    tag.checksum = third ? jbd2_get32(at + JBD2_T_CHECKSUM) : 0;
    tag.block = ext4_get64(jbd2_get32(at + JBD2_T_BLOCK), wide ? jbd2_get32(at + JBD2_T_BLOCK_HIGH) : 0);
    if (!(tag.flags & JBD2_TAG_SAME))
        tag.size += JBD2_T_UUID;
    return tag;
}

// Writes the block of the log at `at` to its place.
static int write_one(struct replay *replay, const struct tag *tag, uint32_t at, uint32_t transaction)
{
    struct ext4_fs *fs = replay->fs;
    uint32_t size = fs->super.block_size;
    uint8_t word[4];
    if (tag->block >= fs->super.blocks)
        return bm_ext4_damaged(fs, "the journal has block %lu, which is beyond the end", tag->block);
    int error = bm_ext4_log_read(&replay->log, at, replay->data);
    if (error)
        return error;
    jbd2_put32(word, transaction);
    uint32_t crc = bm_ext4_crc32c(bm_ext4_crc32c(replay->log.seed, word, sizeof word), replay->data, size);
    if (has_checksums(replay) && tag->checksum != crc)
        return bm_ext4_damaged(fs, "the checksum of block %lu in the journal is wrong", tag->block);
    if (tag->flags & JBD2_TAG_ESCAPED)
        jbd2_put32(replay->data, (uint32_t)JBD2_MAGIC);
    return fs->disk->write(fs->disk->arg, tag->block << fs->super.block_bits, replay->data, size);
}

// The blocks of a descriptor: *at goes on behind them.
static int descriptor_read(struct replay *replay, enum round round, uint32_t transaction, uint32_t *at)
{
    uint32_t end = replay->fs->super.block_size - (has_checksums(replay) ? JBD2_TAIL : 0);
    uint32_t place = JBD2_HEAD, min = has_checksums(replay)                        ? JBD2_T_SIZE_V3
                                      : replay->log.incompat & JBD2_INCOMPAT_64BIT ? JBD2_T_SIZE + 4
                                                                                   : JBD2_T_SIZE;
    while (place + min <= end && replay->left > 1) {
        struct tag tag = tag_read(replay, replay->block + place);
        int error = round == WRITE && !is_revoked(replay, tag.block, transaction)
                        ? write_one(replay, &tag, *at, transaction)
                        : 0;
        if (error)
            return error;
        *at = log_next(replay, *at);
        replay->left--;
        place += tag.size;
        if (tag.flags & JBD2_TAG_LAST)
            break;
    }
    return 0;
}

static bool commit_is_right(const struct replay *replay)
{
    uint8_t *checksum = replay->block + JBD2_C_CHECKSUM;
    uint32_t said = jbd2_get32(checksum);
    if (!has_checksums(replay))
        return true;
    jbd2_put32(checksum, 0);
    return bm_ext4_crc32c(replay->log.seed, replay->block, replay->fs->super.block_size) == said;
}

// A commit. With a wrong checksum in its transaction, one that is not older than the last right one is
// damage: what was committed must not be given up. An older one was left by a log that was here before.
static int commit_read(struct replay *replay, bool right, uint32_t transaction)
{
    const uint8_t *at = replay->block + JBD2_C_SECONDS;
    uint64_t seconds = ext4_get64(jbd2_get32(at + 4), jbd2_get32(at));
    if (right)
        replay->seconds = seconds;
    else if (seconds >= replay->seconds)
        return bm_ext4_damaged(replay->fs, "a checksum of the journal's transaction %lu is wrong",
                               transaction);
    return 0;
}

// Goes over the log once. The end is where the next block is not of the transaction that must follow; a
// transaction without a commit has not happened.
static int go_over(struct replay *replay, enum round round)
{
    uint32_t at = replay->log.start, transaction = replay->log.sequence;
    bool right = true;
    replay->seconds = 0;
    for (replay->left = replay->log.last - replay->log.first; replay->left; replay->left--) {
        if (round != FIND_END && transaction == replay->end)
            return 0;
        int error = bm_ext4_log_read(&replay->log, at, replay->block);
        if (error)
            return error;
        if (jbd2_get32(replay->block) != (uint32_t)JBD2_MAGIC ||
            jbd2_get32(replay->block + JBD2_TRANSACTION) != transaction)
            break;
        uint32_t kind = jbd2_get32(replay->block + JBD2_KIND);
        at = log_next(replay, at);
        if (kind == JBD2_DESCRIPTOR || kind == JBD2_REVOKE)
            right = right && tail_is_right(replay, replay->block);
        else if (kind == JBD2_COMMIT)
            error = commit_read(replay, right = right && commit_is_right(replay), transaction);
        else
            break;
        if (!error && !right && (round != FIND_END || kind == JBD2_COMMIT))
            break;
        if (kind == JBD2_DESCRIPTOR)
            error = descriptor_read(replay, round, transaction, &at);
        else if (kind == JBD2_REVOKE && round == REVOKE)
            error = revoke_all(replay, transaction);
        if (error)
            return error;
        transaction += kind == JBD2_COMMIT;
    }
    if (round == FIND_END)
        replay->end = transaction;
    return transaction == replay->end
               ? 0
               : bm_ext4_damaged(replay->fs, "the journal's transaction %lu is damaged", transaction);
}

// The log is empty from now on.
static int super_clear(struct replay *replay)
{
    int error = bm_ext4_log_read(&replay->log, 0, replay->data);
    if (error)
        return error;
    jbd2_put32(replay->data + JBD2_S_START, 0);
    jbd2_put32(replay->data + JBD2_S_SEQUENCE, replay->end + 1);
    return bm_ext4_log_super_write(&replay->log, replay->data);
}

static void end(struct replay *replay)
{
    for (unsigned i = 0; i < REVOKE_BUCKETS; i++)
        for (struct revoked *at = replay->revoked[i], *next; at; at = next) {
            next = at->chain;
            bm_inode_memory_free(at, sizeof *at);
        }
    bm_inode_memory_free(replay->block, EXT4_BLOCK_MAX);
    bm_inode_memory_free(replay->data, EXT4_BLOCK_MAX);
    bm_inode_memory_free(replay, sizeof *replay);
}

static int begin(struct replay *replay, const char **why)
{
    replay->block = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    replay->data = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    if (!replay->block || !replay->data)
        return -BM_ENOMEM;
    return bm_ext4_log_open(&replay->log, replay->fs, replay->data, why);
}

static int replay_all(struct replay *replay, const char **why)
{
    const struct ext4_disk *disk = replay->fs->disk;
    *why = "its journal cannot be replayed";
    int error = 0;
    for (enum round round = FIND_END; !error && replay->log.start && round <= WRITE; round++)
        error = go_over(replay, round);
    if (!error)
        error = disk->flush(disk->arg);
    if (!error && replay->log.start)
        error = super_clear(replay);
    return error ? error : disk->flush(disk->arg);
}

int bm_ext4_replay(struct ext4_fs *fs, const char **why)
{
    struct replay *replay = bm_inode_memory_allocate(sizeof *replay);
    if (!replay)
        return -BM_ENOMEM;
    replay->fs = fs;
    int error = begin(replay, why);
    if (!error)
        error = replay_all(replay, why);
    end(replay);
    return error;
}
