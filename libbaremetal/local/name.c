// Sockets within the machine: names, which are paths or abstract.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "local.h"

enum { FAMILY = sizeof(uint16_t), ADDRESS_MAX = sizeof(struct bm_local_address) };

static struct bm_local *named; // under bm_local_lock

// A name as it was said, with the size that it has: of a path with one NUL. Returns 0 or -BM_EINVAL.
static int name_take(const void *address, uint32_t size, struct bm_local_name *name)
{
    const struct bm_local_address *said = address;
    if (!address || size < FAMILY || size > ADDRESS_MAX || said->family != BM_AF_UNIX)
        return -BM_EINVAL;
    __builtin_memset(name, 0, sizeof *name);
    __builtin_memcpy(&name->address, said, size);
    name->size = size;
    if (size == FAMILY || !name->address.path[0])
        return 0;
    uint32_t length = 0;
    while (length < size - FAMILY && name->address.path[length])
        length++;
    name->size = FAMILY + length + 1; // the last byte may be beyond the address
    return 0;
}

static bool is_abstract(const struct bm_local_name *name)
{
    return !name->address.path[0];
}

void bm_local_name_put(const struct bm_local_name *name, void *address, uint32_t *size)
{
    static const struct bm_local_name none = {FAMILY, {.family = BM_AF_UNIX}};
    if (!name)
        name = &none;
    uint32_t part = name->size < *size ? name->size : *size;
    if (part > ADDRESS_MAX) // a path of 108 bytes: its NUL is told and is not there
        part = ADDRESS_MAX;
    __builtin_memcpy(address, &name->address, part);
    *size = name->size;
}

static struct bm_local *find_abstract(const struct bm_local_name *name)
{
    for (struct bm_local *local = named; local; local = local->next_named)
        if (!local->inode && local->name.size == name->size &&
            __builtin_memcmp(&local->name.address, &name->address, name->size) == 0)
            return local;
    return NULL;
}

static struct bm_local *find_inode(const struct bm_inode *inode)
{
    for (struct bm_local *local = named; local; local = local->next_named)
        if (local->inode == inode)
            return local;
    return NULL;
}

// A path with its NUL, which name->address may lack.
static void path_of(const struct bm_local_name *name, char path[ADDRESS_MAX])
{
    __builtin_memcpy(path, name->address.path, sizeof name->address.path);
    path[sizeof name->address.path] = 0;
}

static int inode_of(const struct bm_local_name *name, struct bm_inode **inode)
{
    char path[ADDRESS_MAX];
    path_of(name, path);
    int error = bm_path_inode(BM_AT_FDCWD, path, 0, inode);
    if (error)
        return error;
    error = bm_permit(*inode, 2, false);
    if (!error && (*inode)->type != BM_FILE_SOCKET)
        error = -BM_ECONNREFUSED;
    if (error)
        bm_inode_put(*inode);
    return error;
}

int bm_local_find(const void *address, uint32_t size, int type, struct bm_local **found)
{
    struct bm_local_name name;
    struct bm_inode *inode = NULL;
    int error = name_take(address, size, &name);
    if (!error && name.size == FAMILY)
        error = -BM_EINVAL;
    if (!error && !is_abstract(&name))
        error = inode_of(&name, &inode);
    if (error)
        return error;
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local *local = inode ? find_inode(inode) : find_abstract(&name);
    if (!local)
        error = -BM_ECONNREFUSED;
    else if (local->type != type)
        error = -BM_EPROTOTYPE;
    else
        *found = bm_local_hold(local);
    bm_spinlock_release(&bm_local_lock);
    if (inode)
        bm_inode_put(inode);
    return error;
}

// Under bm_local_lock.
static void name_give(struct bm_local *local, const struct bm_local_name *name, struct bm_inode *inode)
{
    local->name = *name;
    local->inode = inode;
    local->next_named = named;
    named = local;
}

static int bind_abstract(struct bm_local *local, const struct bm_local_name *name)
{
    bm_spinlock_acquire(&bm_local_lock);
    int error = find_abstract(name) ? -BM_EADDRINUSE : 0;
    if (!error)
        name_give(local, name, NULL);
    bm_spinlock_release(&bm_local_lock);
    return error;
}

static int bind_path(struct bm_local *local, const struct bm_local_name *name)
{
    char path[ADDRESS_MAX];
    struct bm_inode *inode;
    path_of(name, path);
    int error = bm_path_mknod(BM_AT_FDCWD, path, BM_FILE_SOCKET | 0777, 0);
    if (!error)
        error = inode_of(name, &inode);
    if (error)
        return error == -BM_EEXIST ? -BM_EADDRINUSE : error;
    bm_spinlock_acquire(&bm_local_lock);
    name_give(local, name, inode);
    bm_spinlock_release(&bm_local_lock);
    return 0;
}

// unix(7), autobind: an abstract name of five hexadecimal digits.
static int bind_any(struct bm_local *local)
{
    static BM_ATOMIC(unsigned) next;
    struct bm_local_name name = {.size = FAMILY + 6, .address.family = BM_AF_UNIX};
    for (unsigned tries = 0; tries < 1 << 20; tries++) {
        unsigned number = atomic_fetch_add(&next, 1);
        for (int i = 0; i < 5; i++)
            name.address.path[1 + i] = "0123456789abcdef"[number >> (16 - 4 * i) & 15];
        if (bind_abstract(local, &name) == 0)
            return 0;
    }
    return -BM_ENOSPC;
}

int bm_local_bind(struct bm_file *file, const void *address, uint32_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_local *local = bm_local_of(file);
    struct bm_local_name name;
    int error = name_take(address, size, &name);
    if (error)
        return error;
    bm_file_mutex_acquire(&local->busy);
    if (local->name.size != FAMILY)
        error = name.size == FAMILY ? 0 : -BM_EINVAL;
    else if (name.size == FAMILY)
        error = bind_any(local);
    else
        error = is_abstract(&name) ? bind_abstract(local, &name) : bind_path(local, &name);
    bm_file_mutex_release(&local->busy);
    return error;
}

struct bm_inode *bm_local_unname(struct bm_local *local)
{
    struct bm_inode *inode = local->inode;
    for (struct bm_local **at = &named; *at; at = &(*at)->next_named)
        if (*at == local) {
            *at = local->next_named;
            break;
        }
    local->inode = NULL;
    return inode;
}

int bm_local_name_get(struct bm_file *file, void *address, uint32_t *size)
{
    if (!address || !size)
        return -BM_EFAULT;
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_name name = bm_local_of(file)->name;
    bm_spinlock_release(&bm_local_lock);
    bm_local_name_put(&name, address, size);
    return 0;
}

int bm_local_peer(struct bm_file *file, void *address, uint32_t *size)
{
    struct bm_local_name name = {0};
    if (!address || !size)
        return -BM_EFAULT;
    bm_spinlock_acquire(&bm_local_lock);
    const struct bm_local *peer = bm_local_of(file)->peer;
    if (peer)
        name = peer->name;
    bm_spinlock_release(&bm_local_lock);
    if (!name.size)
        return -BM_ENOTCONN;
    bm_local_name_put(&name, address, size);
    return 0;
}
