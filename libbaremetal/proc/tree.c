// A table of places as a read-only file system.
// SPDX-License-Identifier: MIT
//
// Inodes other than the root are made by each lookup and freed by the last reference; the same place has the
// same number each time.
#include "../file/service.h"
#include "proc.h"

#include <baremetal/log.h>
#include <baremetal/memory.h>

enum { ROOT = 0, NUMBERED = 16, NAME_SIZE = 32, FIRST_COOKIE = 32 };

struct proc_inode {
    struct bm_inode inode;
    const struct proc_entry *entry;
    unsigned number; // of the nearest `*` above, or its own
};

static const struct bm_inode_ops ops, through_ops;

static struct proc_inode *inode_of(const struct bm_inode *inode)
{
    return (struct proc_inode *)(uintptr_t)inode;
}

static struct proc_mount *tree_of(const struct bm_inode *inode)
{
    return (struct proc_mount *)inode->mount;
}

// Places above a `*` have no number.
static unsigned own_number(const struct proc_entry *entry, unsigned number)
{
    const char *at = entry->path;
    while (*at && *at != '*')
        at++;
    return *at ? number : 0;
}

static uint64_t number_of(const struct proc_mount *tree, const struct proc_entry *entry, unsigned number)
{
    return (uint64_t)(entry - tree->entries + 1) | (uint64_t)own_number(entry, number) << NUMBERED;
}

static void describe(struct proc_inode *made, struct proc_mount *tree, const struct proc_entry *entry,
                     unsigned number)
{
    made->inode.ops = entry->through ? &through_ops : &ops;
    made->inode.mount = &tree->mount;
    made->inode.number = number_of(tree, entry, number);
    made->inode.type = entry->mode & BM_FILE_TYPE;
    atomic_store(&made->inode.references, 1);
    made->entry = entry;
    made->number = own_number(entry, number);
}

static int make(struct proc_mount *tree, const struct proc_entry *entry, unsigned number,
                struct bm_inode **found)
{
    if (entry == &tree->entries[ROOT]) {
        *found = bm_inode_hold(tree->mount.root);
        return 0;
    }
    struct proc_inode *made = bm_file_allocate(sizeof *made);
    if (!made)
        return -BM_ENOMEM;
    describe(made, tree, entry, number);
    *found = &made->inode;
    return 0;
}

// The last component of a place that lies in a directory; NULL: it lies elsewhere.
static const char *name_below(const struct proc_entry *directory, const struct proc_entry *entry)
{
    size_t length = bm_text_length(directory->path);
    for (size_t i = 0; i < length; i++)
        if (entry->path[i] != directory->path[i])
            return NULL;
    if (entry->path[length] != '/')
        return NULL;
    const char *name = entry->path + length + 1;
    for (const char *at = name; *at; at++)
        if (*at == '/')
            return NULL;
    return name;
}

// Whether a name is the one of a place, and *number, which stays unless there is a `*`.
static bool matches(const struct proc_entry *entry, const char *wanted, const char *name, size_t length,
                    unsigned *number)
{
    size_t same = 0;
    while (same < length && wanted[same] == name[same] && wanted[same] != '*')
        same++;
    if (wanted[same] != '*')
        return same == length && !wanted[same];
    unsigned value = 0;
    if (same == length || (name[same] == '0' && length > same + 1))
        return false;
    for (size_t i = same; i < length; i++) {
        if (name[i] < '0' || name[i] > '9' || value > INT32_MAX / 10 - 1)
            return false;
        value = value * 10 + (unsigned)(name[i] - '0');
    }
    *number = value;
    return entry->next((int)value) == (int)value;
}

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    struct proc_mount *tree = tree_of(directory);
    for (size_t i = 1; i < tree->count; i++) {
        const char *wanted = name_below(inode_of(directory)->entry, &tree->entries[i]);
        unsigned number = inode_of(directory)->number;
        if (wanted && matches(&tree->entries[i], wanted, name, length, &number))
            return make(tree, &tree->entries[i], number, found);
    }
    return -BM_ENOENT;
}

static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    struct proc_mount *tree = tree_of(directory);
    for (size_t i = 0; i < tree->count; i++)
        if (name_below(&tree->entries[i], inode_of(directory)->entry))
            return make(tree, &tree->entries[i], inode_of(directory)->number, found);
    *found = bm_inode_hold(tree->mount.root);
    return 0;
}

static void name_make(struct bm_inode_entry *to, const char *name, int number)
{
    char digits[NAME_SIZE];
    size_t length = 0;
    int count = bm_format(digits, sizeof digits, "%d", number);
    for (; *name; name++) {
        if (*name != '*') {
            to->name[length++] = *name;
            continue;
        }
        __builtin_memcpy(to->name + length, digits, (size_t)count);
        length += (size_t)count;
    }
    to->name[length] = 0;
    to->length = (uint32_t)length;
}

// Cookies: the place's index, counted from 1, above its number.
static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    struct proc_mount *tree = tree_of(directory);
    size_t index = after >> FIRST_COOKIE;
    uint32_t from = (uint32_t)after; // the number behind the last one
    for (size_t i = index ? index : 1; i < tree->count; i++, from = 0) {
        const struct proc_entry *entry = &tree->entries[i];
        const char *name = name_below(inode_of(directory)->entry, entry);
        bool told = i == index && !entry->next;
        int number = !name || told ? -1 : entry->next ? entry->next(i == index ? (int)from : 0) : 0;
        if (number < 0)
            continue;
        name_make(to, name, number);
        to->number = number_of(tree, entry, entry->next ? (unsigned)number : inode_of(directory)->number);
        to->cookie = (uint64_t)i << FIRST_COOKIE | (uint32_t)(number + 1);
        to->type = entry->mode & BM_FILE_TYPE;
        return 1;
    }
    return 0;
}

static int status(struct bm_inode *inode, struct bm_file_status *said)
{
    said->mode = inode_of(inode)->entry->mode;
    said->links = inode->type == BM_FILE_DIRECTORY ? 2 : 1;
    said->block_size = 1024;
    said->accessed = said->modified = said->changed = bm_file_now();
    return 0;
}

static void unused(struct bm_inode *inode)
{
    if (atomic_fetch_sub(&inode->references, 1) == 1)
        bm_file_free(inode, sizeof(struct proc_inode));
}

void bm_proc_inode_text(struct bm_inode *inode, struct proc_text *text)
{
    const struct proc_entry *entry = inode_of(inode)->entry;
    text->size = 0;
    text->failed = false;
    if (entry->text)
        entry->text(text, inode_of(inode)->number);
    else
        bm_proc_put(text, "%s", entry->constant);
}

static long target(struct bm_inode *inode, char *buffer, size_t size)
{
    struct proc_text text = {0};
    bm_proc_inode_text(inode, &text);
    long length = text.failed ? -BM_ENOMEM : text.size ? (long)text.size : -BM_ENOENT;
    if (length > 0)
        __builtin_memcpy(buffer, text.data, size < text.size ? size : text.size);
    bm_proc_text_free(&text);
    return length;
}

static int space(struct bm_mount *mount, struct bm_mount_space *said)
{
    said->block_size = BM_PAGE_SIZE;
    said->name_max = BM_NAME_MAX;
    said->magic = ((struct proc_mount *)mount)->magic;
    return 0;
}

static const struct bm_inode_ops ops = {.lookup = look_up,
                                        .parent = parent,
                                        .entry = next_entry,
                                        .status = status,
                                        .unused = unused,
                                        .target = target,
                                        .open = bm_proc_file_open};

static int through(struct bm_inode *link, struct bm_inode **found)
{
    return inode_of(link)->entry->through(inode_of(link)->number, found);
}

static const struct bm_inode_ops through_ops = {
    .status = status, .unused = unused, .target = target, .through = through};

struct bm_mount *bm_proc_tree_make(const char *kind, uint32_t magic, const struct proc_entry *entries,
                                   size_t count)
{
    struct proc_mount *tree = bm_file_allocate(sizeof *tree);
    struct proc_inode *root = bm_file_allocate(sizeof *root);
    if (!tree || !root) {
        bm_file_free(tree, sizeof *tree);
        bm_file_free(root, sizeof *root);
        return NULL;
    }
    tree->mount.kind = kind;
    tree->mount.space = space;
    tree->magic = magic;
    tree->mount.read_only = true;
    tree->entries = entries;
    tree->count = count;
    describe(root, tree, &entries[ROOT], 0);
    tree->mount.root = &root->inode; // whose reference stays
    return &tree->mount;
}
