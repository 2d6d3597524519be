// Duplicates, flags and controls of descriptors.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

BM_TERMINAL_INPUT_NEEDED;

enum { SETTABLE = O_NONBLOCK | O_APPEND };

int dup(int descriptor)
{
    return fcntl(descriptor, F_DUPFD, 0);
}

int dup2(int from, int to)
{
    return (int)bm_posix_result(bm_file_duplicate(from, to));
}

static int set_flags(struct bm_file *file, int flags)
{
    flags = (file->flags & ~SETTABLE) | (flags & SETTABLE);
    int result = file->ops->set_flags ? file->ops->set_flags(file, flags) : 0;
    if (result == 0)
        file->flags = flags;
    return result;
}

// Record locks are between processes: there is one, which never meets another's.
static int lock(const struct bm_file *file, int command, struct flock *wanted)
{
    if (wanted->l_type != F_RDLCK && wanted->l_type != F_WRLCK && wanted->l_type != F_UNLCK)
        return -EINVAL;
    if (command == F_GETLK)
        wanted->l_type = F_UNLCK;
    else if (wanted->l_type != F_UNLCK &&
             (file->flags & O_ACCMODE) == (wanted->l_type == F_RDLCK ? O_WRONLY : O_RDONLY))
        return -EBADF;
    return 0;
}

int fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *pointer = va_arg(arguments, void *); // unused by commands without one
    int argument = (int)(intptr_t)pointer;     // of others the same register
    va_end(arguments);
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    int result = -EINVAL;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        result = bm_file_install(file, argument);
        if (result >= 0 && command == F_DUPFD_CLOEXEC)
            bm_file_set_cloexec(result, true);
        break;
    case F_GETFD: // there is no exec: it is only kept
        result = bm_file_cloexec(descriptor);
        break;
    case F_SETFD:
        result = bm_file_set_cloexec(descriptor, argument & FD_CLOEXEC);
        break;
    case F_GETFL:
        result = file->flags;
        break;
    case F_SETFL:
        result = set_flags(file, argument);
        break;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        result = lock(file, command, pointer);
        break;
    default:
        break;
    }
    return (int)bm_posix_finish(file, result);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    struct bm_file *file = bm_posix_find(descriptor, -1);
    if (!file)
        return -1;
    if (request == FIONBIO)
        return (int)bm_posix_finish(
            file, set_flags(file, *(int *)argument ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK));
    return (int)bm_posix_finish(file,
                                file->ops->control ? file->ops->control(file, request, argument) : -ENOTTY);
}
