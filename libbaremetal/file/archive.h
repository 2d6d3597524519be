// Archives in memory, cpio (newc) and ustar: their headers become entries that have been checked.
// SPDX-License-Identifier: MIT
//
// newc: Linux kernel documentation, driver-api/early-userspace/buffer-format.rst; several may follow each
// other, with zeros between them. ustar: POSIX.1-2017, pax, "ustar Interchange Format", with the long names
// of pax ("path", "linkpath") and GNU tar (types L and K).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bm_archive {
    const uint8_t *bytes;
    size_t size, at; // in bytes; where the next header is
    bool tar;
    const char *why; // a sentence, behind an error
    // Names that a header before told, of tar.
    const char *long_name, *long_target;
    size_t long_name_length, long_target_length;
};

// A file in an archive; what it points to is the archive's.
struct bm_archive_entry {
    char name[4096]; // as it is in the archive, with a NUL
    char target[4096];
    uint32_t mode; // enum bm_file_type and permissions
    uint32_t owner, group;
    int64_t modified; // seconds since 1970
    const void *data; // of a regular file
    uint64_t size;    // bytes of that
    uint64_t special; // number of a device
    bool hard;        // another name of the file `target`, of tar
    // Of newc: files of the same number are one; 0: it is the only name.
    uint64_t number, device;
};

// Begins with an archive; -BM_EIO with `why` when it is none.
int bm_archive_begin(struct bm_archive *archive, const void *bytes, size_t size);
// The next file: 1, 0 at the end, or -BM_EIO with `why`.
int bm_archive_next(struct bm_archive *archive, struct bm_archive_entry *entry);
