// Shared mappings of files in memory: the file's pages are what is mapped.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "linux.h"
#include "map.h"

#include <baremetal/memory.h>

// In a page fault. Behind the end nothing is made: who has shortened the file takes the mappings away next.
static int page(void *object, uint64_t index, bool write, uint64_t *physical)
{
    struct bm_inode *inode = object;
    struct bm_inode_page found;
    if (index * BM_PAGE_SIZE >= atomic_load(&inode->size))
        return -BM_EFAULT;
    int error = inode->ops->page(inode, index, BM_PAGE_WRITE, &found);
    if (error)
        return error;
    *physical = bm_memory_physical(found.data);
    inode->ops->page_put(inode, &found);
    return write ? inode->ops->written(inode, 0) : 0; // the time
}

static void hold(void *object)
{
    bm_inode_hold(object);
}

static void release(void *object)
{
    bm_inode_put(object);
}

static const struct bm_space_backing files = {.page = page, .hold = hold, .release = release};

// Under the file's `busy`, so that no seal comes between.
static int64_t map_unsealed(struct bm_file *file, const struct bm_linux_mapping *what)
{
    unsigned protection = what->protection;
    bool sealed = atomic_load(&file->inode->seals) & (BM_SEAL_WRITE | BM_SEAL_FUTURE_WRITE);
    if (sealed && protection & BM_SPACE_WRITE)
        return -BM_EPERM;
    if (sealed || (file->flags & LINUX_O_ACCMODE) != LINUX_O_RDWR)
        protection |= BM_SPACE_READ_ONLY;
    return bm_space_map_object(what->address, what->length, protection, what->keep, &files, file->inode,
                               (uint64_t)what->offset);
}

int64_t bm_linux_map_shared(struct bm_file *file, const struct bm_linux_mapping *what)
{
    unsigned protection = what->protection;
    bm_file_mutex_acquire(&file->inode->busy);
    int64_t mapped = map_unsealed(file, what);
    bm_file_mutex_release(&file->inode->busy);
    if (what->populate && !bm_linux_is_error(mapped) && protection & BM_SPACE_ACCESS)
        bm_space_touch((uint64_t)mapped, what->length, protection & BM_SPACE_WRITE);
    return mapped;
}

// The rest of the file's last page is zeros already.
void bm_inode_unmap(struct bm_inode *inode, uint64_t size)
{
    bm_space_object_cut(inode, (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1));
}
