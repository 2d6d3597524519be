// The index of a directory while names are added: leaves and nodes are split, and the tree grows.
// SPDX-License-Identifier: MIT
#include "ext4_index.h"
#include "ext4_write.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

enum { DOTS = 12, INFO = 0x18, INFO_SIZE = 8, NAMES_MAX = EXT4_BLOCK_MAX / 12 };

// A name of a leaf.
struct entry {
    uint32_t hash, at, size; // byte of the block; bytes that it needs
};

static uint32_t end_of(const struct ext4_fs *fs)
{
    return fs->super.block_size - (ext4_has_checksums(fs) ? EXT4_D_TAIL : 0);
}

// How many entries of the index there is room for behind `entries`.
static uint32_t limit_of(const struct ext4_fs *fs, uint32_t entries)
{
    uint32_t tail = ext4_has_checksums(fs) ? EXT4_DX_TAIL : 0;
    return (fs->super.block_size - entries - tail) / EXT4_DX_ENTRY;
}

static void entry_put(uint8_t *at, uint32_t hash, uint32_t block)
{
    ext4_put32(at, hash);
    ext4_put32(at + 4, block);
}

static uint8_t *entry_at(const struct ext4_index_level *level, uint32_t index)
{
    return level->buffer->data + level->entries + (size_t)index * EXT4_DX_ENTRY;
}

static bool is_full(const struct ext4_index_level *level)
{
    return level->count >= ext4_get16(level->buffer->data + level->entries);
}

// --- Leaves ---

// Puts names of `from` into a block of names that is all zeros, one behind the other.
static void leaf_fill(const struct ext4_fs *fs, struct ext4_buffer *leaf, const uint8_t *from,
                      const struct entry *entries, uint32_t count)
{
    uint32_t at = 0, last = 0;
    bm_ext4_block_clear(fs, leaf);
    for (uint32_t i = 0; i < count; i++) {
        __builtin_memcpy(leaf->data + at, from + entries[i].at, entries[i].size);
        ext4_put16(leaf->data + at + EXT4_D_LENGTH, entries[i].size);
        last = at;
        at += entries[i].size;
    }
    if (count)
        ext4_put16(leaf->data + last + EXT4_D_LENGTH, end_of(fs) - last);
}

// The names of a block, sorted by their hashes.
static int entries_sort(const struct ext4_fs *fs, uint32_t version, const uint8_t *block,
                        struct entry *entries, uint32_t *count)
{
    uint32_t found = 0;
    version += version <= EXT4_HASH_TEA ? fs->super.hash_unsigned : 0;
    for (uint32_t at = 0, end = end_of(fs); at < end; at += ext4_get16(block + at + EXT4_D_LENGTH)) {
        uint32_t length = block[at + EXT4_D_NAME_LENGTH];
        struct entry entry = {.at = at, .size = (EXT4_D_NAME + length + 3) & ~3u};
        if (!ext4_get32(block + at))
            continue;
        int error =
            bm_ext4_hash(&fs->super, version, (const char *)block + at + EXT4_D_NAME, length, &entry.hash);
        if (error)
            return error;
        uint32_t place = found++;
        for (; place && entries[place - 1].hash > entry.hash; place--)
            entries[place] = entries[place - 1];
        entries[place] = entry;
    }
    *count = found;
    return 0;
}

// The first of the upper half by size, which is not the first of all.
static uint32_t middle_of(const struct entry *entries, uint32_t count)
{
    uint32_t all = 0, size = 0, middle = 0;
    for (uint32_t i = 0; i < count; i++)
        all += entries[i].size;
    while (middle + 1 < count && size + entries[middle].size <= all / 2)
        size += entries[middle++].size;
    return middle ? middle : 1;
}

static void index_insert(struct ext4_fs *fs, const struct ext4_inode *directory,
                         struct ext4_index_level *level, uint32_t hash, uint32_t block)
{
    uint8_t *at = entry_at(level, level->index + 1);
    __builtin_memmove(at + EXT4_DX_ENTRY, at, (size_t)(level->count - level->index - 1) * EXT4_DX_ENTRY);
    entry_put(at, hash, block);
    ext4_put16(level->buffer->data + level->entries + 2, ++level->count);
    bm_ext4_block_seal(fs, directory, level->block, level->buffer);
}

// What a split needs: the leaf as it was, and its names.
struct split {
    uint8_t block[EXT4_BLOCK_MAX];
    struct entry entries[NAMES_MAX];
};

// Moves the upper half of a leaf's names into a new one, which the last level of the path has room for.
static int leaf_split(struct ext4_fs *fs, struct ext4_inode *directory, struct ext4_index_path *path,
                      struct ext4_buffer *leaf, uint32_t block, struct split *split)
{
    struct ext4_index_level *level = &path->levels[path->depth];
    struct ext4_buffer *other;
    uint32_t count = 0, other_block = 0, version = path->levels[0].buffer->data[EXT4_DX_HASH];
    __builtin_memcpy(split->block, leaf->data, fs->super.block_size);
    int error = entries_sort(fs, version, split->block, split->entries, &count);
    if (!error && count < 2)
        error = bm_ext4_damaged(fs, "directory %lu is full with one name", directory->number);
    if (!error)
        error = bm_ext4_buffer_change(fs, leaf, EXT4_ROLE_DIRECTORY);
    if (!error)
        error = bm_ext4_buffer_change(fs, level->buffer, EXT4_ROLE_INDEX);
    if (!error)
        error = bm_ext4_directory_grow(fs, directory, EXT4_ROLE_DIRECTORY, &other_block, &other);
    if (error)
        return error;
    uint32_t middle = middle_of(split->entries, count);
    uint32_t hash = split->entries[middle].hash, goes_on = hash == split->entries[middle - 1].hash;
    leaf_fill(fs, other, split->block, split->entries + middle, count - middle);
    bm_ext4_block_seal(fs, directory, other_block, other);
    __builtin_memset(leaf->data, 0, fs->super.block_size);
    leaf_fill(fs, leaf, split->block, split->entries, middle);
    bm_ext4_block_seal(fs, directory, block, leaf);
    index_insert(fs, directory, level, hash | goes_on, other_block);
    bm_ext4_buffer_put(fs, other);
    return 0;
}

// --- Nodes ---

// A new node of the index with entries of another one.
static int node_make(struct ext4_fs *fs, struct ext4_inode *directory, const uint8_t *from, uint32_t count,
                     uint32_t *block)
{
    struct ext4_buffer *buffer;
    int error = bm_ext4_directory_grow(fs, directory, EXT4_ROLE_INDEX, block, &buffer);
    if (error)
        return error;
    uint8_t *head = buffer->data + EXT4_DX_NODE;
    ext4_put16(buffer->data + EXT4_D_LENGTH, fs->super.block_size);
    __builtin_memcpy(head, from, (size_t)count * EXT4_DX_ENTRY);
    ext4_put16(head, limit_of(fs, EXT4_DX_NODE));
    ext4_put16(head + 2, count);
    bm_ext4_block_seal(fs, directory, *block, buffer);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// The root's entries go into a node below it.
static int grow(struct ext4_fs *fs, struct ext4_inode *directory, struct ext4_index_path *path)
{
    struct ext4_index_level *root = &path->levels[0];
    uint32_t block = 0, levels = root->buffer->data[EXT4_DX_LEVELS];
    uint32_t max = fs->super.incompat & EXT4_INCOMPAT_LARGEDIR ? EXT4_DX_LEVELS_MAX : EXT4_DX_LEVELS_MAX - 1;
    if (levels + 1 >= max)
        return -BM_ENOSPC;
    int error = bm_ext4_buffer_change(fs, root->buffer, EXT4_ROLE_INDEX);
    if (!error)
        error = node_make(fs, directory, entry_at(root, 0), root->count, &block);
    if (error)
        return error;
    root->buffer->data[EXT4_DX_LEVELS] = (uint8_t)(levels + 1);
    ext4_put16(root->buffer->data + root->entries + 2, 1);
    ext4_put32(entry_at(root, 0) + 4, block);
    bm_ext4_block_seal(fs, directory, 0, root->buffer);
    return 0;
}

// The upper half of a full node goes into a new one, which the level above has room for.
static int node_split(struct ext4_fs *fs, struct ext4_inode *directory, struct ext4_index_path *path,
                      unsigned at)
{
    struct ext4_index_level *level = &path->levels[at], *above = &path->levels[at - 1];
    uint32_t block = 0, keep = level->count / 2;
    uint32_t hash = ext4_get32(entry_at(level, keep));
    int error = bm_ext4_buffer_change(fs, level->buffer, EXT4_ROLE_INDEX);
    if (!error)
        error = bm_ext4_buffer_change(fs, above->buffer, EXT4_ROLE_INDEX);
    if (!error)
        error = node_make(fs, directory, entry_at(level, keep), level->count - keep, &block);
    if (error)
        return error;
    ext4_put16(level->buffer->data + level->entries + 2, keep);
    bm_ext4_block_seal(fs, directory, level->block, level->buffer);
    index_insert(fs, directory, above, hash, block);
    return 0;
}

// Makes *path one whose last level has room for an entry.
static int make_room(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                     struct ext4_index_path *path)
{
    int error = 0;
    while (!error && is_full(&path->levels[path->depth])) {
        unsigned at = path->depth;
        while (at && is_full(&path->levels[at - 1]))
            at--;
        error = at ? node_split(fs, directory, path, at) : grow(fs, directory, path);
        bm_ext4_index_put(fs, path);
        *path = (struct ext4_index_path){0};
        if (!error)
            error = bm_ext4_index_get(fs, directory, name, length, path);
    }
    return error;
}

// --- Names ---

static int leaf_get(struct ext4_fs *fs, const struct ext4_inode *directory,
                    const struct ext4_index_path *path, uint32_t *block, struct ext4_buffer **leaf)
{
    const struct ext4_index_level *level = &path->levels[path->depth];
    *block = bm_ext4_index_block(level, level->index);
    int error = *block && *block < directory->size >> fs->super.block_bits
                    ? bm_ext4_directory_block(fs, directory, *block, leaf)
                    : 0;
    if (!error && !*leaf)
        error = bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
    return error;
}

static int split_for(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                     struct ext4_index_path *path)
{
    struct ext4_buffer *leaf = NULL;
    uint32_t block;
    struct split *split = bm_inode_memory_allocate(sizeof *split);
    int error = split ? make_room(fs, directory, name, length, path) : -BM_ENOMEM;
    if (!error)
        error = leaf_get(fs, directory, path, &block, &leaf);
    if (!error)
        error = leaf_split(fs, directory, path, leaf, block, split);
    bm_ext4_buffer_put(fs, leaf);
    bm_inode_memory_free(split, sizeof *split);
    return error;
}

int bm_ext4_index_add(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type)
{
    int error = -BM_ENOSPC;
    for (unsigned round = 0; round < 3 && error == -BM_ENOSPC;
         round++) { // a half may be too full for a long name
        struct ext4_index_path path;
        struct ext4_buffer *leaf = NULL;
        uint32_t block;
        error = bm_ext4_index_get(fs, directory, name, length, &path);
        if (!error)
            error = leaf_get(fs, directory, &path, &block, &leaf);
        if (!error)
            error = bm_ext4_block_add(fs, directory, leaf, name, length, number, type);
        bm_ext4_buffer_put(fs, leaf);
        int failed = error == -BM_ENOSPC ? split_for(fs, directory, name, length, &path) : 0;
        bm_ext4_index_put(fs, &path);
        if (failed)
            return failed;
    }
    return error;
}

int bm_ext4_index_make(struct ext4_fs *fs, struct ext4_inode *directory)
{
    struct ext4_buffer *root, *leaf;
    uint32_t block, at = 0, size = fs->super.block_size;
    int error = bm_ext4_directory_block(fs, directory, 0, &root);
    if (!error && (!root || ext4_get16(root->data + EXT4_D_LENGTH) != DOTS)) {
        bm_ext4_buffer_put(fs, root);
        error = bm_ext4_damaged(fs, "directory %lu does not begin with itself", directory->number);
    }
    if (error)
        return error;
    error = bm_ext4_buffer_change(fs, root, EXT4_ROLE_INDEX);
    if (!error)
        error = bm_ext4_directory_grow(fs, directory, EXT4_ROLE_DIRECTORY, &block, &leaf);
    if (error) {
        bm_ext4_buffer_put(fs, root);
        return error;
    }
    // All but the dots goes into the leaf: its first entry takes their space.
    at = DOTS + ext4_get16(root->data + DOTS + EXT4_D_LENGTH);
    bm_ext4_block_clear(fs, leaf);
    uint32_t end = end_of(fs), last = 0;
    for (uint32_t from = at, to = 0; from < end; to += ext4_get16(root->data + from + EXT4_D_LENGTH),
                  from += ext4_get16(root->data + from + EXT4_D_LENGTH))
        last = to;
    __builtin_memcpy(leaf->data, root->data + at, end - at);
    ext4_put16(leaf->data + last + EXT4_D_LENGTH, end - last);
    bm_ext4_block_seal(fs, directory, block, leaf);
    bm_ext4_buffer_put(fs, leaf);
    __builtin_memset(root->data + INFO, 0, size - INFO);
    ext4_put16(root->data + DOTS + EXT4_D_LENGTH, size - DOTS);
    root->data[EXT4_DX_HASH] = (uint8_t)fs->super.hash;
    root->data[EXT4_DX_INFO] = INFO_SIZE;
    ext4_put16(root->data + EXT4_DX_ROOT, limit_of(fs, EXT4_DX_ROOT));
    ext4_put16(root->data + EXT4_DX_ROOT + 2, 1);
    ext4_put32(root->data + EXT4_DX_ROOT + 4, block);
    directory->flags |= EXT4_INODE_INDEX;
    bm_ext4_block_seal(fs, directory, 0, root);
    bm_ext4_buffer_put(fs, root);
    return 0;
}
