// What ext4_writing.c and ext4_data.c share: operations of inodes that change them.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_mounted.h"
#include "ext4_write.h"

#include <baremetal/error.h>

// Takes the lock for a change. -BM_EROFS: nothing can be written any more; then it is not taken.
int bm_ext4_change_begin(struct ext4_mounted *fs);
// Sees to it that what was changed is committed in some seconds, and whether the journal has ended, and
// releases the lock. Returns the error.
int bm_ext4_change_end(struct ext4_mounted *fs, int error);

// -BM_EPERM: the file must not change at all, or (`appends` false) in any way but at its end.
static inline int ext4_refuse(const struct ext4_inode *inode, bool appends)
{
    uint32_t flags = EXT4_INODE_IMMUTABLE | (appends ? 0 : (uint32_t)EXT4_INODE_APPEND);
    return inode->flags & flags ? -BM_EPERM : 0;
}

// ext4_background.c: from now on what is changed is committed in the background; not any more, and what was
// under way is over: returns its error.
int bm_ext4_background_begin(struct ext4_mounted *fs);
int bm_ext4_background_end(struct ext4_mounted *fs);
// Behind a change or a commit; under the lock, as the two below.
void bm_ext4_background_changed(struct ext4_mounted *fs);
// Whether there was no chance to commit what was changed long ago.
bool bm_ext4_background_is_late(const struct ext4_mounted *fs);
// An error of the disk behind a commit in the background; it is told once.
int bm_ext4_background_error(struct ext4_mounted *fs);

// Operations as in <baremetal/inode.h>.
long bm_ext4_data_write(struct bm_inode *inode, const void *buffer, size_t size, uint64_t offset);
int bm_ext4_data_grown(struct bm_inode *inode, uint64_t end);
int bm_ext4_data_allocate(struct bm_inode *inode, uint64_t first, uint64_t last);
// The size changes; under the inode's `busy`, not under the lock.
int bm_ext4_data_resize(struct bm_inode *inode, uint64_t size);
