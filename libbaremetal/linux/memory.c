// The program's memory, by pages.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../space/space.h"
#include "linux.h"

#include <baremetal/memory.h>

static uint64_t pages(uint64_t length)
{
    return (length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
}

// Memory becomes executable only at boot: write xor execute for the whole life of the machine.
static int protection_of(int wanted)
{
    if (wanted & ~(LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC))
        return -BM_EINVAL;
    if (wanted & LINUX_PROT_EXEC)
        return -BM_EACCES;
    return (wanted & LINUX_PROT_WRITE ? BM_SPACE_WRITE : 0) | (wanted ? BM_SPACE_READ : 0);
}

// Where the program would like it, if nothing is there; else anywhere.
static int64_t map_near(uint64_t address, uint64_t length, unsigned protection)
{
    int64_t there = address ? bm_space_map(address, length, protection, true) : -BM_ENOMEM;
    return there == (int64_t)address ? there : bm_space_map(0, length, protection, false);
}

long bm_linux_mmap(uint64_t address, uint64_t length, int protection, int flags, int descriptor, long offset)
{
    if (protection == (LINUX_PROT_READ | LINUX_PROT_EXEC) && !(flags & LINUX_MAP_ANONYMOUS) &&
        bm_executable_map_text)
        return bm_executable_map_text(address, length, flags, descriptor, offset);
    int wanted = protection_of(protection);
    bool fixed = flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE);
    int type = flags & LINUX_MAP_TYPE;
    bool typed = type == LINUX_MAP_SHARED || type == LINUX_MAP_PRIVATE ||
                 (type == LINUX_MAP_SHARED_VALIDATE && !(flags & LINUX_MAP_ANONYMOUS));
    if (!length || !typed || (fixed && address & (BM_PAGE_SIZE - 1)) || offset & (long)(BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (wanted < 0)
        return wanted;
    length = pages(length);
    if (!length || (fixed && !address))
        return -BM_ENOMEM;
    if (!(flags & LINUX_MAP_ANONYMOUS))
        return bm_linux_map_file
                   ? bm_linux_map_file(fixed ? address : 0, length, wanted, flags, descriptor, offset)
                   : -BM_EBADF; // nobody opens files
    if (!fixed)
        return map_near(address & ~(BM_PAGE_SIZE - 1), length, (unsigned)wanted);
    return bm_space_map(address, length, (unsigned)wanted, flags & LINUX_MAP_FIXED_NOREPLACE);
}

long bm_linux_munmap(uint64_t address, uint64_t length)
{
    return bm_space_unmap(address, pages(length));
}

long bm_linux_mprotect(uint64_t address, uint64_t length, int protection)
{
    int wanted = protection_of(protection);
    if (address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (wanted < 0 || !length)
        return wanted < 0 ? wanted : 0;
    return bm_space_protect(address, pages(length), (unsigned)wanted);
}

long bm_linux_mremap(uint64_t address, uint64_t length, uint64_t wanted, int flags)
{
    if (flags & ~LINUX_MREMAP_MAYMOVE || address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    return bm_space_resize(address, pages(length), pages(wanted), flags & LINUX_MREMAP_MAYMOVE);
}

// Advice changes nothing but where it promises zeros.
long bm_linux_madvise(uint64_t address, uint64_t length, int advice)
{
    if (address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (!length)
        return 0;
    if (advice == LINUX_MADV_DONTNEED)
        return bm_space_clear(address, pages(length));
    return bm_space_mapped(address, pages(length)) ? 0 : -BM_ENOMEM;
}

// There is no heap besides mmap: the break cannot be moved, and allocators take the other way.
long bm_linux_brk(uint64_t address)
{
    (void)address;
    return 0;
}

long bm_linux_msync(uint64_t address, uint64_t length, int flags)
{
    enum { ASYNC = 1, INVALIDATE = 2, SYNC = 4 };
    if (flags & ~(ASYNC | INVALIDATE | SYNC) || (flags & ASYNC && flags & SYNC) ||
        address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    return !length || bm_space_mapped(address, pages(length)) ? 0 : -BM_ENOMEM;
}

// Memory is never paged out.
long bm_linux_mlock(uint64_t address, uint64_t length)
{
    (void)address;
    (void)length;
    return 0;
}

long bm_linux_mlock2(uint64_t address, uint64_t length, int flags)
{
    (void)flags;
    return bm_linux_mlock(address, length);
}

long bm_linux_munlock(uint64_t address, uint64_t length)
{
    return bm_linux_mlock(address, length);
}

long bm_linux_mlockall(int flags)
{
    (void)flags;
    return 0;
}

long bm_linux_munlockall(void)
{
    return 0;
}

// What is mapped is there: nothing is paged out.
long bm_linux_mincore(uint64_t address, uint64_t length, unsigned char *there)
{
    if (address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (length && !bm_space_mapped(address, pages(length)))
        return -BM_ENOMEM;
    __builtin_memset(there, 1, pages(length) / BM_PAGE_SIZE);
    return 0;
}
