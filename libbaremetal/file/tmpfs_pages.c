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
    bm_tmpfs_lock(fs);
    struct tmpfs_page *found = find(&node->data, index);
    if (!found && use != BM_PAGE_READ)
        found = page_make(node, index, &error);
    *page = (struct bm_inode_page){.keeper = found};
    if (found) {
        found->references++;
        if (use != BM_PAGE_READ)
            found->state = TMPFS_PAGE_WRITTEN;
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
    bm_tmpfs_lock(fs);
    page_drop(fs, page->keeper);
    bm_spinlock_release(&fs->lock);
}

// Pages to be dropped.
struct cut {
    struct tmpfs_node *node;
    uint64_t first, last; // their indices
    bool taken;           // only those of the fallocate under way
    unsigned left;        // how many may be dropped
};

// Drops pages of a subtree that begins with the index `base`; whether it is empty then, and gone.
static bool cut_below(struct cut *cut, void *at, unsigned height, uint64_t base)
{
    struct tmpfs *fs = tmpfs_of(cut->node);
    if (cut->left == 0)
        return false;
    if (height == 0) {
        struct tmpfs_page *page = at;
        if (base < cut->first || base > cut->last || (cut->taken && page->state != TMPFS_PAGE_TAKEN))
            return false;
        cut->left--;
        cut->node->data.pages--;
        page_drop(fs, page);
        return true;
    }
    void **table = at;
    bool empty = true;
    for (unsigned i = 0; i < TMPFS_FANOUT; i++) {
        uint64_t begin = base + ((uint64_t)i << (height - 1) * TMPFS_FANOUT_BITS);
        uint64_t end = begin + last_index(height - 1);
        if (table[i] && end >= cut->first && begin <= cut->last &&
            cut_below(cut, table[i], height - 1, begin))
            table[i] = NULL;
        empty &= !table[i];
    }
    if (empty)
        bm_tmpfs_free(fs, table, TABLE_SIZE);
    return empty;
}

// Takes off tables at the top that lead to the first pages only.
static void make_lower(struct tmpfs_node *node)
{
    struct tmpfs_data *data = &node->data;
    while (data->height) {
        void **table = data->root;
        for (unsigned i = 1; table && i < TMPFS_FANOUT; i++)
            if (table[i])
                return;
        data->height--;
        if (table) {
            data->root = table[0];
            bm_tmpfs_free(tmpfs_of(node), table, TABLE_SIZE);
        }
    }
}

static void cut_pages(struct cut *cut)
{
    struct tmpfs_data *data = &cut->node->data;
    if (data->root && last_index(data->height) >= cut->first && cut_below(cut, data->root, data->height, 0))
        data->root = NULL;
    make_lower(cut->node);
}

bool bm_tmpfs_cut(struct tmpfs_node *node, uint64_t size)
{
    struct cut cut = {.node = node,
                      .first = size / BM_PAGE_SIZE + (size % BM_PAGE_SIZE != 0),
                      .last = UINT64_MAX,
                      .left = TMPFS_SLICE};
    cut_pages(&cut);
    return cut.left == 0;
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
    struct tmpfs_page *page = size % BM_PAGE_SIZE ? find(data, size / BM_PAGE_SIZE) : NULL;
    if (page)
        __builtin_memset((char *)page->data + size % BM_PAGE_SIZE, 0, BM_PAGE_SIZE - size % BM_PAGE_SIZE);
}

static int take_page(struct tmpfs_node *node, uint64_t index)
{
    int error = 0;
    bm_tmpfs_lock(tmpfs_of(node));
    struct tmpfs_page *page = find(&node->data, index);
    if (page)
        page->state = TMPFS_PAGE_WRITTEN; // as Linux has it: zeros that were asked for twice are data
    else if ((page = page_make(node, index, &error)))
        page->state = TMPFS_PAGE_TAKEN;
    bm_spinlock_release(&tmpfs_of(node)->lock);
    return error;
}

// The pages that were taken from `first` to `last`, a slice at most, stay or go.
static void settle(struct tmpfs_node *node, uint64_t first, uint64_t last, bool keep)
{
    bm_tmpfs_lock(tmpfs_of(node));
    for (uint64_t index = first; keep && index <= last; index++) {
        struct tmpfs_page *page = find(&node->data, index);
        if (page && page->state == TMPFS_PAGE_TAKEN)
            page->state = lower_bytes(&node->data, index) ? TMPFS_PAGE_WRITTEN : TMPFS_PAGE_RESERVED;
    }
    if (!keep)
        cut_pages(
            &(struct cut){.node = node, .first = first, .last = last, .taken = true, .left = UINT32_MAX});
    bm_spinlock_release(&tmpfs_of(node)->lock);
}

int bm_tmpfs_pages_allocate(struct bm_inode *inode, uint64_t first, uint64_t last)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    uint64_t end = first;
    int error = 0;
    for (; !error && end <= last; end++)
        error = take_page(node, end);
    for (uint64_t at = first; at < end; at += TMPFS_SLICE)
        settle(node, at, end - at > TMPFS_SLICE ? at + TMPFS_SLICE - 1 : end - 1, !error);
    return error;
}

// The index of the first page of a subtree that is not before `first`; UINT64_MAX: there is none.
static uint64_t next_below(void *at, unsigned height, uint64_t base, uint64_t first)
{
    if (height == 0)
        return base >= first ? base : UINT64_MAX;
    void **table = at;
    for (unsigned i = 0; i < TMPFS_FANOUT; i++) {
        uint64_t begin = base + ((uint64_t)i << (height - 1) * TMPFS_FANOUT_BITS);
        if (!table[i] || begin + last_index(height - 1) < first)
            continue;
        uint64_t found = next_below(table[i], height - 1, begin, first);
        if (found != UINT64_MAX)
            return found;
    }
    return UINT64_MAX;
}

static bool has_data(struct tmpfs_node *node, uint64_t index)
{
    struct tmpfs_page *page = find(&node->data, index);
    return page ? page->state == TMPFS_PAGE_WRITTEN : lower_bytes(&node->data, index) > 0;
}

// Where the hole at an index ends, or a part of it: the image's bytes, at the file's begin, have none.
static uint64_t hole_end(struct tmpfs_node *node, uint64_t index)
{
    const uint64_t none = INT64_MAX / BM_PAGE_SIZE + 1;
    for (unsigned i = 0; i < TMPFS_SLICE; i++) {
        uint64_t next = node->data.root ? next_below(node->data.root, node->data.height, 0, index) : none;
        if (next >= none || has_data(node, next))
            return next < none ? next : none;
        index = next + 1;
    }
    return index;
}

int bm_tmpfs_extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    uint64_t first = at / BM_PAGE_SIZE, end = first + 1;
    (void)allocate;
    bm_tmpfs_lock(tmpfs_of(node));
    bool hole = !has_data(node, first);
    if (hole)
        end = hole_end(node, end);
    while (!hole && end < first + TMPFS_SLICE && has_data(node, end))
        end++;
    bm_spinlock_release(&tmpfs_of(node)->lock);
    *extent = (struct bm_inode_extent){
        .first = first * BM_PAGE_SIZE, .length = (end - first) * BM_PAGE_SIZE, .hole = hole};
    return 0;
}
