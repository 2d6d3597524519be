// What <dirent.h> leaves to the system. Directories are those of the files in the image.
// SPDX-License-Identifier: MIT
#pragma once

#include <limits.h>
#include <sys/types.h>

#define DT_UNKNOWN 0
#define DT_DIR     4
#define DT_REG     8

struct dirent {
    ino_t d_ino;
    unsigned char d_type; // DT_REG or DT_DIR
    char d_name[NAME_MAX + 1];
};

typedef struct bm_directory DIR;
