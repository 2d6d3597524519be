// ext4 on a disk: mkfs.ext4 -d folder disk.img 64M; QEMU: -drive if=none,id=d,file=disk.img,format=raw
// -device virtio-blk-pci,drive=d; mount=/data=vda.
// SPDX-License-Identifier: MIT
//
// Inodes in memory are kept in a table while somebody has them, so that one file has one. The format is the
// core's (ext4_core.h), under one lock; a file's pages are in the page cache, where they are read without it
// once it is known where they lie.
#include "ext4_mounted.h"

#include <baremetal/error.h>
#include <baremetal/file_system.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

enum {
    FIRST_COOKIE = 3,
    SECTOR_BITS = 9,
    BUFFERS = 1024,     // of metadata, at most
    BUFFERS_SHARE = 16, // and this part of the memory
    REPORTS = 10        // of damage that are logged
};

// --- The disk, for the core ---

static int disk_read(void *arg, uint64_t at, void *to, size_t size)
{
    struct bm_blockdev *device = ((struct ext4_mounted *)arg)->device;
    return bm_block_read(device, at / device->sector_size, to, (uint32_t)(size / device->sector_size));
}

static int disk_write(void *arg, uint64_t at, const void *from, size_t size)
{
    struct bm_blockdev *device = ((struct ext4_mounted *)arg)->device;
    return bm_block_write(device, at / device->sector_size, from, (uint32_t)(size / device->sector_size), 0);
}

static int disk_flush(void *arg)
{
    return bm_block_flush(((struct ext4_mounted *)arg)->device);
}

static int64_t disk_now(void *arg)
{
    (void)arg;
    return (int64_t)bm_time_wall();
}

static void disk_report(void *arg, const char *what, uint64_t where)
{
    struct ext4_mounted *fs = arg;
    const char *rest = what;
    while (*rest && *rest != '%')
        rest++;
    if (fs->reports++ < REPORTS)
        bm_log_error("ext4", "%s: %.*s%lu%s", fs->device->name, (int)(rest - what), what, where,
                     *rest ? rest + 3 : "");
}

static void disk_begin(struct ext4_mounted *fs, struct bm_blockdev *device)
{
    fs->device = device;
    fs->disk = (struct ext4_disk){.arg = fs,
                                  .size = device->sectors * device->sector_size,
                                  .sector_size = device->sector_size,
                                  .read_only = device->read_only,
                                  .read = disk_read,
                                  .write = disk_write,
                                  .flush = disk_flush,
                                  .now = disk_now,
                                  .report = disk_report};
}

// --- Pages ---

static int extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct ext4_extent found = {0};
    unsigned bits = fs->fs.super.block_bits;
    (void)allocate;
    bm_file_mutex_acquire(&fs->lock);
    int error = bm_ext4_map(&fs->fs, ext4_fields_of(inode), at >> bits, &found);
    bm_file_mutex_release(&fs->lock);
    if (error)
        return error;
    *extent = (struct bm_inode_extent){.first = found.first << bits,
                                       .length = found.count << bits,
                                       .sector = (found.block << bits) / fs->device->sector_size,
                                       .hole = found.hole};
    return 0;
}

static int page(struct bm_inode *inode, uint64_t index, enum bm_page_use use, struct bm_inode_page *page)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    *page = (struct bm_inode_page){0};
    if (use != BM_PAGE_READ)
        return -BM_EOPNOTSUPP;
    if (index * BM_PAGE_SIZE >= atomic_load(&inode->size))
        return 0;
    int error = bm_page_cache_get(&fs->cache, inode, index, page);
    uint64_t size = atomic_load(&inode->size); // it may have been cut meanwhile
    if (error || !page->data)
        return error;
    if (index * BM_PAGE_SIZE >= size)
        bm_page_cache_put(&fs->cache, page);
    else if (size - index * BM_PAGE_SIZE < BM_PAGE_SIZE)
        page->size = size % BM_PAGE_SIZE;
    return 0;
}

static void page_put(struct bm_inode *inode, struct bm_inode_page *page)
{
    bm_page_cache_put(&ext4_mounted_of(inode)->cache, page);
}

// --- Inodes ---

struct ext4_node *bm_ext4_node_make(struct ext4_mounted *fs, const struct ext4_inode *fields)
{
    struct ext4_node *node = bm_inode_memory_allocate(sizeof *node);
    if (!node)
        return NULL;
    node->inode.ops = &fs->ops;
    node->inode.mount = &fs->mount;
    node->inode.number = fields->number;
    node->inode.type = fields->mode & BM_FILE_TYPE;
    bool device = node->inode.type == BM_FILE_CHARACTER || node->inode.type == BM_FILE_BLOCK;
    node->inode.special = device ? bm_ext4_device(fields) : 0;
    atomic_store(&node->inode.size, fields->size);
    atomic_store(&node->inode.references, 1);
    node->fields = *fields;
    node->chain = fs->nodes[fields->number % EXT4_NODE_BUCKETS];
    fs->nodes[fields->number % EXT4_NODE_BUCKETS] = node;
    return node;
}

int bm_ext4_node_get(struct ext4_mounted *fs, uint32_t number, struct ext4_node **found)
{
    struct ext4_inode fields;
    struct ext4_node *node = fs->nodes[number % EXT4_NODE_BUCKETS];
    while (node && node->inode.number != number)
        node = node->chain;
    *found = node;
    if (node) {
        bm_inode_hold(&node->inode);
        return 0;
    }
    bool reserved = number < fs->fs.super.first_inode && number != EXT4_ROOT; // the journal, and so on
    int error = reserved ? bm_ext4_damaged(&fs->fs, "inode %lu is reserved and has a name", number)
                         : bm_ext4_inode_get(&fs->fs, number, &fields);
    if (error == -BM_ESTALE || (!error && !fields.links))
        error = bm_ext4_damaged(&fs->fs, "inode %lu has a name and is not in use", number);
    *found = error ? NULL : bm_ext4_node_make(fs, &fields);
    return error || *found ? error : -BM_ENOMEM;
}

static void unused(struct bm_inode *inode)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    bm_file_mutex_acquire(&fs->lock);
    bool last = atomic_fetch_sub(&inode->references, 1) == 1;
    struct ext4_node **link = &fs->nodes[inode->number % EXT4_NODE_BUCKETS];
    while (last && *link != (struct ext4_node *)inode)
        link = &(*link)->chain;
    if (last)
        *link = (*link)->chain;
    bm_file_mutex_release(&fs->lock);
    if (last && !ext4_fields_of(inode)->links && &bm_ext4_writing)
        bm_ext4_writing.unnamed(fs, (struct ext4_node *)inode);
    if (last)
        bm_inode_memory_free(inode, sizeof(struct ext4_node));
}

static int status(struct bm_inode *inode, struct bm_file_status *said)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    const struct ext4_inode *fields = ext4_fields_of(inode);
    bm_file_mutex_acquire(&fs->lock);
    said->mode = fields->mode;
    said->links = fields->links;
    said->owner = fields->owner;
    said->group = fields->group;
    said->blocks = fields->blocks;
    if (inode->type != BM_FILE_REGULAR)
        said->size = fields->size;
    said->accessed = fields->accessed;
    said->modified = fields->modified;
    said->changed = fields->changed;
    bm_file_mutex_release(&fs->lock);
    return 0;
}

static long target(struct bm_inode *inode, char *buffer, size_t size)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    bm_file_mutex_acquire(&fs->lock);
    long length = bm_ext4_link_read(&fs->fs, ext4_fields_of(inode), buffer, size);
    bm_file_mutex_release(&fs->lock);
    return length;
}

// --- Directories ---

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    struct ext4_node *node = NULL;
    uint32_t number = 0;
    bm_file_mutex_acquire(&fs->lock);
    int error = bm_ext4_directory_find(&fs->fs, ext4_fields_of(directory), name, length, &number);
    if (!error)
        error = bm_ext4_node_get(fs, number, &node);
    bm_file_mutex_release(&fs->lock);
    if (!error)
        *found = &node->inode;
    return error;
}

static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    int error = look_up(directory, "..", 2, found);
    if (!error && (*found)->type != BM_FILE_DIRECTORY) {
        bm_inode_put(*found);
        error = -BM_EIO;
    }
    return error == -BM_ENOENT ? -BM_EIO : error;
}

static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    struct ext4_entry entry;
    uint64_t place = after < FIRST_COOKIE ? 0 : after - FIRST_COOKIE;
    bm_file_mutex_acquire(&fs->lock);
    int found = bm_ext4_directory_next(&fs->fs, ext4_fields_of(directory), place, &entry);
    bm_file_mutex_release(&fs->lock);
    if (found <= 0)
        return found;
    *to = (struct bm_inode_entry){.number = entry.inode,
                                  .cookie = entry.next + FIRST_COOKIE,
                                  .type = entry.type,
                                  .length = entry.length};
    __builtin_memcpy(to->name, entry.name, entry.length);
    return 1;
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
    struct ext4_mounted *fs = (struct ext4_mounted *)mount;
    bm_file_mutex_acquire(&fs->lock);
    int error = bm_ext4_count_free(&fs->fs, &said->free, &said->inodes_free);
    bm_file_mutex_release(&fs->lock);
    said->block_size = fs->fs.super.block_size;
    said->blocks = fs->fs.super.blocks;
    said->inodes = fs->fs.super.inodes;
    said->name_max = BM_NAME_MAX;
    said->magic = EXT4_MAGIC;
    return error;
}

static int identify(struct bm_blockdev *device, struct bm_volume *volume)
{
    struct ext4_super super = {0};
    const char *why = NULL;
    uint32_t sectors = BM_PAGE_SIZE / device->sector_size;
    uint8_t *bytes = bm_inode_memory_allocate(BM_PAGE_SIZE);
    int error = bytes ? 0 : -BM_ENOMEM;
    if (!error)
        error = device->sectors < sectors ? -BM_ENODEV : bm_block_read(device, 0, bytes, sectors);
    if (!error)
        error = bm_ext4_super_parse(bytes + EXT4_SUPER_OFFSET, device->sectors * device->sector_size, &super,
                                    &why);
    bm_inode_memory_free(bytes, BM_PAGE_SIZE);
    __builtin_memcpy(volume->id, super.uuid, sizeof volume->id);
    __builtin_memcpy(volume->label, super.label, sizeof super.label);
    return why ? 0 : error; // it is, but cannot be used: who mounts it is told
}

static uint32_t buffers_max(void)
{
    uint64_t share = bm_memory_statistics_get().total / BM_PAGE_SIZE / BUFFERS_SHARE;
    return share < BUFFERS ? (uint32_t)share : BUFFERS;
}

// Where it may be written and what writes is linked. That it can only be read is no error.
static int begin_writing(struct ext4_mounted *fs, const char **why)
{
    if (!&bm_ext4_writing || fs->asked_read_only || fs->fs.why_read_only || fs->device->read_only)
        return 0;
    int error = bm_ext4_writing.begin(fs, why);
    if (error == -BM_EROFS) {
        fs->fs.why_read_only = *why;
        return 0;
    }
    fs->fs.read_only = error != 0;
    return error;
}

static int make(struct ext4_mounted *fs, struct bm_blockdev *device, const char **why)
{
    disk_begin(fs, device);
    fs->mount.kind = "ext4";
    fs->mount.source = device->name;
    fs->mount.space = space;
    int error = bm_page_cache_make(&fs->cache, device, 0);
    if (error)
        return error;
    error = bm_ext4_mount(&fs->fs, &fs->disk, buffers_max(), why);
    if (error) {
        bm_page_cache_end(&fs->cache);
        return error;
    }
    if (fs->fs.replayed)
        bm_log_info("ext4", "%s was not unmounted: its journal has been replayed", device->name);
    fs->ops = ops;
    error = begin_writing(fs, why);
    if (error) {
        bm_ext4_unmount(&fs->fs);
        bm_page_cache_end(&fs->cache);
        return error;
    }
    fs->mount.read_only = fs->fs.read_only;
    if (fs->fs.why_read_only)
        bm_log_warn("ext4", "%s is mounted read-only: %s", device->name, fs->fs.why_read_only);
    struct ext4_node *root = NULL;
    error = bm_ext4_node_get(fs, EXT4_ROOT, &root);
    fs->mount.root = root ? &root->inode : NULL;
    if (error) {
        if (&bm_ext4_writing)
            bm_ext4_writing.end(fs);
        bm_ext4_unmount(&fs->fs);
        bm_page_cache_end(&fs->cache);
    }
    return error;
}

static int mount_as(struct bm_blockdev *device, bool read_only, struct bm_mount **made)
{
    const char *why = "it cannot be read";
    struct ext4_mounted *fs = bm_inode_memory_allocate(sizeof *fs);
    if (fs)
        fs->asked_read_only = read_only;
    int error = fs ? make(fs, device, &why) : -BM_ENOMEM;
    if (!error) {
        *made = &fs->mount;
        return 0;
    }
    bm_inode_memory_free(fs, sizeof *fs);
    bm_log_error("ext4", "%s: %s (error %d)", device->name, error == -BM_ENOMEM ? "out of memory" : why,
                 -error);
    return error;
}

static int mount(struct bm_blockdev *device, struct bm_mount **made)
{
    return mount_as(device, false, made);
}

static int mount_read_only(struct bm_blockdev *device, struct bm_mount **made)
{
    return mount_as(device, true, made);
}

static void end(struct bm_mount *mount)
{
    struct ext4_mounted *fs = (struct ext4_mounted *)mount;
    bm_inode_put(mount->root);
    if (&bm_ext4_writing)
        bm_ext4_writing.end(fs);
    bm_ext4_unmount(&fs->fs);
    bm_page_cache_end(&fs->cache);
    bm_inode_memory_free(fs, sizeof *fs);
}

BM_FILE_SYSTEM(ext4) = {
    .name = "ext4", .identify = identify, .mount = mount, .mount_read_only = mount_read_only, .end = end};
