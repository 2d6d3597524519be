// Pages of files in memory: a tree of tables with 64 places, as high as the file is long.
// SPDX-License-Identifier: MIT
#include "tmpfs.h"

enum { TABLE_SIZE = TMPFS_FANOUT * sizeof(void *) };

// Pages that a tree of that height can hold, minus one.
static uint64_t last_index(unsigned height)
{
    return height * TMPFS_FANOUT_BITS >= 64 ? UINT64_MAX : (1ull << height * TMPFS_FANOUT_BITS) - 1;
}

static unsigned place_of(uint64_t index, unsigned height)
{
    return (unsigned)(index >> (height - 1) * TMPFS_FANOUT_BITS) % TMPFS_FANOUT;
}

static struct tmpfs_page *find(const struct tmpfs_data *data, uint64_t index)
{
    void *at = data->root;
    if (index > last_index(data->height))
        return NULL;
    for (unsigned height = data->height; at && height; height--)
        at = ((void **)at)[place_of(index, height)];
    return at;
}

// Where the page of an index belongs; NULL with *error. Tables that were made on the way stay.
static void **place_make(struct tmpfs_node *node, uint64_t index, int *error)
{
    struct tmpfs_data *data = &node->data;
    while (index > last_index(data->height)) {
        if (data->root) {
            void **table = bm_tmpfs_allocate(tmpfs_of(node), TABLE_SIZE, error);
            if (!table)
                return NULL;
            table[0] = data->root;
            data->root = table;
        }
        data->height++;
    }
    void **at = &data->root;
    for (unsigned height = data->height; height; height--) {
        if (!*at && !(*at = bm_tmpfs_allocate(tmpfs_of(node), TABLE_SIZE, error)))
            return NULL;
        at = &((void **)*at)[place_of(index, height)];
    }
    return at;
}

static size_t lower_bytes(const struct tmpfs_data *data, uint64_t index)
{
    uint64_t begin = index * BM_PAGE_SIZE;
    if (begin >= data->lower_size)
        return 0;
    return data->lower_size - begin < BM_PAGE_SIZE ? data->lower_size - begin : BM_PAGE_SIZE;
}

static void page_drop(struct tmpfs *fs, struct tmpfs_page *page)
{
    if (--page->references)
        return;
    bm_tmpfs_free(fs, page->data, BM_PAGE_SIZE);
    bm_tmpfs_free(fs, page, sizeof *page);
}

static struct tmpfs_page *page_make(struct tmpfs_node *node, uint64_t index, int *error)
{
    void **place = place_make(node, index, error);
    if (!place || *place)
        return place ? *place : NULL;
    struct tmpfs *fs = tmpfs_of(node);
    struct tmpfs_page *page = bm_tmpfs_allocate(fs, sizeof *page, error);
    if (!page)
        return NULL;
    page->data = bm_tmpfs_allocate(fs, BM_PAGE_SIZE, error);
    if (!page->data) {
        bm_tmpfs_free(fs, page, sizeof *page);
        return NULL;
    }
    size_t lower = lower_bytes(&node->data, index);
    if (lower)
        __builtin_memcpy(page->data, node->data.lower + index * BM_PAGE_SIZE, lower);
    page->references = 1;
    node->data.pages++;
    *place = page;
    return page;
}

int bm_tmpfs_page_get(struct bm_inode *inode, uint64_t index, enum bm_page_use use,
                      struct bm_inode_page *page)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    struct tmpfs *fs = tmpfs_of(node);
    int error = 0;
    bm_spinlock_acquire(&fs->lock);
    struct tmpfs_page *found = find(&node->data, index);
    if (!found && use != BM_PAGE_READ)
        found = page_make(node, index, &error);
    *page = (struct bm_inode_page){.keeper = found};
    if (found) {
        found->references++;
        page->data = found->data;
        page->size = BM_PAGE_SIZE;
    } else if (!error) {
        page->size = lower_bytes(&node->data, index);
        page->data = page->size ? (char *)(uintptr_t)node->data.lower + index * BM_PAGE_SIZE : NULL;
    }
    bm_spinlock_release(&fs->lock);
    return error;
}

void bm_tmpfs_page_put(struct bm_inode *inode, struct bm_inode_page *page)
{
    struct tmpfs *fs = tmpfs_of(tmpfs_node_of(inode));
    if (!page->keeper)
        return;
    bm_spinlock_acquire(&fs->lock);
    page_drop(fs, page->keeper);
    bm_spinlock_release(&fs->lock);
}

// Drops the pages from `first` on (counted from the subtree's begin); whether the subtree is empty then, and
// gone.
static bool cut(struct tmpfs_node *node, void *at, unsigned height, uint64_t first)
{
    struct tmpfs *fs = tmpfs_of(node);
    if (height == 0) {
        if (first)
            return false;
        node->data.pages--;
        page_drop(fs, at);
        return true;
    }
    void **table = at;
    bool empty = true;
    for (unsigned i = 0; i < TMPFS_FANOUT; i++) {
        uint64_t begin = (uint64_t)i << (height - 1) * TMPFS_FANOUT_BITS;
        uint64_t end = begin + last_index(height - 1);
        if (table[i] && end >= first && cut(node, table[i], height - 1, first > begin ? first - begin : 0))
            table[i] = NULL;
        empty &= !table[i];
    }
    if (empty)
        bm_tmpfs_free(fs, table, TABLE_SIZE);
    return empty;
}

void bm_tmpfs_truncate(struct tmpfs_node *node, uint64_t size)
{
    struct tmpfs_data *data = &node->data;
    uint64_t old = atomic_load(&node->inode.size);
    atomic_store(&node->inode.size, size);
    if (size > old)
        return;
    if (data->lower_size > size)
        data->lower_size = size;
    uint64_t first = size / BM_PAGE_SIZE + (size % BM_PAGE_SIZE != 0);
    if (data->root && last_index(data->height) >= first && cut(node, data->root, data->height, first)) {
        data->root = NULL;
        data->height = 0;
    }
    struct tmpfs_page *page = size % BM_PAGE_SIZE ? find(data, size / BM_PAGE_SIZE) : NULL;
    if (page)
        __builtin_memset((char *)page->data + size % BM_PAGE_SIZE, 0, BM_PAGE_SIZE - size % BM_PAGE_SIZE);
}
