// Directories in memory: names by hash and in the order of their making, and the image's names below them.
// SPDX-License-Identifier: MIT
#include "tmpfs.h"

// A polynomial in a secret key modulo the prime 2^61 - 1 (Carter and Wegman, "Universal Classes of Hash
// Functions", 1979): two names collide for one key in 2^53 at most, whoever chose them.
static uint32_t hash_of(const struct tmpfs *fs, const char *name, size_t length)
{
    const uint64_t prime = (1ull << 61) - 1;
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++) {
        unsigned __int128 product = (unsigned __int128)hash * fs->key + (uint8_t)name[i];
        hash = ((uint64_t)product & prime) + (uint64_t)(product >> 61);
        hash = hash >= prime ? hash - prime : hash;
    }
    return (uint32_t)(hash * fs->key >> 32);
}

// Without a table, which only lack of memory brings about, all names are in one chain: their list.
struct tmpfs_entry *bm_tmpfs_find(struct tmpfs_node *node, const char *name, size_t length)
{
    struct tmpfs_directory *directory = &node->directory;
    uint32_t hash = hash_of(tmpfs_of(node), name, length);
    bool hashed = directory->bucket_count;
    struct tmpfs_entry *entry =
        hashed ? directory->buckets[hash & (directory->bucket_count - 1)] : directory->first;
    for (; entry; entry = hashed ? entry->chain : entry->next)
        if (entry->hash == hash && entry->length == length && !__builtin_memcmp(entry->name, name, length))
            break;
    return entry;
}

struct tmpfs_entry *bm_tmpfs_entry_make(struct tmpfs *fs, const char *name, size_t length, int *error)
{
    struct tmpfs_entry *entry = bm_tmpfs_allocate(fs, sizeof *entry + length, error);
    if (entry) {
        entry->hash = hash_of(fs, name, length);
        entry->length = (uint8_t)length;
        __builtin_memcpy(entry->name, name, length);
    }
    return entry;
}

void bm_tmpfs_entry_free(struct tmpfs *fs, struct tmpfs_entry *entry)
{
    bm_tmpfs_free(fs, entry, sizeof *entry + entry->length);
}

static void chain(struct tmpfs_directory *directory, struct tmpfs_entry *entry)
{
    struct tmpfs_entry **bucket = &directory->buckets[entry->hash & (directory->bucket_count - 1)];
    entry->chain = *bucket;
    *bucket = entry;
}

// A table for twice as many names; if there is no memory for it, chains become longer.
static void grow(struct tmpfs_node *node)
{
    struct tmpfs_directory *directory = &node->directory;
    int error;
    size_t old = directory->bucket_count, count = old ? 2 * old : 8;
    struct tmpfs_entry **buckets = bm_tmpfs_allocate(tmpfs_of(node), count * sizeof *buckets, &error);
    if (!buckets)
        return;
    if (old)
        bm_tmpfs_free(tmpfs_of(node), directory->buckets, old * sizeof *buckets);
    directory->buckets = buckets;
    directory->bucket_count = count;
    for (struct tmpfs_entry *entry = directory->first; entry; entry = entry->next)
        chain(directory, entry);
}

void bm_tmpfs_insert(struct tmpfs_node *node, struct tmpfs_entry *entry, struct tmpfs_node *child)
{
    struct tmpfs_directory *directory = &node->directory;
    if (directory->count >= directory->bucket_count)
        grow(node);
    entry->node = child;
    entry->cookie = directory->last_cookie ? ++directory->last_cookie : (directory->last_cookie = 3);
    entry->previous = directory->last;
    entry->next = NULL;
    if (directory->last)
        directory->last->next = entry;
    else
        directory->first = entry;
    directory->last = entry;
    directory->count++;
    if (directory->bucket_count)
        chain(directory, entry);
}

void bm_tmpfs_remove(struct tmpfs_node *node, struct tmpfs_entry *entry)
{
    struct tmpfs_directory *directory = &node->directory;
    if (directory->bucket_count) {
        struct tmpfs_entry **at = &directory->buckets[entry->hash & (directory->bucket_count - 1)];
        while (*at != entry)
            at = &(*at)->chain;
        *at = entry->chain;
    }
    for (unsigned i = 0; i < TMPFS_HINTS; i++)
        if (directory->hints[i] == entry)
            directory->hints[i] = entry->previous;
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        directory->first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    else
        directory->last = entry->previous;
    directory->count--;
    bm_tmpfs_entry_free(tmpfs_of(node), entry);
}

// The hint that is next before a cookie; NULL: none is.
static struct tmpfs_entry **hint_before(struct tmpfs_directory *directory, uint64_t cookie)
{
    struct tmpfs_entry **best = NULL;
    for (unsigned i = 0; i < TMPFS_HINTS; i++) {
        struct tmpfs_entry **hint = &directory->hints[i];
        if (*hint && (*hint)->cookie <= cookie && (!best || (*hint)->cookie > (*best)->cookie))
            best = hint;
    }
    return best;
}

struct tmpfs_entry *bm_tmpfs_behind(struct tmpfs_node *node, uint64_t cookie)
{
    struct tmpfs_directory *directory = &node->directory;
    struct tmpfs_entry **hint = hint_before(directory, cookie);
    struct tmpfs_entry *entry = hint ? *hint : directory->first;
    if (!hint || (*hint)->cookie < cookie) // a listing that begins, or another one's place
        hint = &directory->hints[directory->last_hint++ % TMPFS_HINTS];
    while (entry && entry->cookie <= cookie)
        entry = entry->next;
    if (entry)
        *hint = entry;
    return entry;
}

void bm_tmpfs_directory_end(struct tmpfs_node *node)
{
    struct tmpfs_directory *directory = &node->directory;
    if (directory->bucket_count)
        bm_tmpfs_free(tmpfs_of(node), directory->buckets,
                      directory->bucket_count * sizeof *directory->buckets);
}

// The embedded files from `first` on that are one name here: a file, or all below a directory. Returns where
// the next name begins.
static size_t group_end(const struct tmpfs_directory *directory, size_t first, size_t length)
{
    size_t end = first + 1, same = directory->prefix + length + 1;
    const char *path = bm_embedded_files[first].path;
    if (path[directory->prefix + length] != '/')
        return end;
    while (end < directory->lower_end) {
        const char *other = bm_embedded_files[end].path;
        size_t i = 0;
        while (i < same && other[i] == path[i])
            i++;
        if (i < same)
            break;
        end++;
    }
    return end;
}

static void set_lower(struct tmpfs_node *child, const struct tmpfs_directory *above, size_t end,
                      size_t length)
{
    const struct bm_embedded_file *file = &bm_embedded_files[above->lower_next];
    if (child->inode.type == BM_FILE_DIRECTORY) {
        child->directory.lower_next = above->lower_next;
        child->directory.lower_end = end;
        child->directory.prefix = above->prefix + length + 1;
        return;
    }
    child->data.lower = file->data;
    child->data.lower_size = file->size;
    atomic_store(&child->inode.size, file->size);
}

static int take_in(struct tmpfs_node *node, const char *name, size_t length, size_t end)
{
    struct tmpfs_directory *directory = &node->directory;
    bool below = name[length] == '/';
    int error = 0;
    struct tmpfs_entry *entry = bm_tmpfs_entry_make(tmpfs_of(node), name, length, &error);
    if (!entry)
        return error;
    struct bm_inode_new what = {.mode = below ? BM_FILE_DIRECTORY | 0755 : BM_FILE_REGULAR | 0644};
    struct tmpfs_node *child = bm_tmpfs_node_make(tmpfs_of(node), &what, &error);
    if (!child) {
        bm_tmpfs_entry_free(tmpfs_of(node), entry);
        return error;
    }
    set_lower(child, directory, end, length);
    bm_tmpfs_insert(node, entry, child);
    if (below) {
        child->links = 2;
        child->directory.parent = node;
        bm_inode_hold(&node->inode);
        node->links++;
    } else {
        child->links = 1;
    }
    bm_tmpfs_node_drop(child);
    return 0;
}

int bm_tmpfs_populate(struct tmpfs_node *node)
{
    struct tmpfs_directory *directory = &node->directory;
    int error = 0;
    tmpfs_of(node)->takes_in = true;
    while (!error && directory->lower_next < directory->lower_end) {
        const char *name = bm_embedded_files[directory->lower_next].path + directory->prefix;
        size_t length = 0;
        while (name[length] && name[length] != '/')
            length++;
        size_t end = group_end(directory, directory->lower_next, length);
        if (length && length <= BM_NAME_MAX && !bm_tmpfs_find(node, name, length)) {
            error = take_in(node, name, length, end);
        }
        if (!error)
            directory->lower_next = end;
    }
    tmpfs_of(node)->takes_in = false;
    return error;
}
