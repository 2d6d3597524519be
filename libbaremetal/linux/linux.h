// What the files of the Linux personality share.
// SPDX-License-Identifier: MIT
#pragma once

#include "abi.h"
#include "calls.h"

#include "../libc/libc.h" // the descriptor table

#include <baremetal/file.h>

// Says once, by `told`, that a call is not there. Returns -BM_ENOSYS.
long bm_linux_absent(const char *name, bool *told);

// Finds the file of a descriptor when its access mode allows `mode` (LINUX_O_RDONLY, LINUX_O_WRONLY, or -1
// for any); NULL: -BM_EBADF.
struct bm_file *bm_linux_file(int descriptor, int mode);

// The bytes of `size` that one call moves.
static inline size_t bm_linux_part(size_t size)
{
    return size < BM_TRANSFER_MAX ? size : BM_TRANSFER_MAX;
}

// Gives the file back and returns the result.
long bm_linux_finish(struct bm_file *file, long result);

// F_SETFL: changes the flags that can be. Returns 0 or a negative error.
int bm_linux_set_flags(struct bm_file *file, int flags);

// Nanoseconds of a time that must be valid, or -BM_EINVAL.
int bm_linux_nanoseconds(const struct linux_timespec *from, uint64_t *to);

enum { LINUX_PROCESS = 1 }; // the number of the process, and of main

// Waits so long, or for ever with UINT64_MAX, or until a signal has been taken: then -BM_EINTR, else 0.
int bm_linux_sleep(uint64_t nanoseconds);

// The time that is so far away, UINT64_MAX at the latest.
uint64_t bm_linux_deadline(uint64_t nanoseconds);

// table.c: the calls by their numbers; NULL where there is none.
enum { BM_LINUX_TABLE = 512 };
typedef long (*bm_linux_function)(long, long, long, long, long, long);
extern const bm_linux_function bm_linux_table[BM_LINUX_TABLE];
// poll.c: the deadline of a time-out; NULL: none. 0 or -BM_EINVAL.
int bm_linux_deadline_of(const struct linux_timespec *timeout, uint64_t *deadline);

// poll.c: the mask of a call: meanwhile those signals are blocked and no others; NULL: as before.
uint64_t bm_linux_mask_begin(const uint64_t *mask);
long bm_linux_mask_end(const uint64_t *mask, uint64_t before, long result);

// start.c: zeroed memory for the first thread's variables, when musl's own block does not suffice.
void *bm_linux_tls_memory(size_t size);

// start.c: what the first stack has, as Linux makes it: argv, NULL, environment, NULL, auxiliary vector.
const uint64_t *bm_linux_first_stack(void);
// process.c, where a program sets them: the host's name (0) and its domain's (1); NULL: not set.
const char *bm_linux_host_name(int which) __attribute__((weak));

// credentials.c, where a program sets them: getgroups.
long bm_linux_groups_tell(unsigned size, uint32_t *groups) __attribute__((weak));
// process.c, where a program says so by prctl: capabilities stay when the user is no longer root.
bool bm_linux_keeps_capabilities(void) __attribute__((weak));
// … those that the bounding set has lost.
uint64_t bm_linux_capabilities_dropped(void) __attribute__((weak));

// The number of the calling thread.
int bm_linux_thread(void);

// futex_pi.c, in programs with such locks: FUTEX_LOCK_PI and its kin; the word is aligned.
long bm_linux_futex_pi(uint32_t *address, int operation, const struct linux_timespec *timeout)
    __attribute__((weak));
extern const char bm_linux_futex_pi_linked;

// memory.c: whether something is mapped in a range.
bool bm_linux_is_mapped(uint64_t address, uint64_t length);

// locked.c, in programs that lock memory: what was mapped, locked if that was asked for; an error stays one.
long bm_linux_lock_mapped(long mapped, uint64_t length, int flags) __attribute__((weak));

// map_file.c: mmap of a file; the length is whole pages, the protection that of space.h, the address 0 for
// anywhere. Weak, so that programs that open no file do not link it: open.c asks for it.
long bm_linux_map_file(uint64_t address, uint64_t length, int protection, int flags, int descriptor,
                       long offset) __attribute__((weak));

// memfd.c: adds seals to a file, or tells them. Weak: in programs that make files which can be sealed.
long bm_linux_seals(struct bm_file *file, bool add, long wanted) __attribute__((weak));

// memory.c: mmap of memory that is no file's; the same.
long bm_linux_map_anonymous(uint64_t address, uint64_t length, int protection, int flags);
extern const char bm_linux_map_file_linked;

// jit.c, in images with the option JIT: memory may be made executable.
extern const char bm_linux_jit __attribute__((weak));

// executable/map_text.c: mmap of a file, readable and executable; only in images of Linux executables.
long bm_executable_map_text(uint64_t address, uint64_t length, int flags, int descriptor, long offset)
    __attribute__((weak));
