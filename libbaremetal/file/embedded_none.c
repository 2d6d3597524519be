// The files of an image that has none: another definition, which the build writes, is linked first otherwise.
// SPDX-License-Identifier: MIT
#include <baremetal/file.h>

const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;
