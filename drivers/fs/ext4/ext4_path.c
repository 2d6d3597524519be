// Ways down an extent tree, and room in it: splitting nodes, growing the tree.
// SPDX-License-Identifier: MIT
//
// The root is in the inode, which who calls writes afterwards. An index's key is the first block that the
// node below tells of, as e2fsck wants it.
#include "ext4_extent.h"

#include <baremetal/error.h>

// --- Nodes ---

uint32_t bm_ext4_path_count(const struct ext4_path *path, unsigned level)
{
    return ext4_get16(path->levels[level].node + EXT4_X_COUNT);
}

static void count_set(struct ext4_path *path, unsigned level, uint32_t count)
{
    ext4_put16(path->levels[level].node + EXT4_X_COUNT, count);
}

uint8_t *bm_ext4_path_entry(const struct ext4_path *path, unsigned level, unsigned index)
{
    return path->levels[level].node + EXT4_X_SIZE * (index + 1);
}

static bool is_full(const struct ext4_path *path, unsigned level)
{
    return bm_ext4_path_count(path, level) >= ext4_get16(path->levels[level].node + EXT4_X_MAX);
}

struct ext4_extent bm_ext4_entry_read(const uint8_t *entry)
{
    uint32_t count = ext4_get16(entry + EXT4_X_LENGTH);
    bool unwritten = count > EXT4_X_WRITTEN_MAX;
    return (struct ext4_extent){
        .first = ext4_get32(entry + EXT4_X_FIRST),
        .count = unwritten ? count - EXT4_X_WRITTEN_MAX : count,
        .block = ext4_get64(ext4_get32(entry + EXT4_X_LOW), ext4_get16(entry + EXT4_X_HIGH)),
        .unwritten = unwritten};
}

void bm_ext4_entry_write(uint8_t *entry, const struct ext4_extent *extent)
{
    ext4_put32(entry + EXT4_X_FIRST, (uint32_t)extent->first);
    ext4_put16(entry + EXT4_X_LENGTH,
               (uint32_t)extent->count + (extent->unwritten ? (uint32_t)EXT4_X_WRITTEN_MAX : 0));
    ext4_put16(entry + EXT4_X_HIGH, (uint32_t)(extent->block >> 32));
    ext4_put32(entry + EXT4_X_LOW, (uint32_t)extent->block);
}

static uint64_t below(const uint8_t *entry)
{
    return ext4_get64(ext4_get32(entry + EXT4_X_BELOW), ext4_get16(entry + EXT4_X_BELOW_HIGH));
}

// An index to `block`, of what begins at `first`.
static void index_write(uint8_t *entry, uint32_t first, uint64_t block)
{
    ext4_put32(entry + EXT4_X_FIRST, first);
    ext4_put32(entry + EXT4_X_BELOW, (uint32_t)block);
    ext4_put16(entry + EXT4_X_BELOW_HIGH, (uint32_t)(block >> 32));
    ext4_put16(entry + EXT4_X_BELOW_HIGH + 2, 0);
}

// The last entry that does not begin behind `at`; the first one if all do.
static unsigned search(const struct ext4_path *path, unsigned level, uint32_t at)
{
    unsigned low = 0, high = bm_ext4_path_count(path, level);
    while (high - low > 1 && high) {
        unsigned middle = (low + high) / 2;
        if (ext4_get32(bm_ext4_path_entry(path, level, middle)) <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void bm_ext4_path_put(struct ext4_fs *fs, struct ext4_path *path)
{
    for (unsigned i = 1; i <= EXT4_X_DEPTH_MAX; i++)
        bm_ext4_buffer_put(fs, path->levels[i].buffer);
    *path = (struct ext4_path){0};
}

int bm_ext4_path_get(struct ext4_fs *fs, struct ext4_inode *inode, uint32_t at, struct ext4_path *path)
{
    struct ext4_extent checked;
    uint64_t first = 0, end = (uint64_t)UINT32_MAX + 1;
    *path = (struct ext4_path){0};
    int error = bm_ext4_extent_map(fs, inode, at, &checked); // looks at the root, too
    path->depth = ext4_get16(inode->block + EXT4_X_DEPTH);
    path->levels[0].node = inode->block;
    for (unsigned level = 0; level <= path->depth && !error; level++) {
        unsigned index = path->levels[level].index = search(path, level, at);
        if (level == path->depth)
            break;
        const uint8_t *entry = bm_ext4_path_entry(path, level, index);
        first = ext4_get32(entry);
        if (index + 1 < bm_ext4_path_count(path, level))
            end = ext4_get32(entry + EXT4_X_SIZE);
        struct ext4_path_level *next = &path->levels[level + 1];
        error =
            bm_ext4_extent_node(fs, inode, below(entry), path->depth - level - 1, first, end, &next->buffer);
        next->node = error ? NULL : next->buffer->data;
    }
    if (error)
        bm_ext4_path_put(fs, path);
    return error;
}

int bm_ext4_path_change(struct ext4_fs *fs, struct ext4_path *path, unsigned level)
{
    return level ? bm_ext4_buffer_change(fs, path->levels[level].buffer, EXT4_ROLE_EXTENTS) : 0;
}

void bm_ext4_path_changed(struct ext4_fs *fs, const struct ext4_inode *inode, struct ext4_path *path,
                          unsigned level)
{
    uint8_t *node = path->levels[level].node;
    uint32_t tail = EXT4_X_SIZE * (ext4_get16(node + EXT4_X_MAX) + 1u);
    if (level && ext4_has_checksums(fs))
        ext4_put32(node + tail, bm_ext4_crc32c(inode->seed, node, tail));
    if (level)
        path->levels[level].buffer->checked |= EXT4_ROLE_EXTENTS;
}

// --- Room ---

// A new node of a tree.
static int node_make(struct ext4_fs *fs, struct ext4_inode *inode, uint64_t goal, struct ext4_buffer **buffer)
{
    uint64_t block;
    uint32_t one = 1;
    int error = bm_ext4_blocks_allocate(fs, goal, false, &block, &one);
    if (!error)
        error = bm_ext4_buffer_new(fs, block, EXT4_ROLE_EXTENTS, buffer);
    if (error)
        return error;
    inode->blocks += fs->super.block_size >> 9;
    ext4_put16((*buffer)->data, EXT4_X_MAGIC);
    ext4_put16((*buffer)->data + EXT4_X_MAX, fs->super.block_size / EXT4_X_SIZE - 1);
    return 0;
}

// The root's entries go into a node below it.
static int grow(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path)
{
    struct ext4_buffer *buffer;
    if (path->depth == EXT4_X_DEPTH_MAX)
        return -BM_EFBIG;
    uint8_t *root = inode->block, *first = bm_ext4_path_entry(path, 0, 0);
    uint64_t near = path->depth ? below(first) : bm_ext4_entry_read(first).block;
    int error = node_make(fs, inode, near, &buffer);
    if (error)
        return error;
    uint32_t count = bm_ext4_path_count(path, 0);
    __builtin_memcpy(buffer->data + EXT4_X_SIZE, first, (size_t)count * EXT4_X_SIZE);
    ext4_put16(buffer->data + EXT4_X_COUNT, count);
    ext4_put16(buffer->data + EXT4_X_DEPTH, path->depth);
    struct ext4_path made = {.levels[1] = {.buffer = buffer, .node = buffer->data}};
    bm_ext4_path_changed(fs, inode, &made, 1);
    __builtin_memset(first + EXT4_X_SIZE, 0, sizeof inode->block - 2 * EXT4_X_SIZE);
    index_write(first, ext4_get32(first), buffer->block);
    ext4_put16(root + EXT4_X_COUNT, 1);
    ext4_put16(root + EXT4_X_DEPTH, path->depth + 1);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

void bm_ext4_path_insert(struct ext4_path *path, unsigned level, unsigned index)
{
    uint32_t count = bm_ext4_path_count(path, level);
    uint8_t *at = bm_ext4_path_entry(path, level, index);
    __builtin_memmove(at + EXT4_X_SIZE, at, (count - index) * (size_t)EXT4_X_SIZE);
    count_set(path, level, count + 1);
}

void bm_ext4_path_remove(struct ext4_path *path, unsigned level, unsigned index)
{
    uint32_t count = bm_ext4_path_count(path, level);
    uint8_t *at = bm_ext4_path_entry(path, level, index);
    __builtin_memmove(at, at + EXT4_X_SIZE, (count - index - 1) * (size_t)EXT4_X_SIZE);
    count_set(path, level, count - 1);
}

// A full node's upper half goes into a new one behind it; at the tree's end, where files grow, only what
// must.
static int split(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path, unsigned level,
                 uint32_t at)
{
    struct ext4_buffer *buffer;
    uint32_t count = bm_ext4_path_count(path, level), keep = count / 2;
    bool leaf = level == path->depth, end = path->levels[level].index == count - 1;
    if (end && (!leaf || ext4_get32(bm_ext4_path_entry(path, level, count - 1)) < at))
        keep = leaf ? count : count - 1;
    int error = bm_ext4_path_change(fs, path, level);
    if (!error)
        error = bm_ext4_path_change(fs, path, level - 1);
    if (!error)
        error = node_make(fs, inode, path->levels[level].buffer->block + 1, &buffer);
    if (error)
        return error;
    uint8_t *from = bm_ext4_path_entry(path, level, keep);
    uint32_t first = keep < count ? ext4_get32(from) : at;
    __builtin_memcpy(buffer->data + EXT4_X_SIZE, from, (size_t)(count - keep) * EXT4_X_SIZE);
    ext4_put16(buffer->data + EXT4_X_COUNT, count - keep);
    ext4_put16(buffer->data + EXT4_X_DEPTH, path->depth - level);
    count_set(path, level, keep);
    unsigned index = path->levels[level - 1].index + 1;
    bm_ext4_path_insert(path, level - 1, index);
    index_write(bm_ext4_path_entry(path, level - 1, index), first, buffer->block);
    bm_ext4_path_changed(fs, inode, path, level);
    bm_ext4_path_changed(fs, inode, path, level - 1);
    struct ext4_path made = {.levels[1] = {.buffer = buffer, .node = buffer->data}};
    bm_ext4_path_changed(fs, inode, &made, 1);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// Makes *path one to `at` whose leaf has room for an entry.
int bm_ext4_path_room(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path, uint32_t at)
{
    int error = 0;
    while (!error && is_full(path, path->depth)) {
        unsigned level = path->depth;
        while (level > 0 && is_full(path, level - 1))
            level--;
        error = level ? split(fs, inode, path, level, at) : grow(fs, inode, path);
        bm_ext4_path_put(fs, path);
        if (!error)
            error = bm_ext4_path_get(fs, inode, at, path);
    }
    return error;
}

// The leaf's first block has become another one: so have the keys above.
int bm_ext4_path_keys(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path)
{
    uint32_t first = ext4_get32(bm_ext4_path_entry(path, path->depth, 0));
    for (unsigned level = path->depth; level-- > 0;) {
        uint8_t *entry = bm_ext4_path_entry(path, level, path->levels[level].index);
        if (ext4_get32(entry) == first)
            break;
        int error = bm_ext4_path_change(fs, path, level);
        if (error)
            return error;
        ext4_put32(entry, first);
        bm_ext4_path_changed(fs, inode, path, level);
        if (path->levels[level].index)
            break;
    }
    return 0;
}
