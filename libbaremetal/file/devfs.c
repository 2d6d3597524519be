// /dev: a file system in memory with the devices' nodes.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/log.h>

const char bm_devfs_linked = 1; // Linux' open asks for it

static const struct {
    const char *path;
    uint8_t major, minor;
    uint16_t permissions;
} nodes[] = {{"/dev/null", 1, 3, 0666},   {"/dev/zero", 1, 5, 0666},    {"/dev/full", 1, 7, 0666},
             {"/dev/random", 1, 8, 0666}, {"/dev/urandom", 1, 9, 0666}, {"/dev/tty", 5, 0, 0666},
             {"/dev/console", 5, 1, 0600}};

static int make(const char *path, unsigned mode, uint64_t special)
{
    int error = bm_path_mknod(BM_AT_FDCWD, path, mode, special);
    struct bm_inode_change change = {.which = BM_CHANGE_MODE, .mode = mode & 07777}; // whatever the umask is
    return error ? error : bm_path_change(BM_AT_FDCWD, path, 0, &change);
}

// Links: where descriptors have names, that of the descriptor; else the terminal that it is at first.
static const struct {
    const char *path, *target, *otherwise;
} links[] = {{"/dev/fd", "/proc/self/fd", NULL},
             {"/dev/stdin", "/proc/self/fd/0", "/dev/console"},
             {"/dev/stdout", "/proc/self/fd/1", "/dev/console"},
             {"/dev/stderr", "/proc/self/fd/2", "/dev/console"}};

static int fill_disks(void)
{
    enum { ROOM = 5 + 16 };
    const char *name;
    uint64_t special;
    int error = 0;
    for (unsigned i = 0; !error && bm_disk_node && (name = bm_disk_node(i, &special)); i++) {
        char path[ROOM];
        bm_format(path, sizeof path, "/dev/%s", name);
        error = make(path, BM_FILE_BLOCK | 0660, special);
    }
    return error;
}

static int fill(void)
{
    int error = fill_disks();
    for (unsigned i = 0; !error && i < sizeof nodes / sizeof *nodes; i++)
        error = make(nodes[i].path, BM_FILE_CHARACTER | nodes[i].permissions,
                     bm_device_number(nodes[i].major, nodes[i].minor));
    for (unsigned i = 0; !error && i < sizeof links / sizeof *links; i++) {
        const char *target = bm_procfs_mount ? links[i].target : links[i].otherwise;
        if (target)
            error = bm_path_symlink(target, BM_AT_FDCWD, links[i].path);
    }
    struct bm_inode_change change = {.which = BM_CHANGE_MODE, .mode = 01777};
    error = error ? error : bm_path_mkdir(BM_AT_FDCWD, "/dev/shm", 01777);
    return error ? error : bm_path_change(BM_AT_FDCWD, "/dev/shm", 0, &change);
}

void bm_devfs_mount(void)
{
    struct bm_mount *mount = bm_tmpfs_make(0);
    int error = mount ? bm_path_mkdir(BM_AT_FDCWD, "/dev", 0755) : -BM_ENOMEM;
    if (error == -BM_EEXIST)
        error = 0;
    if (!error)
        error = bm_mount_add(mount, "/dev");
    if (!error)
        error = fill();
    if (error)
        bm_log_error("devfs", "/dev could not be made (error %d)", -error);
}
