// The program's address space: ranges of pages with a protection, for mmap and its kin.
// SPDX-License-Identifier: MIT
//
// All in one region, of the upper half unless bm_space_place says otherwise. Pages get their memory, all
// zeros, when they are made readable or writable; a range without access costs nothing. Addresses and lengths
// are whole pages. Any core, not in handlers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// WRITE has READ, too. IMAGE: the pages are the image's own constants, which nobody writes
// (bm_space_map_image); EXECUTE: of those alone.
enum bm_space_protection {
    BM_SPACE_NONE = 0,
    BM_SPACE_READ = 1,
    BM_SPACE_WRITE = 2,
    BM_SPACE_EXECUTE = 4,
    BM_SPACE_IMAGE = 8
};

// Puts the space elsewhere than into the upper half: at addresses from `begin` on; what may be anywhere
// stands behind `low`. Before anything is mapped, once. Returns 0 or -BM_ENOMEM.
int bm_space_place(uint64_t begin, uint64_t low);

// Maps constants of the image, whole pages from `from` on, where nothing is. They can be unmapped, and
// neither protected otherwise nor moved. Returns 0, -BM_EINVAL, -BM_EEXIST, or -BM_ENOMEM.
int bm_space_map_image(uint64_t address, const void *from, uint64_t length, bool execute);

// Whether all of a range can be read, or written, this very moment: for addresses of programs that are not
// trusted. Takes no lock.
bool bm_space_reachable(uint64_t address, uint64_t length, bool write);

// Maps `length` bytes: anywhere when `address` is 0; else there, after what was there is gone, or, with
// `keep`, if nothing is there. Returns the address, or -BM_ENOMEM, -BM_EINVAL or -BM_EEXIST. When another
// core takes the memory meanwhile that was free or stood there, -BM_ENOMEM, and nothing is there any more.
int64_t bm_space_map(uint64_t address, uint64_t length, unsigned protection, bool keep);

// Removes what is mapped in a range; nothing is fine. Returns 0, -BM_EINVAL, or -BM_ENOMEM, with nothing
// changed, when the hole in a range needs memory and there is none.
int bm_space_unmap(uint64_t address, uint64_t length);

// Changes the protection of a range. Contents stay, also while there is no access. Returns 0, or -BM_ENOMEM
// when part of it is not mapped or memory ends; nothing is changed then.
int bm_space_protect(uint64_t address, uint64_t length, unsigned protection);

// Gives a range another length, elsewhere if need be and `move`. Returns its address, -BM_EFAULT when it is
// not mapped, or is to grow and has not one protection, or -BM_ENOMEM.
int64_t bm_space_resize(uint64_t address, uint64_t length, uint64_t wanted, bool move);

// Makes the pages of a range zeros again. Returns 0 or -BM_ENOMEM when part of it is not mapped.
int bm_space_clear(uint64_t address, uint64_t length);

// Whether all of a range is mapped.
bool bm_space_mapped(uint64_t address, uint64_t length);

// The first range of one protection that ends behind an address: *begin, *end, *protection. False: there is
// none.
bool bm_space_next(uint64_t from, uint64_t *begin, uint64_t *end, unsigned *protection);

// flush.c: gets an interrupt vector for that; false when all are taken.
bool bm_space_flush_start(void);

// Every core that runs has done all before and none behind a point between call and return: an interrupt of
// each. Returns 0 or -BM_ENOMEM when there is no vector for it.
int bm_space_barrier(void);

// flush.c: makes all other cores forget their translations; returns when they have.
void bm_space_flush(void);
