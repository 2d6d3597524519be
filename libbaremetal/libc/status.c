// What the kernel says of a file, in the C library's words.
// SPDX-License-Identifier: MIT
#include "status.h"

static struct timespec time_of(int64_t nanoseconds)
{
    return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

void bm_posix_status(struct stat *to, const struct bm_file_status *from)
{
    *to = (struct stat){
        .st_mode = from->mode,
        .st_nlink = (nlink_t)from->links,
        .st_ino = (ino_t)from->number,
        .st_dev = (dev_t)from->device,
        .st_rdev = (dev_t)from->special,
        .st_uid = (uid_t)from->owner,
        .st_gid = (gid_t)from->group,
        .st_size = (off_t)from->size,
        .st_blksize = (blksize_t)from->block_size,
        .st_blocks = (blkcnt_t)from->blocks,
        .st_atim = time_of(from->accessed),
        .st_mtim = time_of(from->modified),
        .st_ctim = time_of(from->changed),
    };
}
