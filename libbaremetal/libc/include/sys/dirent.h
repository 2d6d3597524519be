// What <dirent.h> leaves to the system.
// SPDX-License-Identifier: MIT
#pragma once

#include <limits.h>
#include <sys/types.h>

#define DT_UNKNOWN 0
#define DT_FIFO    1
#define DT_CHR     2
#define DT_DIR     4
#define DT_BLK     6
#define DT_REG     8
#define DT_LNK     10
#define DT_SOCK    12

struct dirent {
    ino_t d_ino;
    unsigned char d_type; // DT_…
    char d_name[NAME_MAX + 1];
};

typedef struct bm_directory DIR;
