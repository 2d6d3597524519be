// /dev: a file system in memory with the devices' nodes.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/log.h>

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

void bm_devfs_mount(void)
{
    struct bm_mount *mount = bm_tmpfs_make(0);
    int error = mount ? bm_path_mkdir(BM_AT_FDCWD, "/dev", 0755) : -BM_ENOMEM;
    if (error == -BM_EEXIST)
        error = 0;
    if (!error)
        error = bm_mount_add(mount, "/dev");
    for (unsigned i = 0; !error && i < sizeof nodes / sizeof *nodes; i++)
        error = make(nodes[i].path, BM_FILE_CHARACTER | nodes[i].permissions,
                     bm_device_number(nodes[i].major, nodes[i].minor));
    if (!error)
        error = bm_path_mkdir(BM_AT_FDCWD, "/dev/shm", 01777);
    if (!error)
        error = bm_path_symlink("/dev/console", BM_AT_FDCWD, "/dev/stdout"); // Linux' lead to /proc/self/fd
    if (!error)
        error = bm_path_symlink("/dev/console", BM_AT_FDCWD, "/dev/stderr");
    if (!error)
        error = bm_path_symlink("/dev/console", BM_AT_FDCWD, "/dev/stdin");
    if (error)
        bm_log_error("devfs", "/dev could not be made (error %d)", -error);
}
