// What unpacking needs of the kernel besides files, for tests on the host: there are no modules.
// SPDX-License-Identifier: MIT
#pragma once

#include "file_host.h"

#include "../../../libbaremetal/file/archive.h"

#include <baremetal/boot.h>

const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;

const struct bm_boot_info *bm_boot_info_get(void)
{
    static const struct bm_boot_info none;
    return &none;
}

void *bm_memory_direct(uint64_t physical)
{
    (void)physical;
    return NULL;
}
