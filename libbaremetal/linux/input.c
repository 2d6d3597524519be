// Reading: from files, and what the terminal received.
// SPDX-License-Identifier: MIT
#include "../libc/terminal.h"
#include "linux.h"

BM_TERMINAL_INPUT_NEEDED;

long bm_linux_read(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    return bm_linux_finish(file, file->ops->read ? file->ops->read(file, buffer, size) : -BM_EINVAL);
}

// Goes on until a piece is short, or nothing is there without waiting.
static long read_pieces(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    if (file->ops->readv && count)
        return file->ops->readv(file, pieces, count);
    if (!file->ops->read)
        return -BM_EINVAL;
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (!pieces[i].size)
            continue;
        if (total && file->ops->poll && !(file->ops->poll(file) & LINUX_POLLIN))
            break;
        long part = file->ops->read(file, pieces[i].data, pieces[i].size);
        if (part < 0)
            return total ? total : part;
        total += part;
        if ((size_t)part < pieces[i].size)
            break;
    }
    return total;
}

long bm_linux_readv(int descriptor, const struct bm_file_piece *pieces, int count)
{
    struct bm_file *file = bm_linux_file(descriptor, LINUX_O_RDONLY);
    if (!file)
        return -BM_EBADF;
    bool fits = count >= 0 && count <= LINUX_IOV_MAX;
    return bm_linux_finish(file, fits ? read_pieces(file, pieces, count) : -BM_EINVAL);
}

// A file's position is the descriptor's own, so it is moved there and back.
static long at_position(int descriptor, int mode, void *buffer, size_t size, long offset)
{
    struct bm_file *file = bm_linux_file(descriptor, mode);
    if (!file)
        return -BM_EBADF;
    if (!file->ops->seek)
        return bm_linux_finish(file, -BM_ESPIPE);
    if (offset < 0)
        return bm_linux_finish(file, -BM_EINVAL);
    long (*move)(struct bm_file *, void *, size_t) = file->ops->read;
    long result = -BM_EINVAL;
    long long before = file->ops->seek(file, 0, LINUX_SEEK_CUR);
    if (mode == LINUX_O_RDONLY && move && file->ops->seek(file, offset, LINUX_SEEK_SET) >= 0)
        result = move(file, buffer, size);
    if (mode == LINUX_O_WRONLY && file->ops->write && file->ops->seek(file, offset, LINUX_SEEK_SET) >= 0)
        result = file->ops->write(file, buffer, size);
    file->ops->seek(file, before, LINUX_SEEK_SET);
    return bm_linux_finish(file, result);
}

long bm_linux_pread64(int descriptor, void *buffer, size_t size, long offset)
{
    return at_position(descriptor, LINUX_O_RDONLY, buffer, size, offset);
}

long bm_linux_pwrite64(int descriptor, const void *buffer, size_t size, long offset)
{
    return at_position(descriptor, LINUX_O_WRONLY, (void *)(uintptr_t)buffer, size, offset);
}
