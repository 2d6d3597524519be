// Duplicates, flags and controls of descriptors.
// SPDX-License-Identifier: MIT
#include "linux.h"

enum { LOCK_SHARED = 1, LOCK_EXCLUSIVE = 2, LOCK_NONBLOCK = 4, LOCK_UNLOCK = 8, OWNER_PROCESS = 1 };

// Record locks are between processes: there is one, which never meets another's.
static int lock(const struct bm_file *file, int command, struct linux_flock *wanted)
{
    enum { WHENCE_END = 2 };
    if (wanted->type < LINUX_F_RDLCK || wanted->type > LINUX_F_UNLCK || wanted->whence < 0 ||
        wanted->whence > WHENCE_END)
        return -BM_EINVAL;
    if (command == LINUX_F_GETLK)
        wanted->type = LINUX_F_UNLCK;
    else if (wanted->type != LINUX_F_UNLCK &&
             (file->flags & LINUX_O_ACCMODE) ==
                 (wanted->type == LINUX_F_RDLCK ? LINUX_O_WRONLY : LINUX_O_RDONLY))
        return -BM_EBADF;
    return 0;
}

extern __typeof__(bm_pipe_capacity) bm_pipe_capacity __attribute__((weak)); // where programs make pipes

// Pipes have one size, which is as large as or larger than what may be asked for, as fcntl(2) allows.
static long pipe_size(const struct bm_file *file, bool set, long wanted)
{
    long capacity = bm_pipe_capacity ? (long)bm_pipe_capacity(file) : 0;
    if (!capacity)
        return -BM_EBADF;
    if (set && (unsigned)wanted > INT32_MAX)
        return -BM_EINVAL;
    return set && (unsigned)wanted > (unsigned)capacity ? -BM_EPERM : capacity;
}

static long duplicate(struct bm_file *file, int lowest, bool cloexec)
{
    int result = bm_file_install(file, lowest);
    if (result >= 0 && cloexec)
        bm_file_set_cloexec(result, true);
    return result;
}

static long control(struct bm_file *file, int descriptor, int command, long argument)
{
    switch (command) {
    case LINUX_F_DUPFD:
    case LINUX_F_DUPFD_CLOEXEC:
        return duplicate(file, (int)argument, command == LINUX_F_DUPFD_CLOEXEC);
    case LINUX_F_GETFD: // there is no exec: it is only kept
        return bm_file_cloexec(descriptor);
    case LINUX_F_SETFD:
        return bm_file_set_cloexec(descriptor, argument & 1);
    case LINUX_F_GETFL:
        return file->flags;
    default:
        break;
    }
    if (file->flags & LINUX_O_PATH)
        return -BM_EBADF;
    switch (command) {
    case LINUX_F_SETFL:
        return bm_linux_set_flags(file, (int)argument);
    case LINUX_F_GETLK:
    case LINUX_F_SETLK:
    case LINUX_F_SETLKW:
        return lock(file, command, (struct linux_flock *)argument);
    case LINUX_F_GETOWN_EX: // nobody is told of input
        *(struct linux_owner *)argument = (struct linux_owner){OWNER_PROCESS, 0};
        return 0;
    case LINUX_F_SETPIPE_SZ:
    case LINUX_F_GETPIPE_SZ:
        return pipe_size(file, command == LINUX_F_SETPIPE_SZ, argument);
    case LINUX_F_ADD_SEALS:
    case LINUX_F_GET_SEALS:
        return bm_linux_seals ? bm_linux_seals(file, command == LINUX_F_ADD_SEALS, argument) : -BM_EINVAL;
    default:
        return -BM_EINVAL;
    }
}

long bm_linux_fcntl(int descriptor, int command, long argument)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, control(file, descriptor, command, argument)) : -BM_EBADF;
}

// As record locks.
long bm_linux_flock(int descriptor, int operation)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    if (!file)
        return -BM_EBADF;
    int what = operation & ~LOCK_NONBLOCK;
    bool valid = what == LOCK_SHARED || what == LOCK_EXCLUSIVE || what == LOCK_UNLOCK;
    return bm_linux_finish(file, file->flags & LINUX_O_PATH ? -BM_EBADF : valid ? 0 : -BM_EINVAL);
}

long bm_linux_dup(int descriptor)
{
    return bm_linux_fcntl(descriptor, LINUX_F_DUPFD, 0);
}

long bm_linux_dup2(int from, int to)
{
    return bm_file_duplicate(from, to);
}

long bm_linux_dup3(int from, int to, int flags)
{
    if (from == to || flags & ~LINUX_O_CLOEXEC)
        return -BM_EINVAL;
    int result = bm_file_duplicate(from, to);
    if (result >= 0 && flags & LINUX_O_CLOEXEC)
        bm_file_set_cloexec(result, true);
    return result;
}
