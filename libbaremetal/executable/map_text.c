// Text that a program maps from a file, as dynamic loaders do: only what stands in the image's own constants,
// on pages of its own, where nobody can change it.
// SPDX-License-Identifier: MIT
#include "../linux/linux.h"
#include "../space/space.h"

#include <baremetal/inode.h>
#include <baremetal/memory.h>

// Whether all behind the file's last byte on its page is zeros: no other file's.
static bool ends_in_zeros(const char *data, size_t size)
{
    for (; size < BM_PAGE_SIZE; size++)
        if (data[size])
            return false;
    return true;
}

// The address of a page of the file; NULL when it has no page of its own in the image.
static const char *page_at(struct bm_inode *inode, uint64_t index)
{
    struct bm_inode_page page;
    if (inode->ops->page(inode, index, BM_PAGE_READ, &page))
        return NULL;
    const char *data = page.data;
    bool own =
        data && !((uintptr_t)data & (BM_PAGE_SIZE - 1)) && !page.keeper && ends_in_zeros(data, page.size);
    inode->ops->page_put(inode, &page);
    return own ? data : NULL;
}

// All of it, one page behind the other.
static const char *find_text(struct bm_inode *inode, uint64_t offset, uint64_t length)
{
    const char *begin = page_at(inode, offset / BM_PAGE_SIZE);
    for (uint64_t at = BM_PAGE_SIZE; begin && at < length; at += BM_PAGE_SIZE)
        if (page_at(inode, (offset + at) / BM_PAGE_SIZE) != begin + at)
            return NULL;
    return begin;
}

static int64_t map_text(struct bm_file *file, uint64_t address, uint64_t length, uint64_t offset)
{
    struct bm_inode *inode = file->inode;
    if (!inode || inode->type != BM_FILE_REGULAR || !inode->ops->page || file->flags & LINUX_O_PATH)
        return -BM_ENODEV;
    const char *text = find_text(inode, offset, length);
    if (!text)
        return -BM_EACCES;
    int64_t place = address ? (int64_t)address : bm_space_map(0, length, BM_SPACE_NONE, false);
    if (place < 0)
        return place;
    int error = bm_space_unmap((uint64_t)place, length);
    if (!error)
        error = bm_space_map_image((uint64_t)place, text, length, true);
    return error ? error : place;
}

long bm_executable_map_text(uint64_t address, uint64_t length, int flags, int descriptor, long offset)
{
    bool fixed = flags & LINUX_MAP_FIXED;
    length = (length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    if (!length || offset < 0 || (address | (uint64_t)offset) & (BM_PAGE_SIZE - 1) ||
        length > INT64_MAX / 2 || (flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE || (fixed && !address))
        return -BM_EINVAL;
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, map_text(file, fixed ? address : 0, length, (uint64_t)offset));
}
