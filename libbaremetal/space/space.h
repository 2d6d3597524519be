// The program's address space: ranges of pages with a protection, for mmap and its kin.
// SPDX-License-Identifier: MIT
//
// All in one region, of the upper half unless bm_space_place says otherwise. Pages get their memory, all
// zeros, when they are made readable or writable; a range without access costs nothing. Those of a range that
// is LAZY, or has an object behind it, get it when they are touched: by the program, or by the kernel on its
// behalf, but not in handlers, nor under a lock that is taken for it (fault.c). So no core's stack is of that
// kind while the kernel's own text runs on it. Addresses and lengths are whole pages. Any core, not in
// handlers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// WRITE has READ, too. Who gives EXECUTE to what is not the image's decides on write xor execute. Access is
// changed by bm_space_protect, what a mapping is stays.
enum bm_space_protection {
    BM_SPACE_NONE = 0,
    BM_SPACE_READ = 1,
    BM_SPACE_WRITE = 2,
    BM_SPACE_EXECUTE = 4, // with READ
    BM_SPACE_ACCESS = BM_SPACE_READ | BM_SPACE_WRITE | BM_SPACE_EXECUTE,
    BM_SPACE_IMAGE = 8,      // the image's own constants, which nobody writes (bm_space_map_image)
    BM_SPACE_LAZY = 16,      // pages get memory when they are touched; after bm_space_fault_start
    BM_SPACE_SHARED = 32,    // MAP_SHARED: bm_space_clear leaves it alone
    BM_SPACE_READ_ONLY = 64, // is never to be written: bm_space_protect refuses
    BM_SPACE_LOCKED = 128    // mlock; counted and told, since nothing is paged out (locked.c)
};

enum { BM_SPACE_RANGES = 65530 }; // with so many no mapping is made, as on Linux

// Bytes at the begin of a page; behind them are zeros.
struct bm_space_bytes {
    const void *data;
    uint64_t length; // BM_PAGE_SIZE at most
};

// What stands behind mappings of objects. All are of one kind, for the machine's whole life.
struct bm_space_backing {
    // The physical address of the object's page `index`, which stays where it is until bm_space_object_cut;
    // `write`: it is about to be written by this mapping, for the first time. Returns 0, or a negative error:
    // behind its end, or memory ended. In a page fault, under the space's lock: takes no lock but those under
    // which nobody touches memory of the program; does not wait.
    int (*page)(void *object, uint64_t index, bool write, uint64_t *physical);
    // The same for a mapping whose writes nobody else sees, and only to be read; or, if the page is nowhere
    // that lasts, bytes to be copied, whose `data` is NULL otherwise.
    int (*page_private)(void *object, uint64_t index, uint64_t *physical, struct bm_space_bytes *bytes);
    void (*hold)(void *object);    // one reference more; under the space's lock
    void (*release)(void *object); // gives one back
};
extern const struct bm_space_backing *bm_space_backing; // NULL: no object was ever mapped

// What is mapped, or a part of it.
struct bm_space_range {
    uint64_t begin, end;
    unsigned protection; // enum bm_space_protection
    void *object;        // NULL: none
    uint64_t offset;     // of `begin` in the object, bytes
};

// Puts the space elsewhere than into the upper half: at addresses from `begin` on; what may be anywhere
// stands behind `low`. Before anything is mapped, once. Returns 0 or -BM_ENOMEM.
int bm_space_place(uint64_t begin, uint64_t low);

// Maps constants of the image, whole pages from `from` on, where nothing is. They can be unmapped, and
// neither protected otherwise nor moved. Returns 0, -BM_EINVAL, -BM_EEXIST, or -BM_ENOMEM.
int bm_space_map_image(uint64_t address, const void *from, uint64_t length, bool execute);

// Whether all of a range can be read, or written: for addresses of programs that are not trusted. Pages get
// their memory before it returns.
bool bm_space_reachable(uint64_t address, uint64_t length, bool write);

// Whether an address is of the region.
bool bm_space_holds(uint64_t address);

// Maps `length` bytes: anywhere when `address` is 0; else there, after what was there is gone, or, with
// `keep`, if nothing is there. Returns the address, or -BM_ENOMEM, -BM_EINVAL or -BM_EEXIST. When another
// core takes the memory meanwhile that was free or stood there, -BM_ENOMEM, and nothing is there any more.
int64_t bm_space_map(uint64_t address, uint64_t length, unsigned protection, bool keep);

// Removes what is mapped in a range; nothing is fine. Returns 0, -BM_EINVAL, or -BM_ENOMEM, with nothing
// changed, when the hole in a range needs memory and there is none.
int bm_space_unmap(uint64_t address, uint64_t length);

// Changes the access of a range. Contents stay, also while there is none. Returns 0, -BM_EACCES when it is of
// the image or never to be written, or -BM_ENOMEM when part of it is not mapped or memory ends; nothing is
// changed then.
int bm_space_protect(uint64_t address, uint64_t length, unsigned protection);

// Gives a range another length, elsewhere if need be and `move`. Returns its address, -BM_EFAULT when it is
// not mapped, or is to grow and has not one protection, or -BM_ENOMEM.
int64_t bm_space_resize(uint64_t address, uint64_t length, uint64_t wanted, bool move);

// A range that is to be moved, and may get another length.
struct bm_space_move {
    uint64_t address, length; // all of one range
    uint64_t wanted;          // its length then
    uint64_t to;              // its place, from which goes what is there; 0: anywhere
    bool keep;                // the old place stays mapped, with new pages; `wanted` is `length`
};

// Moves it. Returns its address, -BM_EINVAL when the old and the new place overlap, -BM_EFAULT when it is not
// of one range, or -BM_ENOMEM; what stood at the new place may be gone then.
int64_t bm_space_move(const struct bm_space_move *what);

// Makes the pages of a range zeros again, but for those that are shared or the image's; lazy ones give their
// memory back, and private ones of an object are the object's again. Returns 0 or -BM_ENOMEM when part of it
// is not mapped.
int bm_space_clear(uint64_t address, uint64_t length);

// Whether all of a range is mapped.
bool bm_space_mapped(uint64_t address, uint64_t length);

// Whether a page has memory already, or is an object's, which has it.
bool bm_space_resident(uint64_t page);

// The first range, or part of one, behind an address, with a reference to its object for the caller
// (bm_space_backing->release). False: there is none.
bool bm_space_next(uint64_t from, struct bm_space_range *range);

// object.c: maps pages of an object, from a byte `offset` on, which is a whole page's; as bm_space_map. Each
// mapping has a reference to the object. Among `protection`: SHARED, or what is written stays in a copy of
// the page, which this mapping alone has from then on; READ_ONLY: nobody is to write through it.
int64_t bm_space_map_object(uint64_t address, uint64_t length, unsigned protection, bool keep,
                            const struct bm_space_backing *backing, void *object, uint64_t offset);

// object.c: pages from a byte `offset` on, a whole page's, are about to leave the object, which gives none of
// them from now on: no mapping has them when this returns.
void bm_space_object_cut(const void *object, uint64_t offset);

// object.c: which object has a shared mapping at an address, and where in it that is; NULL: there is no such
// mapping. The object may be gone when it returns. Any core, not in handlers.
const void *bm_space_shared_place(uint64_t address, uint64_t *offset);

// object.c: whether the object can be written by a mapping, or one be made writable.
bool bm_space_object_written(const void *object);

// locked.c: locks what is mapped of a range of pages, or unlocks it. -BM_ENOMEM when more than `limit` bytes
// would be locked, or memory ends.
int bm_space_lock_pages(uint64_t address, uint64_t length, bool locked, uint64_t limit);
// How many bytes of a range are locked.
uint64_t bm_space_locked(uint64_t address, uint64_t length) __attribute__((weak));

// fault.c: answers page faults from now on. Weak: where a program links nobody who needs it, every mapping
// has all its memory.
void bm_space_fault_start(void) __attribute__((weak));
extern const char bm_space_fault_linked;

// fault.c: has a range's pages mapped as if they were read, or written. False: some cannot be. Any context in
// which this core holds no lock that is taken for it.
bool bm_space_touch(uint64_t address, uint64_t length, bool write) __attribute__((weak));

// fault.c: whether an address could be read, or written, if there were a page for it: it lies behind its
// object's end, or memory has ended.
bool bm_space_lacks(uint64_t address, bool write) __attribute__((weak));

// flush.c: gets an interrupt vector for that; false when all are taken.
bool bm_space_flush_start(void);

// Every core that runs has done all before and none behind a point between call and return: an interrupt of
// each. Returns 0 or -BM_ENOMEM when there is no vector for it.
int bm_space_barrier(void);

// flush.c: makes all other cores forget their translations; returns when they have.
void bm_space_flush(void);
