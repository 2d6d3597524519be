// Opening files.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/path.h>

// What is open may be mapped, and there is /dev. The linker drops the pointers themselves.
static const char *const map_file_needed __attribute__((used)) = &bm_linux_map_file_linked;
extern const char bm_devfs_linked, bm_devices_linked; // file/devfs.c, file/devices.c
static const char *const devices_needed[] __attribute__((used)) = {&bm_devfs_linked, &bm_devices_linked};

long bm_linux_openat(int directory, const char *path, int flags, unsigned mode)
{
    return bm_path_open(directory, path, flags, mode);
}

long bm_linux_open(const char *path, int flags, unsigned mode)
{
    return bm_path_open(BM_AT_FDCWD, path, flags, mode);
}

long bm_linux_creat(const char *path, unsigned mode)
{
    return bm_path_open(BM_AT_FDCWD, path, BM_O_WRONLY | BM_O_CREAT | BM_O_TRUNC, mode);
}

long bm_linux_umask(unsigned mode)
{
    return bm_path_umask(mode);
}
