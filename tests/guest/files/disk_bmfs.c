// A BMFS disk, as BareMetal's tools make them: what is on it is told, for disk_bmfs.py to compare.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @link bmfs nvme
// @script disk_bmfs.py

#include "tell.h"

#include <errno.h>

int main(void)
{
    CHECK(access("/data/first.app", F_OK) == 0); // mounts the disk, which is logged
    puts("BEGIN");
    tell("/data");
    puts("END");
    CHECK_ERRNO(open("/data/first.app", O_WRONLY), EROFS);
    CHECK_ERRNO(open("/data/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_ERRNO(unlink("/data/first.app"), EROFS);
    CHECK_ERRNO(open("/data/none", O_RDONLY), ENOENT);
    return passed();
}
