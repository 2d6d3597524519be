// EROFS, read-only, on a disk: mkfs.erofs disk.img folder; QEMU: -drive
// if=none,id=d,file=disk.img,format=raw, readonly=on -device virtio-blk-pci,drive=d; mount=/data=vda.
// SPDX-License-Identifier: MIT
//
// Inodes in memory are kept in a table while somebody has them, so that one file has one. All bytes of the
// disk come through the page cache: a file's as pages of the file, inodes and what is behind them as pages of
// the disk, an inode of its own.
#include "erofs_parse.h"

#include <baremetal/error.h>
#include <baremetal/file_system.h>
#include <baremetal/log.h>
#include <baremetal/page_cache.h>

enum { BUCKETS = 256, NULL_BLOCK = -1, COOKIE_BITS = 9, FIRST_COOKIE = 3, LINK_MAX = BM_PATH_MAX - 1 };

struct node {
    struct bm_inode inode;
    struct node *chain;
    struct erofs_inode fields;
};

struct erofs {
    struct bm_mount mount;
    struct bm_page_cache cache;
    struct bm_inode disk; // all of its bytes
    struct erofs_super super;
    struct bm_spinlock lock; // over the table and the references in it
    struct node *nodes[BUCKETS];
};

static struct erofs *erofs_of(const struct bm_inode *inode)
{
    return (struct erofs *)inode->mount;
}

static const struct erofs_inode *fields_of(const struct bm_inode *inode)
{
    return &((const struct node *)inode)->fields;
}

static uint64_t sector_of(const struct erofs *fs, uint64_t block)
{
    return block * (EROFS_BLOCK / fs->cache.device->sector_size);
}

// --- Pages ---

static int disk_extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent)
{
    (void)at, (void)allocate;
    *extent = (struct bm_inode_extent){.length = atomic_load(&inode->size)};
    return 0;
}

static int disk_page(struct bm_inode *inode, uint64_t index, enum bm_page_use use, struct bm_inode_page *page)
{
    (void)use;
    return bm_page_cache_get(&erofs_of(inode)->cache, inode, index, page);
}

static void page_put(struct bm_inode *inode, struct bm_inode_page *page)
{
    bm_page_cache_put(&erofs_of(inode)->cache, page);
}

static const struct bm_inode_ops disk_ops = {.page = disk_page, .page_put = page_put, .extent = disk_extent};

// Bytes of the disk; all of them, or an error.
static int read_disk(struct erofs *fs, uint64_t at, void *to, size_t size)
{
    long done = bm_inode_read(&fs->disk, to, size, at);
    return done < 0 ? (int)done : (size_t)done < size ? -BM_EIO : 0;
}

// Where a byte of a file in chunks is: its chunk's blocks, or a hole.
static int chunk_extent(struct erofs *fs, const struct erofs_inode *file, uint64_t at,
                        struct bm_inode_extent *extent)
{
    enum { WIDE = 8, NARROW = 4, WIDE_BLOCK = 4 };
    uint8_t entry[WIDE];
    size_t size = file->wide_chunks ? WIDE : NARROW, shift = 12 + file->chunk_blocks;
    uint64_t chunk = at >> shift, end = (file->size + EROFS_BLOCK - 1) / EROFS_BLOCK * EROFS_BLOCK;
    int error = read_disk(fs, file->behind + chunk * size, entry, size);
    if (error)
        return error;
    const uint8_t *where = entry + (file->wide_chunks ? WIDE_BLOCK : 0);
    uint32_t block = where[0] | (uint32_t)where[1] << 8 | (uint32_t)where[2] << 16 | (uint32_t)where[3] << 24;
    uint64_t first = chunk << shift, length = end - first < 1ull << shift ? end - first : 1ull << shift;
    *extent = (struct bm_inode_extent){.first = first,
                                       .length = length,
                                       .sector = sector_of(fs, block),
                                       .hole = block == (uint32_t)NULL_BLOCK};
    if (extent->hole)
        return 0;
    return block >= fs->super.blocks || length / EROFS_BLOCK > fs->super.blocks - block ? -BM_EIO : 0;
}

// The bytes behind the inode are told as a block, where nobody reads them but by erofs_page.
static int extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent)
{
    const struct erofs_inode *file = fields_of(inode);
    (void)allocate;
    if (at >= file->size)
        return -BM_EIO;
    if (file->layout == EROFS_CHUNKS)
        return chunk_extent(erofs_of(inode), file, at, extent);
    uint64_t blocks = (file->size + EROFS_BLOCK - 1) / EROFS_BLOCK;
    *extent = (struct bm_inode_extent){.length = blocks * EROFS_BLOCK,
                                       .sector = sector_of(erofs_of(inode), file->block)};
    return 0;
}

static int page(struct bm_inode *inode, uint64_t index, enum bm_page_use use, struct bm_inode_page *page)
{
    struct erofs *fs = erofs_of(inode);
    const struct erofs_inode *file = fields_of(inode);
    uint64_t tail = file->size % EROFS_BLOCK, last = file->size / EROFS_BLOCK;
    (void)use;
    *page = (struct bm_inode_page){0};
    if (index * BM_PAGE_SIZE >= file->size)
        return 0;
    bool packed = file->layout == EROFS_INLINE && index == last;
    int error = packed ? bm_page_cache_get(&fs->cache, &fs->disk, file->behind / EROFS_BLOCK, page)
                       : bm_page_cache_get(&fs->cache, inode, index, page);
    if (error || !page->data)
        return error;
    if (packed)
        page->data = (char *)page->data + file->behind % EROFS_BLOCK;
    if (index == last)
        page->size = tail;
    return 0;
}

// --- Inodes ---

static const struct bm_inode_ops ops;

static struct node *find(struct erofs *fs, uint64_t number)
{
    struct node *node = fs->nodes[number % BUCKETS];
    while (node && node->inode.number != number)
        node = node->chain;
    if (node)
        bm_inode_hold(&node->inode);
    return node;
}

static struct node *node_make(struct erofs *fs, uint64_t number, const struct erofs_inode *fields)
{
    struct node *node = bm_inode_memory_allocate(sizeof *node);
    if (!node)
        return NULL;
    node->inode.ops = &ops;
    node->inode.mount = &fs->mount;
    node->inode.number = number;
    node->inode.type = fields->mode & BM_FILE_TYPE;
    bool device = node->inode.type == BM_FILE_CHARACTER || node->inode.type == BM_FILE_BLOCK;
    node->inode.special = device ? fields->block : 0;
    atomic_store(&node->inode.size, fields->size);
    atomic_store(&node->inode.references, 1);
    node->fields = *fields;
    return node;
}

// The inode with a number, with a reference.
static int get(struct erofs *fs, uint64_t number, struct bm_inode **found)
{
    uint8_t bytes[EROFS_INODE_MAX];
    struct erofs_inode fields;
    bm_spinlock_acquire(&fs->lock);
    struct node *node = find(fs, number), *other;
    bm_spinlock_release(&fs->lock);
    if (node) {
        *found = &node->inode;
        return 0;
    }
    uint64_t place = bm_erofs_inode_place(&fs->super, number), end = atomic_load(&fs->disk.size);
    size_t size = place < end && end - place < sizeof bytes ? end - place : sizeof bytes;
    int error = place < end ? read_disk(fs, place, bytes, size) : -BM_EIO;
    if (!error)
        error = bm_erofs_inode_parse(bytes, size, &fs->super, number, &fields);
    if (error)
        return error;
    node = node_make(fs, number, &fields);
    if (!node)
        return -BM_ENOMEM;
    bm_spinlock_acquire(&fs->lock);
    other = find(fs, number);
    if (!other) {
        node->chain = fs->nodes[number % BUCKETS];
        fs->nodes[number % BUCKETS] = node;
    }
    bm_spinlock_release(&fs->lock);
    if (other)
        bm_inode_memory_free(node, sizeof *node);
    *found = other ? &other->inode : &node->inode;
    return 0;
}

static void unused(struct bm_inode *inode)
{
    struct erofs *fs = erofs_of(inode);
    bm_spinlock_acquire(&fs->lock);
    bool last = atomic_fetch_sub(&inode->references, 1) == 1;
    struct node **link = &fs->nodes[inode->number % BUCKETS];
    while (last && *link != (struct node *)inode)
        link = &(*link)->chain;
    if (last)
        *link = (*link)->chain;
    bm_spinlock_release(&fs->lock);
    if (last)
        bm_inode_memory_free(inode, sizeof(struct node));
}

static int status(struct bm_inode *inode, struct bm_file_status *said)
{
    const struct erofs_inode *file = fields_of(inode);
    said->mode = file->mode;
    said->links = file->links ? file->links : 1;
    said->owner = file->owner;
    said->group = file->group;
    said->blocks = (file->size + EROFS_BLOCK - 1) / EROFS_BLOCK * (EROFS_BLOCK / 512);
    said->accessed = said->modified = said->changed = file->modified;
    return 0;
}

static long target(struct bm_inode *inode, char *buffer, size_t size)
{
    uint64_t length = atomic_load(&inode->size);
    if (length == 0 || length > LINK_MAX)
        return -BM_EIO;
    long done = bm_inode_read(inode, buffer, size < length ? size : length, 0);
    return done < 0 ? done : (long)length;
}

// --- Directories: blocks of entries, sorted by name ---

static int block_get(struct bm_inode *directory, uint64_t index, struct bm_inode_page *block)
{
    int error = page(directory, index, BM_PAGE_READ, block);
    int count = error ? error : block->data ? bm_erofs_directory_count(block->data, block->size) : -BM_EIO;
    if (!error && count < 0)
        page_put(directory, block);
    return count;
}

static int compare(const char *name, size_t length, const struct erofs_entry *entry)
{
    size_t same = length < entry->length ? length : entry->length;
    int order = __builtin_memcmp(name, entry->name, same);
    return order ? order : length < entry->length ? -1 : length > entry->length;
}

// In a block: 0 and *number; less than 0: before its first name, 1: not there.
static int find_in_block(const struct bm_inode_page *block, unsigned count, const char *name, size_t length,
                         uint64_t *number)
{
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct erofs_entry entry = bm_erofs_directory_entry(block->data, block->size, middle, count);
        int order = compare(name, length, &entry);
        *number = entry.inode;
        if (order == 0)
            return 0;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? -1 : 1;
}

// The number of the inode that has a name: the block is sought first, by the names that it begins and ends
// with.
static int find_name(struct bm_inode *directory, const char *name, size_t length, uint64_t *number)
{
    uint64_t low = 0, high = (atomic_load(&directory->size) + EROFS_BLOCK - 1) / EROFS_BLOCK;
    while (low < high) {
        struct bm_inode_page block;
        uint64_t middle = low + (high - low) / 2;
        int count = block_get(directory, middle, &block);
        if (count < 0)
            return count;
        int where = find_in_block(&block, (unsigned)count, name, length, number);
        struct erofs_entry last =
            bm_erofs_directory_entry(block.data, block.size, (unsigned)count - 1, (unsigned)count);
        bool behind = where > 0 && compare(name, length, &last) > 0;
        page_put(directory, &block);
        if (where == 0)
            return 0;
        if (where > 0 && !behind)
            return -BM_ENOENT;
        if (where < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -BM_ENOENT;
}

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    uint64_t number = 0;
    int error = find_name(directory, name, length, &number);
    return error ? error : get(erofs_of(directory), number, found);
}

static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    int error = look_up(directory, "..", 2, found);
    if (!error && (*found)->type != BM_FILE_DIRECTORY) {
        bm_inode_put(*found);
        error = -BM_EIO;
    }
    return error;
}

static bool is_dots(const struct erofs_entry *entry)
{
    return entry->name[0] == '.' && (entry->length == 1 || (entry->length == 2 && entry->name[1] == '.'));
}

// A cookie is a block, and the entry's index in it.
static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    uint64_t next = after < FIRST_COOKIE ? 0 : after - FIRST_COOKIE + 1;
    uint64_t blocks = (atomic_load(&directory->size) + EROFS_BLOCK - 1) / EROFS_BLOCK;
    for (uint64_t index = next >> COOKIE_BITS; index < blocks; index++) {
        struct bm_inode_page block;
        int count = block_get(directory, index, &block);
        if (count < 0)
            return count;
        unsigned i = index == next >> COOKIE_BITS ? next & ((1u << COOKIE_BITS) - 1) : 0;
        for (; i < (unsigned)count; i++) {
            struct erofs_entry entry = bm_erofs_directory_entry(block.data, block.size, i, (unsigned)count);
            if (is_dots(&entry))
                continue;
            *to = (struct bm_inode_entry){.number = entry.inode,
                                          .cookie = (index << COOKIE_BITS | i) + FIRST_COOKIE,
                                          .type = entry.type,
                                          .length = (uint32_t)entry.length};
            __builtin_memcpy(to->name, entry.name, entry.length);
            page_put(directory, &block);
            return 1;
        }
        page_put(directory, &block);
    }
    return 0;
}

static const struct bm_inode_ops ops = {.lookup = look_up,
                                        .parent = parent,
                                        .entry = next_entry,
                                        .status = status,
                                        .unused = unused,
                                        .target = target,
                                        .page = page,
                                        .page_put = page_put,
                                        .extent = extent};

// --- Mounting ---

static int space(struct bm_mount *mount, struct bm_mount_space *said)
{
    const struct erofs *fs = (const struct erofs *)mount;
    said->block_size = EROFS_BLOCK;
    said->blocks = fs->super.blocks;
    said->inodes = fs->super.inodes;
    said->name_max = BM_NAME_MAX;
    said->magic = (uint32_t)EROFS_MAGIC;
    return 0;
}

static int read_super(struct bm_blockdev *device, struct erofs_super *super, const char **why)
{
    uint32_t sectors = EROFS_BLOCK / device->sector_size;
    uint8_t *block = bm_frame_allocate(0);
    int error = block ? 0 : -BM_ENOMEM;
    if (!error)
        error = device->sectors < sectors ? -BM_ENODEV : bm_block_read(device, 0, block, sectors);
    if (!error)
        error = bm_erofs_super_parse(block, device->sectors / sectors, super, why);
    if (block)
        bm_frame_free(block, 0);
    return error;
}

static int identify(struct bm_blockdev *device, struct bm_volume *volume)
{
    struct erofs_super super = {0};
    const char *why = NULL;
    int error = read_super(device, &super, &why);
    if (why) // it is, but cannot be used: who mounts it is told
        return 0;
    __builtin_memcpy(volume->id, super.id, sizeof volume->id);
    __builtin_memcpy(volume->label, super.label, sizeof super.label);
    return error;
}

static int root_get(struct erofs *fs, const char **why)
{
    int error = get(fs, fs->super.root, &fs->mount.root);
    *why = "its root cannot be read";
    if (!error && fs->mount.root->type != BM_FILE_DIRECTORY) {
        *why = "its root is no directory";
        bm_inode_put(fs->mount.root);
        error = -BM_EIO;
    }
    return error;
}

static int make(struct erofs *fs, struct bm_blockdev *device, const char **why)
{
    int error = read_super(device, &fs->super, why);
    if (!error)
        error = bm_page_cache_make(&fs->cache, device, 0);
    if (error)
        return error;
    fs->mount.kind = "erofs";
    fs->mount.source = device->name;
    fs->mount.read_only = true;
    fs->mount.space = space;
    fs->disk.ops = &disk_ops;
    fs->disk.mount = &fs->mount;
    fs->disk.number = UINT64_MAX; // no inode's
    atomic_store(&fs->disk.size, fs->super.blocks * EROFS_BLOCK);
    atomic_store(&fs->disk.references, 1);
    error = root_get(fs, why);
    if (error)
        bm_page_cache_end(&fs->cache);
    return error;
}

static int mount(struct bm_blockdev *device, struct bm_mount **made)
{
    const char *why = "it cannot be read";
    struct erofs *fs = bm_inode_memory_allocate(sizeof *fs);
    int error = fs ? make(fs, device, &why) : -BM_ENOMEM;
    if (!error) {
        *made = &fs->mount;
        return 0;
    }
    bm_inode_memory_free(fs, sizeof *fs);
    bm_log_error("erofs", "%s: %s (error %d)", device->name, error == -BM_ENOMEM ? "out of memory" : why,
                 -error);
    return error;
}

static void end(struct bm_mount *mount)
{
    struct erofs *fs = (struct erofs *)mount;
    bm_inode_put(mount->root);
    bm_page_cache_end(&fs->cache);
    bm_inode_memory_free(fs, sizeof *fs);
}

BM_FILE_SYSTEM(erofs) = {.name = "erofs", .identify = identify, .mount = mount, .end = end};
