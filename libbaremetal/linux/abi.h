// What programs and the kernel agree on, by Linux' numbers and layouts for x86-64.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// open, fcntl.
enum {
    LINUX_O_ACCMODE = 3,
    LINUX_O_RDONLY = 0,
    LINUX_O_WRONLY = 1,
    LINUX_O_RDWR = 2,
    LINUX_O_CREAT = 0100,
    LINUX_O_EXCL = 0200,
    LINUX_O_TRUNC = 01000,
    LINUX_O_APPEND = 02000,
    LINUX_O_NONBLOCK = 04000,
    LINUX_O_DIRECTORY = 0200000,
    LINUX_O_CLOEXEC = 02000000,
    LINUX_O_PATH = 010000000,
    LINUX_F_DUPFD = 0,
    LINUX_F_GETFD = 1,
    LINUX_F_SETFD = 2,
    LINUX_F_GETFL = 3,
    LINUX_F_SETFL = 4,
    LINUX_F_GETLK = 5,
    LINUX_F_SETLK = 6,
    LINUX_F_SETLKW = 7,
    LINUX_F_GETOWN_EX = 16,
    LINUX_F_SETPIPE_SZ = 1031,
    LINUX_F_GETPIPE_SZ = 1032,
    LINUX_F_ADD_SEALS = 1033,
    LINUX_F_GET_SEALS = 1034,
    LINUX_F_RDLCK = 0,
    LINUX_F_WRLCK = 1,
    LINUX_F_UNLCK = 2,
    LINUX_F_DUPFD_CLOEXEC = 1030,
};

struct linux_flock {
    int16_t type, whence;
    int64_t start, length;
    int32_t process;
};

struct linux_owner {
    int type, number;
};

// ioctl.
enum {
    LINUX_TCGETS = 0x5401,
    LINUX_TIOCGWINSZ = 0x5413,
    LINUX_FIONREAD = 0x541b,
    LINUX_FIONBIO = 0x5421,
    LINUX_SIOC = 0x89
};

// poll.
enum {
    LINUX_POLLIN = 1,
    LINUX_POLLPRI = 2,
    LINUX_POLLOUT = 4,
    LINUX_POLLERR = 8,
    LINUX_POLLHUP = 16,
    LINUX_POLLNVAL = 32,
    LINUX_POLLRDNORM = 64,
    LINUX_POLLWRNORM = 256
};

struct linux_pollfd {
    int fd;
    short events, revents;
};

struct linux_timespec {
    int64_t seconds, nanoseconds;
};

struct linux_timeval {
    int64_t seconds, microseconds;
};

// struct stat.
struct linux_stat {
    uint64_t device, number, links;
    uint32_t mode, user, group, unused;
    uint64_t special_device;
    int64_t size, block_size, blocks; // blocks of 512 bytes
    struct linux_timespec accessed, modified, changed;
    int64_t unused_too[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64");

struct linux_statx_time {
    int64_t seconds;
    uint32_t nanoseconds, unused;
};

// struct statx.
struct linux_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, unused;
    uint64_t number, size, blocks, attributes_mask;
    struct linux_statx_time accessed, created, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t unused_too[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

// struct statfs.
struct linux_statfs {
    int64_t kind, block_size;
    uint64_t blocks, free, available, inodes, inodes_free;
    int32_t number[2];
    int64_t name_max, fragment_size, flags, unused[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs of x86-64");

// struct linux_dirent64, followed by the name.
struct linux_directory_entry {
    uint64_t number;
    int64_t next;
    uint16_t size;
    uint8_t type; // S_IF… >> 12
    char name[];
} __attribute__((packed));

// struct linux_dirent, followed by the name; the entry's last byte is the type.
struct linux_old_directory_entry {
    uint64_t number;
    int64_t next;
    uint16_t size;
    char name[];
} __attribute__((packed));

// mmap, mprotect, mremap.
enum {
    LINUX_PROT_READ = 1,
    LINUX_PROT_WRITE = 2,
    LINUX_PROT_EXEC = 4,
    LINUX_MAP_SHARED = 1,
    LINUX_MAP_PRIVATE = 2,
    LINUX_MAP_SHARED_VALIDATE = 3,
    LINUX_MAP_TYPE = 15,
    LINUX_MAP_FIXED = 0x10,
    LINUX_MAP_ANONYMOUS = 0x20,
    LINUX_MAP_LOCKED = 0x2000,
    LINUX_MAP_NORESERVE = 0x4000,
    LINUX_MAP_POPULATE = 0x8000,
    LINUX_MAP_HUGETLB = 0x40000,
    LINUX_MAP_HUGE_SHIFT = 26, // above: the page's size, its binary logarithm; 0: the usual one
    LINUX_MAP_FIXED_NOREPLACE = 0x100000,
    LINUX_MAP_LEGACY = 0x407f973, // what MAP_SHARED_VALIDATE allows: flags that are older than it
    LINUX_MREMAP_MAYMOVE = 1,
    LINUX_MREMAP_FIXED = 2,
    LINUX_MREMAP_DONTUNMAP = 4,
    LINUX_MADV_DONTNEED = 4,
    LINUX_MADV_FREE = 8,
    LINUX_MADV_POPULATE_READ = 22,
    LINUX_MADV_POPULATE_WRITE = 23
};

// The auxiliary vector.
enum {
    LINUX_AT_NULL = 0,
    LINUX_AT_PHDR = 3,
    LINUX_AT_PHENT = 4,
    LINUX_AT_PHNUM = 5,
    LINUX_AT_PAGESZ = 6,
    LINUX_AT_UID = 11,
    LINUX_AT_EUID = 12,
    LINUX_AT_GID = 13,
    LINUX_AT_EGID = 14,
    LINUX_AT_HWCAP = 16,
    LINUX_AT_CLKTCK = 17,
    LINUX_AT_SECURE = 23,
    LINUX_AT_RANDOM = 25,
    LINUX_AT_EXECFN = 31
};

// An ELF program header.
struct linux_program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
enum { LINUX_PT_TLS = 7 };

// arch_prctl, clone.
enum { LINUX_ARCH_SET_FS = 0x1002, LINUX_ARCH_GET_FS = 0x1003 };
enum {
    LINUX_CLONE_VM = 0x100,
    LINUX_CLONE_FS = 0x200,
    LINUX_CLONE_FILES = 0x400,
    LINUX_CLONE_SIGHAND = 0x800,
    LINUX_CLONE_THREAD = 0x10000,
    LINUX_CLONE_SETTLS = 0x80000,
    LINUX_CLONE_PARENT_SETTID = 0x100000,
    LINUX_CLONE_CHILD_CLEARTID = 0x200000,
    LINUX_CLONE_CHILD_SETTID = 0x1000000
};

enum {
    LINUX_SIGNALS = 64,
    LINUX_SIGINT = 2,
    LINUX_SIGQUIT = 3,
    LINUX_SIGILL = 4,
    LINUX_SIGTRAP = 5,
    LINUX_SIGABRT = 6,
    LINUX_SIGBUS = 7,
    LINUX_SIGFPE = 8,
    LINUX_SIGKILL = 9,
    LINUX_SIGSEGV = 11,
    LINUX_SIGPIPE = 13,
    LINUX_SIGALRM = 14,
    LINUX_SIGTERM = 15,
    LINUX_SIGCHLD = 17,
    LINUX_SIGSTOP = 19,
    LINUX_SIGXFSZ = 25,
    LINUX_SIGVTALRM = 26,
    LINUX_SIGPROF = 27
};

enum {
    LINUX_CLOCK_REALTIME = 0,
    LINUX_CLOCK_MONOTONIC = 1,
    LINUX_CLOCK_PROCESS_CPUTIME_ID = 2,
    LINUX_CLOCK_THREAD_CPUTIME_ID = 3,
    LINUX_CLOCK_MONOTONIC_RAW = 4,
    LINUX_CLOCK_REALTIME_COARSE = 5,
    LINUX_CLOCK_MONOTONIC_COARSE = 6,
    LINUX_CLOCK_BOOTTIME = 7,
    LINUX_TIMER_ABSTIME = 1
};
