// The program's memory, by pages.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../memory/paging.h"
#include "../space/space.h"
#include "linux.h"

#include <baremetal/memory.h>

static uint64_t pages(uint64_t length)
{
    return (length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
}

// Memory becomes executable only at boot, write xor execute for the whole life of the machine, but in images
// with JIT: there as the program says, as on Linux.
static int protection_of(int wanted)
{
    if (wanted & ~(LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC))
        return -BM_EINVAL;
    if (wanted & LINUX_PROT_EXEC && !&bm_linux_jit)
        return -BM_EACCES;
    return (wanted & LINUX_PROT_WRITE ? BM_SPACE_WRITE : 0) | (wanted ? BM_SPACE_READ : 0) |
           (wanted & LINUX_PROT_EXEC ? BM_SPACE_EXECUTE : 0);
}

enum { LAZY_MIN = 1 << 20 }; // less has its memory at once, which is cheaper

// What kind of mapping it is. On memory that comes when it is touched the kernel's text ends in a fault
// report when there is no more, and where the program is linked with it, it reads and writes the program's
// memory without asking first: there only if the program says so.
static unsigned kind_of(uint64_t length, int flags)
{
    unsigned kind = (flags & LINUX_MAP_TYPE) == LINUX_MAP_PRIVATE ? 0 : BM_SPACE_SHARED;
    bool at_once = flags & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED);
    bool later = flags & LINUX_MAP_NORESERVE || (bm_executable_map_text && length >= LAZY_MIN);
    if (!bm_space_fault_start || at_once || !later)
        return kind;
    bm_space_fault_start();
    return kind | BM_SPACE_LAZY;
}

long bm_linux_map_anonymous(uint64_t address, uint64_t length, int protection, int flags)
{
    unsigned wanted = (unsigned)protection | kind_of(length, flags);
    if (wanted & BM_SPACE_LAZY && protection && !(flags & LINUX_MAP_NORESERVE) &&
        length > bm_memory_statistics_get().total)
        return -BM_ENOMEM; // can never be used, as Linux has it
    return bm_space_map(address, length, wanted, flags & LINUX_MAP_FIXED_NOREPLACE);
}

static long map(uint64_t address, uint64_t length, int protection, int flags, int descriptor, long offset)
{
    if (flags & LINUX_MAP_ANONYMOUS)
        return bm_linux_map_anonymous(address, length, protection, flags);
    if (!bm_linux_map_file) { // nobody opens files: it is none
        struct bm_file *file = bm_linux_file(descriptor, -1);
        return file ? bm_linux_finish(file, -BM_ENODEV) : -BM_EBADF;
    }
    return bm_linux_map_file(address, length, protection, flags, descriptor, offset);
}

// Where the program would like it, if nothing is there; else anywhere.
static long map_near(uint64_t address, uint64_t length, int protection, int flags, int descriptor,
                     long offset)
{
    if (address) {
        long there = map(address, length, protection, flags | LINUX_MAP_FIXED_NOREPLACE, descriptor, offset);
        if (there == (long)address || (there != -BM_EEXIST && there != -BM_ENOMEM))
            return there;
    }
    return map(0, length, protection, flags, descriptor, offset);
}

// Huge pages are set aside by who runs a Linux; here as on one where nobody did: there are none.
static long refuse_huge(uint64_t address, int flags, bool fixed)
{
    enum { USUAL = 21, LARGE = 30 };
    unsigned bits = (unsigned)flags >> LINUX_MAP_HUGE_SHIFT;
    bits = bits ? bits : USUAL;
    bool valid = flags & LINUX_MAP_ANONYMOUS && (bits == USUAL || bits == LARGE);
    return !valid || (fixed && address & ((1ull << bits) - 1)) ? -BM_EINVAL : -BM_ENOMEM;
}

#define BIGGEST 0x7ffffffff000u // no mapping has more: the lower half of the addresses, but its last page

long bm_linux_mmap(uint64_t address, uint64_t length, int protection, int flags, int descriptor, long offset)
{
    if (protection == (LINUX_PROT_READ | LINUX_PROT_EXEC) && !(flags & LINUX_MAP_ANONYMOUS) &&
        bm_executable_map_text) {
        long text = bm_executable_map_text(address, length, flags, descriptor, offset);
        bool refused = text == -BM_EACCES || (flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE;
        if (!refused || !&bm_linux_jit)
            return text;
    }
    int wanted = protection_of(protection);
    bool fixed = flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE);
    int type = flags & LINUX_MAP_TYPE;
    bool typed = type == LINUX_MAP_SHARED || type == LINUX_MAP_PRIVATE ||
                 (type == LINUX_MAP_SHARED_VALIDATE && !(flags & LINUX_MAP_ANONYMOUS));
    if (!(flags & LINUX_MAP_ANONYMOUS) && bm_file_cloexec(descriptor) < 0)
        return -BM_EBADF;
    if (!length || !typed || (fixed && address & (BM_PAGE_SIZE - 1)) || offset & (long)(BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (flags & LINUX_MAP_HUGETLB)
        return refuse_huge(address, flags, fixed);
    if (wanted < 0)
        return wanted;
    if (length > BIGGEST || (fixed && !address))
        return -BM_ENOMEM;
    length = pages(length);
    long mapped = fixed ? map(address, length, wanted, flags, descriptor, offset)
                        : map_near(address & ~(BM_PAGE_SIZE - 1), length, wanted, flags, descriptor, offset);
    return bm_linux_lock_mapped ? bm_linux_lock_mapped(mapped, length, flags) : mapped;
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

static long move(uint64_t address, uint64_t length, uint64_t wanted, int flags, uint64_t to)
{
    bool fixed = flags & LINUX_MREMAP_FIXED, keep = flags & LINUX_MREMAP_DONTUNMAP;
    if (!(flags & LINUX_MREMAP_MAYMOVE) || (keep && length != wanted) || to & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (fixed && !to)
        return -BM_EPERM;
    return bm_space_move(&(struct bm_space_move){
        .address = address, .length = length, .wanted = wanted, .to = fixed ? to : 0, .keep = keep});
}

long bm_linux_mremap(uint64_t address, uint64_t length, uint64_t wanted, int flags, uint64_t to)
{
    enum { MOVES = LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP };
    if (flags & ~(LINUX_MREMAP_MAYMOVE | MOVES) || address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (flags & MOVES)
        return move(address, pages(length), pages(wanted), flags, to);
    return bm_space_resize(address, pages(length), pages(wanted), flags & LINUX_MREMAP_MAYMOVE);
}

static bool is_advice(int advice)
{
    enum { KNOWN = 0x3ffff1f }; // by their numbers: 0 to 4, 8 to 25
    return advice >= 0 && advice < 32 && (unsigned)KNOWN >> advice & 1;
}

// Advice changes nothing but where it promises zeros, or pages.
long bm_linux_madvise(uint64_t address, uint64_t length, int advice)
{
    uint64_t whole = pages(length);
    if (!is_advice(advice) || address & (BM_PAGE_SIZE - 1) || whole < length || address + whole < address)
        return -BM_EINVAL;
    if (!length)
        return 0;
    if (advice == LINUX_MADV_DONTNEED || advice == LINUX_MADV_FREE)
        return bm_space_clear(address, whole);
    if (!bm_space_mapped(address, whole))
        return -BM_ENOMEM;
    bool write = advice == LINUX_MADV_POPULATE_WRITE;
    if ((write || advice == LINUX_MADV_POPULATE_READ) && bm_space_touch &&
        !bm_space_touch(address, whole, write))
        return -BM_EFAULT;
    return 0;
}

// Programs with a heap bring it; hello does not.
void bm_emulator_prepare(void);
static void (*const emulator_needed)(void) __attribute__((used)) = bm_emulator_prepare;

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
    if (length && !bm_space_mapped(address, pages(length)))
        return -BM_ENOMEM;
    bool locked = flags & INVALIDATE && bm_space_locked && bm_space_locked(address, pages(length));
    return locked ? -BM_EBUSY : 0;
}

// By the program, or the image, its stacks and heap.
bool bm_linux_is_mapped(uint64_t address, uint64_t length)
{
    uint64_t size, end = address + length;
    if (end < address || (int64_t)(address << 16) >> 16 != (int64_t)address)
        return false;
    if (bm_space_mapped(address, length))
        return true;
    for (uint64_t at = address; at < end; at = (at | (size - 1)) + 1)
        if (!bm_paging_lookup(at, &size))
            return false;
    return true;
}

// Nothing is paged out.
long bm_linux_mincore(uint64_t address, uint64_t length, unsigned char *there)
{
    if (address & (BM_PAGE_SIZE - 1))
        return -BM_EINVAL;
    if (length && (pages(length) < length || !bm_linux_is_mapped(address, pages(length))))
        return -BM_ENOMEM;
    for (uint64_t at = 0; at < length; at += BM_PAGE_SIZE)
        *there++ = bm_space_resident(address + at) || !bm_space_mapped(address + at, BM_PAGE_SIZE);
    return 0;
}
