// The index of a directory: a tree over the hashes of names, whose leaves are its blocks.
// SPDX-License-Identifier: MIT
#include "ext4_index.h"

#include <baremetal/error.h>

static uint32_t hash_at(const struct ext4_index_level *level, uint32_t index)
{
    return ext4_get32(level->buffer->data + level->entries + index * EXT4_DX_ENTRY);
}

uint32_t bm_ext4_index_block(const struct ext4_index_level *level, uint32_t index)
{
    return ext4_get32(level->buffer->data + level->entries + index * EXT4_DX_ENTRY + 4) & 0x0fffffff;
}

static bool level_is_right(const struct ext4_fs *fs, struct ext4_index_level *level)
{
    const uint8_t *head = level->buffer->data + level->entries;
    uint32_t limit = ext4_get16(head);
    level->count = ext4_get16(head + 2);
    uint32_t room = fs->super.block_size - level->entries - (ext4_has_checksums(fs) ? EXT4_DX_TAIL : 0);
    return level->count && level->count <= limit && limit <= room / EXT4_DX_ENTRY;
}

// The last entry whose hash is not greater: the first one has none, and is before all.
static void level_search(struct ext4_index_level *level, uint32_t hash)
{
    uint32_t low = 0, high = level->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (hash_at(level, middle) <= hash)
            low = middle;
        else
            high = middle;
    }
    level->index = low;
}

void bm_ext4_index_put(struct ext4_fs *fs, struct ext4_index_path *path)
{
    for (unsigned i = 0; i <= EXT4_DX_LEVELS_MAX; i++)
        bm_ext4_buffer_put(fs, path->levels[i].buffer);
}

static int level_get(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t block,
                     struct ext4_index_level *level)
{
    level->block = block;
    level->entries = block ? EXT4_DX_NODE : EXT4_DX_ROOT;
    int error = block < directory->size >> fs->super.block_bits
                    ? bm_ext4_directory_block(fs, directory, block, &level->buffer)
                    : 0;
    if (!error && (!level->buffer || !level_is_right(fs, level)))
        error = bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
    return error;
}

// What the first block says: levels below it, and the version of its hashes.
static int root_read(struct ext4_fs *fs, const struct ext4_inode *directory,
                     const struct ext4_index_level *root, unsigned *levels, uint32_t *version)
{
    const uint8_t *block = root->buffer->data;
    *levels = block[EXT4_DX_LEVELS];
    if (*levels >= EXT4_DX_LEVELS_MAX || block[EXT4_DX_INFO] != 8)
        return bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
    *version = block[EXT4_DX_HASH];
    *version += *version <= EXT4_HASH_TEA ? fs->super.hash_unsigned : 0;
    return 0;
}

static int descend(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_index_path *path,
                   unsigned from, unsigned levels, uint32_t hash)
{
    for (unsigned i = from; i < levels; i++) {
        struct ext4_index_level *next = &path->levels[i + 1];
        uint32_t block = bm_ext4_index_block(&path->levels[i], path->levels[i].index);
        bm_ext4_buffer_put(fs, next->buffer);
        *next = (struct ext4_index_level){0};
        int error = block ? level_get(fs, directory, block, next)
                          : bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
        if (error)
            return error;
        level_search(next, hash);
    }
    path->depth = levels;
    return 0;
}

// The last level that goes on behind the path, or the depth and one.
static unsigned next_level(const struct ext4_index_path *path)
{
    unsigned at = path->depth;
    while (path->levels[at].index + 1 >= path->levels[at].count)
        if (at-- == 0)
            return path->depth + 1;
    return at;
}

bool bm_ext4_index_peek(const struct ext4_index_path *path, uint32_t *hash)
{
    unsigned at = next_level(path);
    if (at > path->depth)
        return false;
    *hash = hash_at(&path->levels[at], path->levels[at].index + 1);
    return true;
}

int bm_ext4_index_advance(struct ext4_fs *fs, const struct ext4_inode *directory,
                          struct ext4_index_path *path)
{
    unsigned at = next_level(path);
    if (at > path->depth)
        return -BM_ENOENT;
    path->levels[at].index++;
    return descend(fs, directory, path, at, path->depth, 0);
}

// Goes on to the next leaf if it has names with the same hash.
static int next_leaf(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_index_path *path)
{
    uint32_t hash;
    if (!bm_ext4_index_peek(path, &hash) || (hash & ~1u) != path->hash)
        return -BM_ENOENT;
    return bm_ext4_index_advance(fs, directory, path);
}

static int find_in_leaf(struct ext4_fs *fs, const struct ext4_inode *directory,
                        const struct ext4_index_path *path, const char *name, size_t length,
                        struct ext4_place *place)
{
    struct ext4_buffer *buffer = NULL;
    uint32_t block = bm_ext4_index_block(&path->levels[path->depth], path->levels[path->depth].index);
    int error = block && block < directory->size >> fs->super.block_bits
                    ? bm_ext4_directory_block(fs, directory, block, &buffer)
                    : 0;
    if (!error && !buffer)
        error = bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
    if (error)
        return error;
    int at = bm_ext4_block_find(fs, buffer->data, name, length);
    if (at >= 0)
        *place = (struct ext4_place){ext4_get32(buffer->data + at), block, (uint32_t)at};
    bm_ext4_buffer_put(fs, buffer);
    return at >= 0 ? 0 : -BM_ENOENT;
}

// The first block of a path.
static int begin(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t *version, unsigned *levels,
                 struct ext4_index_path *path)
{
    *path = (struct ext4_index_path){0};
    int error = level_get(fs, directory, 0, &path->levels[0]);
    return error ? error : root_read(fs, directory, &path->levels[0], levels, version);
}

static int go_down(struct ext4_fs *fs, const struct ext4_inode *directory, unsigned levels,
                   struct ext4_index_path *path)
{
    level_search(&path->levels[0], path->hash);
    return descend(fs, directory, path, 0, levels, path->hash);
}

int bm_ext4_index_get(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name, size_t length,
                      struct ext4_index_path *path)
{
    unsigned levels = 0;
    uint32_t version;
    int error = begin(fs, directory, &version, &levels, path);
    if (!error)
        error = bm_ext4_hash(&fs->super, version, name, length, &path->hash);
    return error ? error : go_down(fs, directory, levels, path);
}

int bm_ext4_index_seek(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t hash,
                       uint32_t *version, struct ext4_index_path *path)
{
    unsigned levels = 0;
    int error = begin(fs, directory, version, &levels, path);
    path->hash = hash;
    return error ? error : go_down(fs, directory, levels, path);
}

int bm_ext4_index_find(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                       size_t length, struct ext4_place *place)
{
    struct ext4_index_path path;
    int error = bm_ext4_index_get(fs, directory, name, length, &path);
    // Each round goes on by one leaf, of which there are fewer than blocks.
    for (uint64_t left = directory->size >> fs->super.block_bits; !error; left--) {
        error = find_in_leaf(fs, directory, &path, name, length, place);
        if (error != -BM_ENOENT || !left)
            break;
        error = next_leaf(fs, directory, &path);
        if (error)
            break;
    }
    bm_ext4_index_put(fs, &path);
    return error;
}
