// The tree of the embedded files, as paths.
// SPDX-License-Identifier: MIT
#pragma once

#include "linux.h"

// Makes an absolute path without empty parts, `.` and `..` in out[LINUX_PATH_MAX]. Returns 0 or a negative
// error.
int bm_linux_path(int directory, const char *path, char *out);

// What a resolved path is: 0 and *file (NULL: a directory), or -BM_ENOENT. `path` changes behind its end.
int bm_linux_find(char *path, const struct bm_embedded_file **file);

// The status of a file or, with NULL, of a directory.
void bm_linux_embedded_status(struct bm_file_status *status, const struct bm_embedded_file *found);

// directory.c: the operations of an open directory.
extern const struct bm_file_ops bm_linux_directory_ops;

// A file whose operations end up in the descriptor table, with `extra` bytes behind it; its close frees it
// with bm_linux_free. NULL: no memory.
struct bm_file *bm_linux_new(const struct bm_file_ops *ops, int flags);
int bm_linux_free(struct bm_file *file);
