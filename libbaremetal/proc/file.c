// Open files of a tree: what a place says is made when its first byte is read, and stays until that is read
// again.
// SPDX-License-Identifier: MIT
#include "../file/service.h"
#include "proc.h"

struct proc_file {
    struct bm_file file;
    struct bm_file_mutex lock; // over all below, and the position
    struct proc_text text;
};

static struct proc_file *proc_of(struct bm_file *file)
{
    return (struct proc_file *)file;
}

static long read_locked(struct proc_file *proc, void *buffer, size_t size, uint64_t offset)
{
    if (offset == 0 || !proc->text.data)
        bm_proc_inode_text(proc->file.inode, &proc->text);
    if (proc->text.failed)
        return -BM_ENOMEM;
    size_t left = offset < proc->text.size ? proc->text.size - offset : 0;
    if (size > left)
        size = left;
    if (size)
        __builtin_memcpy(buffer, proc->text.data + offset, size);
    return (long)size;
}

static long proc_read_at(struct bm_file *file, void *buffer, size_t size, uint64_t offset)
{
    bm_file_mutex_acquire(&proc_of(file)->lock);
    long result = read_locked(proc_of(file), buffer, size, offset);
    bm_file_mutex_release(&proc_of(file)->lock);
    return result;
}

static long proc_read(struct bm_file *file, void *buffer, size_t size)
{
    bm_file_mutex_acquire(&proc_of(file)->lock);
    long result = read_locked(proc_of(file), buffer, size, (uint64_t)file->position);
    if (result > 0)
        file->position += result;
    bm_file_mutex_release(&proc_of(file)->lock);
    return result;
}

static long long proc_seek(struct bm_file *file, long long offset, int whence)
{
    bm_file_mutex_acquire(&proc_of(file)->lock);
    long long base = whence == BM_SEEK_SET ? 0 : whence == BM_SEEK_CUR ? file->position : -1;
    if (base < 0 || __builtin_add_overflow(base, offset, &base) || base < 0)
        base = -BM_EINVAL;
    else
        file->position = base;
    bm_file_mutex_release(&proc_of(file)->lock);
    return base;
}

static int proc_stat(struct bm_file *file, struct bm_file_status *said)
{
    return bm_inode_status(file->inode, said);
}

static int proc_close(struct bm_file *file)
{
    bm_proc_text_free(&proc_of(file)->text);
    bm_inode_put(file->inode);
    bm_file_free(file, sizeof(struct proc_file));
    return 0;
}

static const struct bm_file_ops ops = {
    .read = proc_read, .read_at = proc_read_at, .seek = proc_seek, .stat = proc_stat, .close = proc_close};

int bm_proc_file_open(struct bm_inode *inode, int flags, struct bm_file **file)
{
    struct proc_file *made = bm_file_allocate(sizeof *made);
    if (!made)
        return -BM_ENOMEM;
    made->file.ops = &ops;
    made->file.flags = flags;
    made->file.inode = bm_inode_hold(inode);
    *file = &made->file;
    return 0;
}
