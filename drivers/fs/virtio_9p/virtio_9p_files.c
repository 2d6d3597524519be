// A share as a file system: nothing is kept of it but which files somebody has.
// SPDX-License-Identifier: MIT
//
// An inode has a fid for its place, and once its bytes are wanted one that is open. Inodes in memory are in a
// table by the other side's numbers, so that one file has one.
#include "virtio_9p.h"

#include <baremetal/error.h>
#include <baremetal/file_system.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>

enum {
    BUCKETS = 256,
    FIRST_COOKIE = 3,
    ENTRIES = 1024, // bytes of names that are asked for at once
    MAGIC = 0x01021997,
    SET_MODE = 1,
    SET_OWNER = 2,
    SET_GROUP = 4,
    SET_SIZE = 8,
    SET_ACCESSED = 16 | 128,
    SET_MODIFIED = 32 | 256
};

struct node {
    struct bm_inode inode;
    struct node *chain;
    uint32_t fid;
    // For its bytes, under the inode's own lock:
    struct bm_file_mutex opening;
    uint32_t open_fid;
    bool opened, writable;
};

struct share {
    struct bm_mount mount;
    struct p9 *session;
    struct bm_spinlock lock; // over the table and the references in it
    struct node *nodes[BUCKETS];
};

static const struct bm_inode_ops ops;

static struct share *share_of(const struct bm_inode *inode)
{
    return (struct share *)inode->mount;
}

static struct node *node_of(const struct bm_inode *inode)
{
    return (struct node *)(uintptr_t)inode;
}

static struct p9 *session_of(const struct bm_inode *inode)
{
    return share_of(inode)->session;
}

static struct node *find(struct share *share, uint64_t number, uint32_t type)
{
    struct node *node = share->nodes[number % BUCKETS];
    while (node && (node->inode.number != number || node->inode.type != type))
        node = node->chain;
    if (node)
        bm_inode_hold(&node->inode);
    return node;
}

static bool is_type(uint32_t type)
{
    return type == BM_FILE_REGULAR || type == BM_FILE_DIRECTORY || type == BM_FILE_LINK ||
           type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK || type == BM_FILE_PIPE ||
           type == BM_FILE_SOCKET;
}

// The inode of a fid, which it takes, also when it fails.
static int get(struct share *share, uint32_t fid, const struct p9_file *file, struct bm_inode **found)
{
    struct p9_attributes said;
    int error = bm_p9_attributes(share->session, fid, &said);
    uint32_t type = error ? 0 : said.mode & BM_FILE_TYPE;
    if (!error && (!is_type(type) || (type == BM_FILE_DIRECTORY) != file->directory))
        error = -BM_EIO;
    struct node *node = error ? NULL : bm_inode_memory_allocate(sizeof *node), *other = NULL;
    if (node) {
        node->inode.ops = &ops;
        node->inode.mount = &share->mount;
        node->inode.number = file->number;
        node->inode.type = type;
        node->inode.special = said.special;
        atomic_store(&node->inode.size, said.size);
        atomic_store(&node->inode.references, 1);
        node->fid = fid;
        bm_spinlock_acquire(&share->lock);
        other = find(share, file->number, type);
        if (!other) {
            node->chain = share->nodes[file->number % BUCKETS];
            share->nodes[file->number % BUCKETS] = node;
        }
        bm_spinlock_release(&share->lock);
    } else if (!error) {
        error = -BM_ENOMEM;
    }
    if (error || other)
        bm_p9_clunk(share->session, fid);
    if (other)
        bm_inode_memory_free(node, sizeof *node);
    if (!error)
        *found = other ? &other->inode : &node->inode;
    return error;
}

static void unused(struct bm_inode *inode)
{
    struct share *share = share_of(inode);
    struct node *node = node_of(inode);
    bm_spinlock_acquire(&share->lock);
    bool last = atomic_fetch_sub(&inode->references, 1) == 1;
    struct node **link = &share->nodes[inode->number % BUCKETS];
    while (last && *link != node)
        link = &(*link)->chain;
    if (last)
        *link = node->chain;
    bm_spinlock_release(&share->lock);
    if (!last)
        return;
    if (node->opened)
        bm_p9_clunk(share->session, node->open_fid);
    bm_p9_clunk(share->session, node->fid);
    bm_inode_memory_free(node, sizeof *node);
}

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    struct p9_file file;
    struct p9 *session = session_of(directory);
    uint32_t fid = bm_p9_fid(session);
    int error = bm_p9_walk(session, node_of(directory)->fid, fid, name, length, &file);
    return error ? error : get(share_of(directory), fid, &file, found);
}

static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    return look_up(directory, "..", 2, found);
}

static int status(struct bm_inode *inode, struct bm_file_status *to)
{
    struct p9_attributes said;
    int error = bm_p9_attributes(session_of(inode), node_of(inode)->fid, &said);
    if (error)
        return error;
    atomic_store(&inode->size, said.size);
    to->mode = inode->type | (said.mode & 07777);
    to->links = said.links > UINT32_MAX ? UINT32_MAX : (uint32_t)said.links;
    to->owner = said.owner;
    to->group = said.group;
    to->size = said.size;
    to->blocks = said.blocks;
    to->accessed = said.accessed;
    to->modified = said.modified;
    to->changed = said.changed;
    return 0;
}

static void put_time(struct p9 *session, int64_t time)
{
    int64_t seconds = time / 1000000000, rest = time % 1000000000;
    bm_p9_put(session, (uint64_t)(rest < 0 ? seconds - 1 : seconds), 8);
    bm_p9_put(session, (uint64_t)(rest < 0 ? rest + 1000000000 : rest), 8);
}

static int change(struct bm_inode *inode, const struct bm_inode_change *to)
{
    struct p9 *session = session_of(inode);
    unsigned which =
        (to->which & BM_CHANGE_MODE ? SET_MODE : 0) | (to->which & BM_CHANGE_OWNER ? SET_OWNER : 0) |
        (to->which & BM_CHANGE_GROUP ? SET_GROUP : 0) | (to->which & BM_CHANGE_SIZE ? SET_SIZE : 0) |
        (to->which & BM_CHANGE_ACCESSED ? SET_ACCESSED : 0) |
        (to->which & BM_CHANGE_MODIFIED ? SET_MODIFIED : 0);
    bm_p9_begin(session, P9_SETATTR);
    bm_p9_put(session, node_of(inode)->fid, 4);
    bm_p9_put(session, which, 4);
    bm_p9_put(session, to->mode & 07777, 4);
    bm_p9_put(session, to->owner, 4);
    bm_p9_put(session, to->group, 4);
    bm_p9_put(session, to->size, 8);
    put_time(session, to->accessed);
    put_time(session, to->modified);
    int error = bm_p9_end(session, bm_p9_call(session));
    if (!error && to->which & BM_CHANGE_SIZE)
        atomic_store(&inode->size, to->size);
    return error;
}

// --- Bytes ---

// Opens the file for its bytes, for writing if that may be.
static int open_file(struct node *node, bool writing)
{
    struct p9 *session = session_of(&node->inode);
    bool directory = node->inode.type == BM_FILE_DIRECTORY;
    int error = 0;
    bm_file_mutex_acquire(&node->opening);
    if (!node->opened) {
        uint32_t fid = bm_p9_fid(session);
        error = bm_p9_walk(session, node->fid, fid, NULL, 0, NULL);
        int refused = error || directory ? -BM_EACCES : bm_p9_open(session, fid, BM_O_RDWR);
        node->writable = refused == 0;
        if (!error && refused &&
            (error = bm_p9_open(session, fid, BM_O_RDONLY | (directory ? BM_O_DIRECTORY : 0))))
            bm_p9_clunk(session, fid);
        node->opened = !error;
        node->open_fid = fid;
    }
    bm_file_mutex_release(&node->opening);
    return error ? error : writing && !node->writable ? -BM_EACCES : 0;
}

static long read(struct bm_inode *inode, void *buffer, size_t size, uint64_t offset)
{
    int error = open_file(node_of(inode), false);
    if (offset > INT64_MAX)
        return 0;
    return error ? error : bm_p9_read(session_of(inode), node_of(inode)->open_fid, buffer, size, offset);
}

static long write(struct bm_inode *inode, const void *buffer, size_t size, uint64_t offset)
{
    int error = open_file(node_of(inode), true);
    long done =
        error ? error : bm_p9_write(session_of(inode), node_of(inode)->open_fid, buffer, size, offset);
    if (done > 0 && atomic_load(&inode->size) < offset + (uint64_t)done)
        atomic_store(&inode->size, offset + (uint64_t)done);
    return done;
}

static int sync(struct bm_inode *inode, bool data_only)
{
    struct p9 *session = session_of(inode);
    int error = open_file(node_of(inode), false);
    if (error)
        return error;
    bm_p9_begin(session, P9_FSYNC);
    bm_p9_put(session, node_of(inode)->open_fid, 4);
    bm_p9_put(session, data_only, 4);
    return bm_p9_end(session, bm_p9_call(session));
}

static long target(struct bm_inode *inode, char *buffer, size_t size)
{
    struct p9 *session = session_of(inode);
    bm_p9_begin(session, P9_READLINK);
    bm_p9_put(session, node_of(inode)->fid, 4);
    int error = bm_p9_call(session);
    size_t length = error ? 0 : bm_p9_get(session, 2);
    const uint8_t *text = error ? NULL : bm_p9_get_bytes(session, length);
    for (size_t i = 0; text && i < length; i++)
        if (!text[i])
            error = -BM_EIO;
    if (text)
        __builtin_memcpy(buffer, text, size < length ? size : length);
    error = bm_p9_end(session, error);
    return error ? error : (long)length;
}

// --- Names ---

// One that says it cannot be there.
static bool is_name(const uint8_t *name, size_t length)
{
    bool good = length > 0 && length <= BM_NAME_MAX;
    for (size_t i = 0; good && i < length; i++)
        good = name[i] && name[i] != '/';
    return good;
}

static bool is_dots(const uint8_t *name, size_t length)
{
    return length && name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

// The first entry of the reply that is none of the dots: 1; 0: there is none; *next: where to go on.
static int take_entry(struct p9 *session, uint64_t *next, struct bm_inode_entry *to)
{
    enum { TYPE_SHIFT = 12 };
    while (session->at < session->end && !session->wrong) {
        struct p9_file file = bm_p9_get_file(session);
        *next = bm_p9_get(session, 8);
        unsigned type = (unsigned)bm_p9_get(session, 1);
        size_t length = bm_p9_get(session, 2);
        const uint8_t *name = bm_p9_get_bytes(session, length);
        if (!name || !is_name(name, length))
            return -BM_EIO;
        if (is_dots(name, length))
            continue;
        *to = (struct bm_inode_entry){.number = file.number,
                                      .cookie =
                                          *next > INT64_MAX - FIRST_COOKIE ? INT64_MAX : *next + FIRST_COOKIE,
                                      .type = type << TYPE_SHIFT & BM_FILE_TYPE,
                                      .length = (uint32_t)length};
        __builtin_memcpy(to->name, name, length);
        return 1;
    }
    return 0;
}

// Cookies are the other side's places. One message an entry.
static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    enum { ROUNDS = 4 }; // the dots take one
    struct p9 *session = session_of(directory);
    uint64_t place = after < FIRST_COOKIE ? 0 : after - FIRST_COOKIE;
    int result = open_file(node_of(directory), false);
    if (result)
        return result;
    for (unsigned round = 0; round < ROUNDS && result == 0; round++) {
        uint64_t before = place;
        bm_p9_begin(session, P9_READDIR);
        bm_p9_put(session, node_of(directory)->open_fid, 4);
        bm_p9_put(session, place, 8);
        bm_p9_put(session, ENTRIES, 4);
        result = bm_p9_call(session);
        size_t size = result ? 0 : bm_p9_get(session, 4);
        if (!result && size != session->end - session->at)
            result = -BM_EIO;
        if (!result)
            result = take_entry(session, &place, to);
        int error = bm_p9_end(session, result < 0 ? result : 0);
        result = error ? error : result;
        if (place == before)
            break;
    }
    return result;
}

static int create_regular(struct p9 *session, uint32_t directory, const char *name, size_t length,
                          uint32_t mode)
{
    uint32_t fid = bm_p9_fid(session);
    int error = bm_p9_walk(session, directory, fid, NULL, 0, NULL);
    if (error)
        return error;
    bm_p9_begin(session, P9_CREATE);
    bm_p9_put(session, fid, 4);
    bm_p9_put_text(session, name, length);
    bm_p9_put(session, BM_O_RDWR | BM_O_CREAT | BM_O_EXCL, 4);
    bm_p9_put(session, mode & 07777, 4);
    bm_p9_put(session, 0, 4); // the group
    error = bm_p9_end(session, bm_p9_call(session));
    bm_p9_clunk(session, fid);
    return error;
}

static int create_other(struct p9 *session, uint32_t directory, const char *name, size_t length,
                        const struct bm_inode_new *what)
{
    uint32_t type = what->mode & BM_FILE_TYPE;
    bm_p9_begin(session, type == BM_FILE_DIRECTORY ? P9_MKDIR : type == BM_FILE_LINK ? P9_SYMLINK : P9_MKNOD);
    bm_p9_put(session, directory, 4);
    bm_p9_put_text(session, name, length);
    if (type == BM_FILE_LINK) {
        bm_p9_put_text(session, what->target, __builtin_strlen(what->target));
    } else {
        bm_p9_put(session, type == BM_FILE_DIRECTORY ? what->mode & 07777 : what->mode, 4);
        if (type != BM_FILE_DIRECTORY) {
            bm_p9_put(session, what->special >> 8 & 0xfff, 4);
            bm_p9_put(session, (what->special & 0xff) | (what->special >> 12 & 0xfff00), 4);
        }
    }
    bm_p9_put(session, 0, 4); // the group
    return bm_p9_end(session, bm_p9_call(session));
}

static int create(struct bm_inode *directory, const char *name, size_t length,
                  const struct bm_inode_new *what, struct bm_inode **made)
{
    struct p9 *session = session_of(directory);
    uint32_t fid = node_of(directory)->fid;
    bool regular = (what->mode & BM_FILE_TYPE) == BM_FILE_REGULAR;
    if (what->data)
        return -BM_EOPNOTSUPP;
    int error = regular ? create_regular(session, fid, name, length, what->mode)
                        : create_other(session, fid, name, length, what);
    return error ? error : look_up(directory, name, length, made);
}

static int link(struct bm_inode *directory, const char *name, size_t length, struct bm_inode *inode)
{
    struct p9 *session = session_of(directory);
    bm_p9_begin(session, P9_LINK);
    bm_p9_put(session, node_of(directory)->fid, 4);
    bm_p9_put(session, node_of(inode)->fid, 4);
    bm_p9_put_text(session, name, length);
    return bm_p9_end(session, bm_p9_call(session));
}

static int unlink(struct bm_inode *directory, const char *name, size_t length, bool removes_directory)
{
    enum { REMOVE_DIRECTORY = 0x200 };
    struct p9 *session = session_of(directory);
    bm_p9_begin(session, P9_UNLINKAT);
    bm_p9_put(session, node_of(directory)->fid, 4);
    bm_p9_put_text(session, name, length);
    bm_p9_put(session, removes_directory ? REMOVE_DIRECTORY : 0, 4);
    return bm_p9_end(session, bm_p9_call(session));
}

static int rename(struct bm_inode *from, const char *name, size_t length, struct bm_inode *to,
                  const char *new_name, size_t new_length, unsigned flags)
{
    struct p9 *session = session_of(from);
    if (flags) // as Linux' 9p
        return -BM_EINVAL;
    bm_p9_begin(session, P9_RENAMEAT);
    bm_p9_put(session, node_of(from)->fid, 4);
    bm_p9_put_text(session, name, length);
    bm_p9_put(session, node_of(to)->fid, 4);
    bm_p9_put_text(session, new_name, new_length);
    return bm_p9_end(session, bm_p9_call(session));
}

static const struct bm_inode_ops ops = {.lookup = look_up,
                                        .parent = parent,
                                        .create = create,
                                        .link = link,
                                        .unlink = unlink,
                                        .rename = rename,
                                        .entry = next_entry,
                                        .status = status,
                                        .change = change,
                                        .sync = sync,
                                        .unused = unused,
                                        .target = target,
                                        .read = read,
                                        .write = write};

// --- Mounting ---

static int space(struct bm_mount *mount, struct bm_mount_space *said)
{
    struct p9 *session = ((struct share *)mount)->session;
    bm_p9_begin(session, P9_STATFS);
    bm_p9_put(session, P9_ROOT, 4);
    int error = bm_p9_call(session);
    if (!error) {
        bm_p9_get(session, 4); // the other side's kind
        said->block_size = bm_p9_get(session, 4);
        said->blocks = bm_p9_get(session, 8);
        said->free = bm_p9_get(session, 8);
        bm_p9_get(session, 8); // to others than root
        said->inodes = bm_p9_get(session, 8);
        said->inodes_free = bm_p9_get(session, 8);
        said->name_max = BM_NAME_MAX;
        said->magic = MAGIC;
    }
    return bm_p9_end(session, error);
}

struct bm_mount *bm_p9_mount(struct p9 *session, int *error)
{
    struct p9_file root;
    struct share *share = bm_inode_memory_allocate(sizeof *share);
    *error = share ? bm_p9_start(session, &root) : -BM_ENOMEM;
    if (!*error) {
        share->session = session;
        share->mount.kind = "9p";
        share->mount.source = session->tag;
        share->mount.space = space;
        *error = root.directory ? get(share, P9_ROOT, &root, &share->mount.root) : -BM_ENOTDIR;
    }
    if (!*error)
        return &share->mount;
    bm_inode_memory_free(share, sizeof *share);
    return NULL;
}

void bm_p9_unmount(struct bm_mount *mount)
{
    bm_inode_put(mount->root);
    bm_inode_memory_free(mount, sizeof(struct share));
}

static int mount_named(const char *name, struct bm_mount **mount)
{
    static const char prefix[] = "9p:";
    int error = -BM_ENODEV;
    for (unsigned i = 0; prefix[i]; i++)
        if (name[i] != prefix[i])
            return error;
    const char *tag = name + sizeof prefix - 1;
    struct p9 *session = bm_p9_find(tag);
    if (session)
        *mount = bm_p9_mount(session, &error);
    if (error)
        bm_log_error("9p", "%s: %s (error %d)", tag,
                     session ? "cannot be mounted" : "there is no share of that name", -error);
    return error == -BM_ENODEV ? -BM_ENXIO : error;
}

BM_FILE_SYSTEM(p9) = {.name = "9p", .mount_named = mount_named, .end = bm_p9_unmount};
