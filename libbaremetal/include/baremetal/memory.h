// Memory: physical frames, permanent memory, mappings, addresses for devices.
// SPDX-License-Identifier: MIT
//
// All RAM but the image's own frames is mapped once, read-write and not executable, in the direct map. Frames
// come from a buddy allocator over the firmware's memory map. Nothing here blocks; all of it may be called on
// any core, but not in interrupt handlers unless a function says so.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BM_PAGE_SIZE 4096ul       // bytes
enum { BM_FRAME_ORDER_MAX = 18 }; // largest block: 2^18 pages, 1 GiB

// Allocates 2^order physically contiguous pages, aligned to their size, not zeroed. Returns their address in
// the direct map, or NULL when no such block is left (or order > BM_FRAME_ORDER_MAX).
void *bm_frame_allocate(unsigned order);

// 2^order pages as by bm_frame_allocate, with every byte below the physical address 2^bits (for devices that
// cannot address more): bits 20 … 64.
void *bm_frame_allocate_below(unsigned order, unsigned bits);

// Gives back a block with the order that it was allocated with. NULL does nothing.
void bm_frame_free(void *block, unsigned order);

// The order of the smallest block that holds so many bytes; more than BM_FRAME_ORDER_MAX when there is none,
// which bm_frame_allocate refuses. Any context.
static inline unsigned bm_frame_order(size_t bytes)
{
    return bytes <= BM_PAGE_SIZE ? 0 : 52 - (unsigned)__builtin_clzl(bytes - 1);
}

// Memory that is never given back: for what lives as long as the machine, such as a driver's state of a
// device. Pieces share pages. Returns `size` bytes, all zeros, aligned to `alignment`, a power of two of at
// most the largest block, and contiguous for a device, too; NULL when memory is short.
void *bm_memory_permanent(size_t size, size_t alignment);

// Physical address of a mapped byte: direct map, image, heap or stack. BM_PHYSICAL_NONE when it is not
// mapped. Any context.
#define BM_PHYSICAL_NONE UINT64_MAX
uint64_t bm_memory_physical(const void *address);

// Direct-map address of a RAM frame's physical address. Only for addresses in RAM regions of the boot map
// (firmware tables: bm_memory_map_device) that do not belong to the image. Any context.
void *bm_memory_direct(uint64_t physical);

// The address by which a device reaches a mapped byte: the only one that a driver gives to a device. Today it
// is the physical address; with an IOMMU, or where devices see a part of the memory only, it will not be.
// BM_DMA_NONE when the byte is not mapped. A block of frames and a piece of permanent memory are contiguous
// for a device, and so is every page; of other memory bm_dma_segments says what is. Any context.
#define BM_DMA_NONE UINT64_MAX
uint64_t bm_dma_address(const void *address);

// A piece of a buffer that is contiguous for a device.
struct bm_dma_segment {
    uint64_t address; // bm_dma_address of its first byte
    uint32_t length;  // bytes
};

// Splits buffer[length] into segments that are contiguous for a device, at most `max`; returns how many, or
// -BM_EINVAL when they do not suffice or part of the buffer is not mapped. Any context.
int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max);

// How memory is mapped.
enum bm_memory_flags {
    BM_MEMORY_WRITE = 1,          // writable; otherwise read-only
    BM_MEMORY_EXECUTE = 2,        // executable; never together with WRITE
    BM_MEMORY_UNCACHED = 4,       // device memory
    BM_MEMORY_WRITE_COMBINING = 8 // frame buffers
};

// Maps device registers (or firmware tables outside RAM) at physical[length] and returns the address, or NULL
// when the address space or memory for page tables is exhausted. The same range may be mapped more than once.
// Uncached unless `flags` says BM_MEMORY_WRITE_COMBINING or 0 (cached, read-only).
volatile void *bm_memory_map_device(uint64_t physical, size_t length, unsigned flags);

// Removes such a mapping.
void bm_memory_unmap_device(volatile void *address, size_t length);

// A stack of `size` bytes (rounded up to pages) with an unmapped guard page below. Returns the address just
// above its last byte, or NULL.
void *bm_memory_stack(size_t size);

// Moves the end of the heap by `increment` bytes and returns the old end, or NULL when memory ends (sbrk's
// job; the C library's malloc calls it through the POSIX layer).
void *bm_heap_extend(ptrdiff_t increment);

// Sets aside `length` bytes of addresses (rounded up to pages) that nobody else will use, aligned to
// `alignment`, a power of two. No memory belongs to them yet: touching them is a fault. Returns NULL when
// they are used up (4 TiB). They are never given back. For allocators that fill large ranges piece by piece.
void *bm_memory_reserve(size_t alignment, size_t length);

// Gives memory to the pages of address[length] that have none, all zeros; the range was reserved before.
// Returns false when there is not enough left; part of the range may have got some then. It stays for good.
bool bm_memory_commit(void *address, size_t length);

// Whether the page at a reserved address has memory.
bool bm_memory_committed(const void *address);

// Where the machine's memory is. Any core, any context.
struct bm_memory_statistics {
    uint64_t total; // bytes of RAM that the frame allocator was given
    uint64_t free;  // bytes that it could still give
    uint64_t heap;  // bytes between start and end of the heap
};
// The figures now.
struct bm_memory_statistics bm_memory_statistics_get(void);

// Whether the address lies in the unmapped page next to a stack. Any context; for the fault report.
bool bm_memory_is_guard(uint64_t address);

#ifdef __cplusplus
}
#endif
