// Start of memory management, device mappings, stacks, and addresses as devices see them.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "../base/early.h"
#include "../base/start.h"
#include "frame.h"
#include "paging.h"

#include <baremetal/assert.h>
#include <baremetal/boot.h>
#include <baremetal/compiler.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

#include <stddef.h>

// Device mappings and stacks grow upwards from here and their addresses are never used again: 2^44 bytes do
// not run out.
static uint64_t device_next, device_end;
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of page tables' shape in the device region

enum { HOLES_MAX = 3 + BM_BOOT_MODULES_MAX };

// Gives [begin, end) without the holes to the frame allocator.
static void add_without(uint64_t begin, uint64_t end, const struct bm_boot_module *holes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t hole_begin = holes[i].base & ~(BM_PAGE_SIZE - 1);
        uint64_t hole_end = (holes[i].base + holes[i].length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
        if (hole_begin >= end || hole_end <= begin)
            continue;
        if (begin < hole_begin)
            add_without(begin, hole_begin, holes + i + 1, count - i - 1);
        if (hole_end >= end)
            return;
        begin = hole_end;
    }
    if (begin < end)
        bm_frame_add(begin, end - begin);
}

static void add_ram(void)
{
    const struct bm_boot_early *early = &bm_boot_early_state;
    struct bm_boot_module holes[HOLES_MAX] = {
        {0, BM_PAGE_SIZE}, // the real-mode vectors, and no frame has the physical address 0
        {early->image_physical, early->image_length},
        {early->early_physical, early->early_length},
    };
    unsigned count = 3;
    for (uint32_t i = 0; i < bm_boot_info.module_count; i++)
        holes[count++] = bm_boot_info.modules[i];
    for (uint32_t i = 0; i < bm_boot_info.region_count; i++) {
        const struct bm_boot_region *region = &bm_boot_info.regions[i];
        uint64_t end = region->base + region->length, limit = 1ull << BM_PAGING_DIRECT_BITS;
        if (region->type == BM_BOOT_REGION_RAM)
            add_without(region->base, end < limit ? end : limit, holes, count);
    }
}

static uint64_t table_page(void)
{
    void *page = bm_frame_allocate(0);
    if (!page)
        return 0;
    __builtin_memset(page, 0, BM_PAGE_SIZE);
    return (uint64_t)page - bm_paging_layout.direct;
}

void bm_memory_start(void)
{
    bm_paging_source = table_page;
    bm_paging_unmap(bm_boot_early_state.identity_page, 2 * BM_PAGE_SIZE);
    device_next = bm_boot_early_state.device_next;
    device_end = device_next + (1ull << 43);
    add_ram();
    if (bm_boot_info.regions_dropped)
        bm_log_warn("memory",
                    "the memory map has %u entries more than the %u that are kept; their memory is not used",
                    bm_boot_info.regions_dropped, BM_BOOT_REGIONS_MAX);
}

BM_HOT uint64_t bm_memory_physical(const void *address)
{
    uint64_t virtual = (uint64_t)address, size;
    uint64_t image_offset = virtual - bm_paging_layout.image;
    if (image_offset < bm_boot_early_state.image_length)
        return bm_boot_early_state.image_physical + image_offset;
    uint64_t direct_offset = virtual - bm_paging_layout.direct;
    if (direct_offset < bm_paging_layout.direct_length)
        return direct_offset;
    uint64_t entry = bm_paging_lookup(virtual, &size);
    return entry ? (entry & BM_PTE_ADDRESS & ~(size - 1)) + (virtual & (size - 1)) : BM_PHYSICAL_NONE;
}

void *bm_memory_direct(uint64_t physical)
{
    BM_ASSERT(physical < bm_paging_layout.direct_length, "the direct map has RAM alone");
    return (void *)(bm_paging_layout.direct + physical);
}

// Devices see physical memory as it is. A name of its own, so that this can change in one place.
_Static_assert(BM_DMA_NONE == BM_PHYSICAL_NONE, "one stands for the other");
uint64_t bm_dma_address(const void *address) __attribute__((alias("bm_memory_physical")));

int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    const char *bytes = buffer;
    unsigned count = 0;
    BM_ASSERT(!length || segments, "there is no room for segments at NULL");
    while (length) {
        uint64_t address = bm_dma_address(bytes);
        size_t piece = BM_PAGE_SIZE - ((uintptr_t)bytes & (BM_PAGE_SIZE - 1));
        if (piece > length)
            piece = length;
        if (address == BM_DMA_NONE)
            return -BM_EINVAL;
        struct bm_dma_segment *last = count ? &segments[count - 1] : NULL;
        if (last && last->address + last->length == address && last->length < 1u << 30) {
            last->length += (uint32_t)piece;
        } else {
            if (count == max)
                return -BM_EINVAL;
            segments[count++] = (struct bm_dma_segment){address, (uint32_t)piece};
        }
        bytes += piece;
        length -= piece;
    }
    return (int)count;
}

// Addresses for `length` bytes and an unmapped page after them; 0 when none are left. Under the lock.
static uint64_t reserve(uint64_t length)
{
    if (length > device_end - device_next || device_end - device_next - length < BM_PAGE_SIZE)
        return 0;
    uint64_t address = device_next;
    device_next += length + BM_PAGE_SIZE;
    return address;
}

// Page attribute table entries at reset (Intel SDM volume 3, section 12.12): write-back 0, write-through 1,
// uncached 3. Write-combining has no entry there; such mappings are write-through, which is right but slower.
static uint64_t cache_flags(unsigned flags)
{
    if (flags & BM_MEMORY_UNCACHED)
        return BM_PTE_NO_CACHE | BM_PTE_WRITE_THROUGH;
    return flags & BM_MEMORY_WRITE_COMBINING ? BM_PTE_WRITE_THROUGH : 0;
}

volatile void *bm_memory_map_device(uint64_t physical, size_t length, unsigned flags)
{
    uint64_t offset = physical & (BM_PAGE_SIZE - 1);
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(!(flags & BM_MEMORY_EXECUTE), "registers are never executable");
    if (!length || physical >> 52 || length > 1ull << 40)
        return NULL;
    uint64_t size = (offset + length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    bm_spinlock_acquire(&lock);
    uint64_t virtual = reserve(size);
    bool mapped = virtual && bm_paging_map(virtual, physical - offset, size,
                                           BM_PTE_NO_EXECUTE | cache_flags(flags) |
                                               (flags & BM_MEMORY_WRITE ? BM_PTE_WRITE : 0));
    bm_spinlock_release(&lock);
    return mapped ? (volatile void *)(virtual + offset) : NULL;
}

// Of the checked build.
static inline bool is_mapped(uint64_t address)
{
    uint64_t size;
    return bm_paging_lookup(address, &size) != 0;
}

void bm_memory_unmap_device(volatile void *address, size_t length)
{
    uint64_t begin = (uint64_t)address & ~(BM_PAGE_SIZE - 1);
    uint64_t end = ((uint64_t)address + length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(begin >= bm_paging_layout.device && end <= device_next && begin <= end && is_mapped(begin),
              "only what bm_memory_map_device returned may be unmapped, once");
    bm_spinlock_acquire(&lock);
    bm_paging_unmap(begin, end - begin);
    bm_spinlock_release(&lock);
}

void *bm_memory_stack(size_t size)
{
    size = (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    bm_spinlock_acquire(&lock);
    uint64_t bottom = reserve(size);
    uint64_t top = bottom + size;
    for (uint64_t page = bottom; bottom && page < top; page += BM_PAGE_SIZE) {
        void *frame = bm_frame_allocate(0);
        if (!frame || !bm_paging_map(page, (uint64_t)frame - bm_paging_layout.direct, BM_PAGE_SIZE,
                                     BM_PTE_NO_EXECUTE | BM_PTE_WRITE)) {
            bm_frame_free(frame, 0);
            bottom = 0; // what was mapped stays: a machine that has no memory for a stack is about to stop
        }
    }
    bm_spinlock_release(&lock);
    return bottom ? (void *)top : NULL;
}

// Everything in the device region that is not mapped lies next to a mapping, below it by at most a page.
bool bm_memory_is_guard(uint64_t address)
{
    uint64_t size, first = bm_paging_layout.device;
    uint64_t next_page = (address | (BM_PAGE_SIZE - 1)) + 1;
    return address >= first && address < device_next && !bm_paging_lookup(address, &size) &&
           (bm_paging_lookup(next_page, &size) & (BM_PTE_NO_CACHE | BM_PTE_WRITE)) == BM_PTE_WRITE;
}
