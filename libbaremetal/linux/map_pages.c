// Mappings of files in memory: the file's pages are what is mapped, in private ones until they are written.
// SPDX-License-Identifier: MIT
#include "../memory/frame.h"
#include "../space/space.h"
#include "../thread/futex.h"
#include "linux.h"
#include "map.h"
#include "reach.h"

#include <baremetal/memory.h>

// Whoever maps files has calls look for their ends. The linker drops the pointer itself.
static const char *const reach_needed __attribute__((used)) = &bm_linux_reach_linked;

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

// What no page was made for yet is in the image's constants, as bytes that stay, or a hole.
static int page_private(void *object, uint64_t index, uint64_t *physical, struct bm_space_bytes *bytes)
{
    struct bm_inode *inode = object;
    struct bm_inode_page found;
    if (!inode->ops->shares || index * BM_PAGE_SIZE >= atomic_load(&inode->size))
        return -BM_EFAULT;
    int error = inode->ops->page(inode, index, BM_PAGE_READ, &found);
    if (!error && !found.data) {
        inode->ops->page_put(inode, &found);
        error = inode->ops->page(inode, index, BM_PAGE_WRITE, &found);
    }
    if (error)
        return error;
    if (found.keeper)
        *physical = bm_memory_physical(found.data);
    else
        *bytes = (struct bm_space_bytes){found.data, found.size};
    inode->ops->page_put(inode, &found);
    return 0;
}

static void hold(void *object)
{
    bm_inode_hold(object);
}

static void release(void *object)
{
    bm_inode_put(object);
}

static const struct bm_space_backing files = {
    .page = page, .page_private = page_private, .hold = hold, .release = release};

static int64_t map_object(struct bm_file *file, const struct bm_linux_mapping *what, unsigned protection)
{
    return bm_space_map_object(what->address, what->length, protection, what->keep, &files, file->inode,
                               (uint64_t)what->offset);
}

// Under the file's `busy`, so that no seal comes between.
static int64_t map_unsealed(struct bm_file *file, const struct bm_linux_mapping *what)
{
    unsigned protection = what->protection | BM_SPACE_SHARED;
    bool sealed = atomic_load(&file->inode->seals) & (BM_SEAL_WRITE | BM_SEAL_FUTURE_WRITE);
    if (sealed && protection & BM_SPACE_WRITE)
        return -BM_EPERM;
    if (sealed || (file->flags & LINUX_O_ACCMODE) != LINUX_O_RDWR)
        protection |= BM_SPACE_READ_ONLY;
    return map_object(file, what, protection);
}

int64_t bm_linux_map_pages(struct bm_file *file, const struct bm_linux_mapping *what, bool shared)
{
    unsigned protection = what->protection;
    int64_t mapped;
    if (shared) {
        bm_file_mutex_acquire(&file->inode->busy);
        mapped = map_unsealed(file, what);
        bm_file_mutex_release(&file->inode->busy);
    } else {
        mapped = map_object(file, what, protection);
    }
    if (what->populate && !bm_linux_is_error(mapped) && protection & BM_SPACE_ACCESS)
        bm_space_touch((uint64_t)mapped, what->length, protection & BM_SPACE_WRITE);
    return mapped;
}

// The file and the place in it, mixed into the 60 bits of a number that is no address (not canonical): two of
// the same key wake each other in vain, which is allowed, and does not happen.
const bm_futex *bm_futex_shared_key(const bm_futex *word)
{
    uint64_t address = (uint64_t)word, offset;
    const void *file =
        bm_space_backing && bm_space_holds(address) ? bm_space_shared_place(address, &offset) : NULL;
    if (!file)
        return word;
    uint64_t mixed =
        ((uint64_t)file * 0x9e3779b97f4a7c15 ^ offset) * 0xd1342543de82ef95; // odd: no bit is lost
    return (const bm_futex *)(1ull << 62 | (mixed >> 4 << 2));
}

// The rest of the file's last page is zeros already.
void bm_inode_unmap(struct bm_inode *inode, uint64_t size)
{
    bm_space_object_cut(inode, (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1));
}
