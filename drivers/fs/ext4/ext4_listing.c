// Names of a directory in an order that stays while it changes.
// SPDX-License-Identifier: MIT
//
// Where a directory has an index, or may get one, names move from block to block when leaves are split. So
// they are listed by their hashes, as in Linux: what somebody got is a place among the hashes, not on the
// disk. Names with the same hash follow each other by another one. The names of the leaf that was read last
// are kept in their order until any directory changes.
#include "ext4_index.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

enum { LISTED = 512 }; // more than a leaf has

struct listed {
    uint64_t place;
    uint32_t block, at; // of the directory; byte of the block
};

struct ext4_listing {
    uint32_t directory, count;
    uint64_t changes;          // of any directory, when it was made
    uint64_t from;             // has names from there on, side by side
    struct listed all[LISTED]; // sorted
};

static bool is_hashed(const struct ext4_fs *fs, const struct ext4_inode *directory)
{
    return directory->flags & EXT4_INODE_INDEX ||
           (fs->super.compat & EXT4_COMPAT_DIR_INDEX && directory->size == fs->super.block_size &&
            fs->super.hash <= EXT4_HASH_TEA);
}

// Keeps those of the lowest places that there is room for.
static void keep(struct ext4_listing *listing, struct listed name)
{
    uint32_t at = listing->count;
    if (at == LISTED && listing->all[--at].place <= name.place)
        return;
    for (; at && listing->all[at - 1].place > name.place; at--)
        listing->all[at] = listing->all[at - 1];
    listing->all[at] = name;
    listing->count += listing->count < LISTED;
}

static int block_scan(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t version,
                      uint32_t block)
{
    struct ext4_listing *listing = fs->listing;
    struct ext4_buffer *buffer;
    int error = bm_ext4_directory_block(fs, directory, block, &buffer);
    if (!error && !buffer)
        error = bm_ext4_damaged(fs, "directory %lu has a hole", directory->number);
    if (error)
        return error;
    for (uint32_t at = 0, size = fs->super.block_size; at < size && !error;
         at += ext4_get16(buffer->data + at + EXT4_D_LENGTH)) {
        const uint8_t *entry = buffer->data + at;
        uint32_t length = entry[EXT4_D_NAME_LENGTH], hash = 0;
        const char *name = (const char *)entry + EXT4_D_NAME;
        if (!ext4_get32(entry) || (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'))))
            continue;
        error = bm_ext4_hash(&fs->super, version, name, length, &hash);
        uint64_t place = (uint64_t)(hash >> 1) << 32 | bm_ext4_crc32c(~0u, name, length);
        if (place >= listing->from)
            keep(listing, (struct listed){place, block, at});
    }
    bm_ext4_buffer_put(fs, buffer);
    return error;
}

// The leaf where `from` is, those behind it until there is a name, and those that have its hash, too.
static int leaves_scan(struct ext4_fs *fs, const struct ext4_inode *directory)
{
    struct ext4_listing *listing = fs->listing;
    struct ext4_index_path path;
    uint32_t version, next;
    int error = bm_ext4_index_seek(fs, directory, (uint32_t)(listing->from >> 32) << 1, &version, &path);
    for (uint64_t left = directory->size >> fs->super.block_bits; !error; left--) {
        const struct ext4_index_level *last = &path.levels[path.depth];
        error = block_scan(fs, directory, version, bm_ext4_index_block(last, last->index));
        if (error || !bm_ext4_index_peek(&path, &next))
            break;
        if (listing->count && next >> 1 > listing->all[listing->count - 1].place >> 32)
            break;
        error = left ? bm_ext4_index_advance(fs, directory, &path)
                     : bm_ext4_damaged(fs, "the index of directory %lu is wrong", directory->number);
    }
    bm_ext4_index_put(fs, &path);
    return error;
}

static int load(struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t from)
{
    if (!fs->listing)
        fs->listing = bm_inode_memory_allocate(sizeof *fs->listing);
    struct ext4_listing *listing = fs->listing;
    if (!listing)
        return -BM_ENOMEM;
    listing->directory = listing->count = 0;
    listing->from = from;
    int error = directory->flags & EXT4_INODE_INDEX
                    ? leaves_scan(fs, directory)
                    : block_scan(fs, directory, fs->super.hash + fs->super.hash_unsigned, 0);
    if (error)
        return error;
    listing->directory = directory->number;
    listing->changes = fs->names_changes;
    return 0;
}

// The first name that is kept at or behind `place`; NULL: none is.
static const struct listed *find(const struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t place)
{
    const struct ext4_listing *listing = fs->listing;
    if (!listing || listing->directory != directory->number || listing->changes != fs->names_changes ||
        place < listing->from)
        return NULL;
    uint32_t low = 0, high = listing->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (listing->all[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low < listing->count ? &listing->all[low] : NULL;
}

int bm_ext4_directory_next(struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t place,
                           struct ext4_entry *entry)
{
    struct ext4_buffer *buffer;
    if (!is_hashed(fs, directory))
        return bm_ext4_directory_scan(fs, directory, place, entry);
    const struct listed *found = find(fs, directory, place);
    int error = found ? 0 : load(fs, directory, place);
    if (error == -BM_EOPNOTSUPP) // an index that is not known, and that nobody changes here
        return bm_ext4_directory_scan(fs, directory, place, entry);
    if (!error && !found)
        found = find(fs, directory, place);
    if (error || !found)
        return error;
    error = bm_ext4_directory_block(fs, directory, found->block, &buffer);
    if (error)
        return error;
    bm_ext4_entry_take(fs, buffer->data + found->at, entry);
    entry->next = found->place + 1;
    bm_ext4_buffer_put(fs, buffer);
    return 1;
}

void bm_ext4_listing_end(struct ext4_fs *fs)
{
    bm_inode_memory_free(fs->listing, sizeof *fs->listing);
    fs->listing = NULL;
}
