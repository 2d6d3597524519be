// The POSIX calls on descriptors: each finds the file and asks its operations.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "status.h"

#include <fcntl.h>
#include <unistd.h>

struct bm_file *bm_posix_find(int descriptor, int mode)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (file && (mode < 0 || (file->flags & O_ACCMODE) == mode || (file->flags & O_ACCMODE) == O_RDWR))
        return file;
    if (file)
        bm_file_release(file);
    errno = EBADF;
    return NULL;
}

long bm_posix_finish(struct bm_file *file, long result)
{
    bm_file_release(file);
    return bm_posix_result(result);
}

ssize_t write(int descriptor, const void *buffer, size_t size)
{
    struct bm_file *file = bm_posix_find(descriptor, O_WRONLY);
    if (!file)
        return -1;
    return bm_posix_finish(file, file->ops->write ? file->ops->write(file, buffer, size) : -EINVAL);
}

off_t lseek(int descriptor, off_t offset, int whence)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    return (off_t)bm_posix_finish(file,
                                  file->ops->seek ? (long)file->ops->seek(file, offset, whence) : -ESPIPE);
}

int fstat(int descriptor, struct stat *status)
{
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    struct bm_file_status said = {0};
    int result = file->ops->stat ? file->ops->stat(file, &said) : -EINVAL;
    if (result == 0)
        bm_posix_status(status, &said);
    return (int)bm_posix_finish(file, result);
}

int close(int descriptor)
{
    return (int)bm_posix_result(bm_file_close(descriptor));
}
