// BMFS, the file system of BareMetal's disks, read-only: QEMU: -drive if=none,id=d,file=bmfs.img,format=raw
// -device virtio-blk-pci,drive=d; mount=/data=vda.
// SPDX-License-Identifier: MIT
//
// The directory is read once, when the disk is mounted: a root with at most 64 files, whose inodes are here
// as long as the mount is. Their bytes come through the page cache.
#include "bmfs_parse.h"

#include <baremetal/error.h>
#include <baremetal/file_system.h>
#include <baremetal/log.h>
#include <baremetal/page_cache.h>

enum { ROOT_NUMBER = 1, FIRST_NUMBER = 2, FIRST_COOKIE = 3, MAGIC = 0x53464d42 };

struct bmfs {
    struct bm_mount mount;
    struct bm_page_cache cache;
    struct bm_inode root, inode[BMFS_RECORDS];
    struct bmfs_files files;
};

static struct bmfs *bmfs_of(const struct bm_inode *inode)
{
    return (struct bmfs *)inode->mount;
}

static const struct bmfs_file *file_of(const struct bm_inode *inode)
{
    return &bmfs_of(inode)->files.file[inode->number - FIRST_NUMBER];
}

// --- Files ---

static int extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent)
{
    const struct bmfs_file *file = file_of(inode);
    (void)allocate;
    if (at >= file->size)
        return -BM_EIO;
    *extent = (struct bm_inode_extent){.length = (file->size + BM_PAGE_SIZE - 1) &
                                                 ~(uint64_t)(BM_PAGE_SIZE - 1), // blocks are larger
                                       .sector = file->first / bmfs_of(inode)->cache.device->sector_size};
    return 0;
}

static int page(struct bm_inode *inode, uint64_t index, enum bm_page_use use, struct bm_inode_page *page)
{
    uint64_t size = file_of(inode)->size;
    (void)use;
    *page = (struct bm_inode_page){0};
    if (index >= (size + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE)
        return 0;
    int error = bm_page_cache_get(&bmfs_of(inode)->cache, inode, index, page);
    if (!error && page->data && index == size / BM_PAGE_SIZE)
        page->size = size % BM_PAGE_SIZE; // behind it are bytes of a file that was there before
    return error;
}

static void page_put(struct bm_inode *inode, struct bm_inode_page *page)
{
    bm_page_cache_put(&bmfs_of(inode)->cache, page);
}

static int status(struct bm_inode *inode, struct bm_file_status *said)
{
    said->mode = inode->type | (inode->type == BM_FILE_DIRECTORY ? 0755 : 0644);
    said->links = inode->type == BM_FILE_DIRECTORY ? 2 : 1;
    said->blocks = (atomic_load(&inode->size) + 511) / 512;
    return 0;
}

// Inodes stay as long as their mount.
static void unused(struct bm_inode *inode)
{
    atomic_fetch_sub(&inode->references, 1);
}

static const struct bm_inode_ops file_ops = {
    .status = status, .unused = unused, .page = page, .page_put = page_put, .extent = extent};

// --- The root ---

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    struct bmfs *fs = bmfs_of(directory);
    for (unsigned i = 0; i < fs->files.count; i++) {
        const struct bmfs_file *file = &fs->files.file[i];
        if (file->length != length || __builtin_memcmp(file->name, name, length))
            continue;
        *found = &fs->inode[i];
        bm_inode_hold(*found);
        return 0;
    }
    return -BM_ENOENT;
}

static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    *found = directory;
    bm_inode_hold(directory);
    return 0;
}

static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    const struct bmfs_files *files = &bmfs_of(directory)->files;
    uint64_t index = after < FIRST_COOKIE ? 0 : after - FIRST_COOKIE + 1;
    if (index >= files->count)
        return 0;
    const struct bmfs_file *file = &files->file[index];
    *to = (struct bm_inode_entry){.number = index + FIRST_NUMBER,
                                  .cookie = index + FIRST_COOKIE,
                                  .type = BM_FILE_REGULAR,
                                  .length = file->length};
    __builtin_memcpy(to->name, file->name, file->length);
    return 1;
}

static const struct bm_inode_ops root_ops = {
    .lookup = look_up, .parent = parent, .entry = next_entry, .status = status, .unused = unused};

// --- Mounting ---

static int space(struct bm_mount *mount, struct bm_mount_space *said)
{
    const struct bmfs *fs = (const struct bmfs *)mount;
    const struct bm_blockdev *device = fs->cache.device;
    said->block_size = BM_PAGE_SIZE;
    said->blocks = device->sectors / (BM_PAGE_SIZE / device->sector_size);
    said->inodes = fs->files.count;
    said->name_max = BMFS_NAME - 1;
    said->magic = MAGIC;
    return 0;
}

static int read_files(struct bm_blockdev *device, struct bmfs_files *files)
{
    enum { ORDER = 1 }; // two pages
    _Static_assert(BMFS_HEAD == BM_PAGE_SIZE << ORDER, "the head is read into frames");
    uint32_t sectors = BMFS_HEAD / device->sector_size;
    if (device->sectors < sectors)
        return -BM_ENODEV;
    uint8_t *head = bm_frame_allocate(ORDER);
    int error = head ? bm_block_read(device, 0, head, sectors) : -BM_ENOMEM;
    if (!error)
        error = bm_bmfs_parse(head, device->sectors / (BMFS_BLOCK / device->sector_size), files);
    if (head)
        bm_frame_free(head, ORDER);
    return error;
}

static int identify(struct bm_blockdev *device, struct bm_volume *volume)
{
    (void)volume; // neither a name nor an identity
    struct bmfs_files *files = bm_inode_memory_allocate(sizeof *files);
    int error = files ? read_files(device, files) : -BM_ENOMEM;
    if (files)
        bm_inode_memory_free(files, sizeof *files);
    return error;
}

static void inode_make(struct bmfs *fs, struct bm_inode *inode, uint64_t number, uint32_t type)
{
    inode->ops = type == BM_FILE_DIRECTORY ? &root_ops : &file_ops;
    inode->mount = &fs->mount;
    inode->number = number;
    inode->type = type;
}

static int make(struct bmfs *fs, struct bm_blockdev *device)
{
    int error = read_files(device, &fs->files);
    if (!error)
        error = bm_page_cache_make(&fs->cache, device, 0);
    if (error)
        return error;
    if (fs->files.wrong)
        bm_log_warn("bmfs", "%s: left out are records whose name or place cannot be: %u", device->name,
                    fs->files.wrong);
    inode_make(fs, &fs->root, ROOT_NUMBER, BM_FILE_DIRECTORY);
    bm_inode_hold(&fs->root);
    for (unsigned i = 0; i < fs->files.count; i++) {
        inode_make(fs, &fs->inode[i], i + FIRST_NUMBER, BM_FILE_REGULAR);
        atomic_store(&fs->inode[i].size, fs->files.file[i].size);
    }
    fs->mount.kind = "bmfs";
    fs->mount.source = device->name;
    fs->mount.read_only = true;
    fs->mount.space = space;
    fs->mount.root = &fs->root;
    return 0;
}

static int mount(struct bm_blockdev *device, struct bm_mount **made)
{
    struct bmfs *fs = bm_inode_memory_allocate(sizeof *fs);
    int error = fs ? make(fs, device) : -BM_ENOMEM;
    if (!error) {
        *made = &fs->mount;
        return 0;
    }
    bm_inode_memory_free(fs, sizeof *fs);
    bm_log_error("bmfs", "%s: %s (error %d)", device->name,
                 error == -BM_ENOMEM ? "out of memory" : "it cannot be read", -error);
    return error;
}

static void end(struct bm_mount *mount)
{
    struct bmfs *fs = (struct bmfs *)mount;
    bm_inode_put(mount->root);
    bm_page_cache_end(&fs->cache);
    bm_inode_memory_free(fs, sizeof *fs);
}

BM_FILE_SYSTEM(bmfs) = {.name = "bmfs", .identify = identify, .mount = mount, .end = end};
