// The file that baremetal::tmpfs asks the linker for: it brings in all of these calls, before those of the
// layer without it, which have the same names. What the program does not use, the linker drops again.
// SPDX-License-Identifier: MIT
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char bm_files_linked;
const char bm_files_linked = 1;

static const void *const needed[]
    __attribute__((used)) = {(const void *)open, (const void *)unlink, (const void *)stat,
                             (const void *)getcwd, (const void *)opendir};
