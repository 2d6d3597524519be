// The same random calls on the file service and on Linux' tmpfs: results, errors and trees are the same.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_mount.c libbaremetal/file/tmpfs_directory.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c
// @sources libbaremetal/base/stack.c
// @defines _GNU_SOURCE=1
//
// Usage: test_file_oracle [RUNS [CALLS [FIRST SEED]]]. Linux' side runs in a root of its own (chroot), so
// that absolute paths and `..` mean the same; where a test may not have one, it is skipped.
#include "file_host/oracle.h"

const struct bm_embedded_file bm_embedded_files[] = {
    {"/a", "embedded a", 10, ""},
    {"/d/a", "", 0, ""},
    {"/d/b", embedded_long, sizeof embedded_long - 1, ""},
    {"/d/c/a", "deep", 4, ""},
    {"/e-x", "between", 7, ""},
    {"/e/b", "b", 1, ""},
};
const size_t bm_embedded_file_count = sizeof bm_embedded_files / sizeof *bm_embedded_files;

int main(int argc, char **argv)
{
    unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 12;
    unsigned long calls = argc > 2 ? strtoul(argv[2], NULL, 0) : 2000;
    unsigned long seed = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
    for (unsigned long run = 0; run < runs; run++) {
        int status = oracle_run(seed + run, calls);
        if (status) {
            fprintf(stderr, "seed %lu, %lu calls: status %d\n", seed + run, calls, status);
            return status;
        }
    }
    printf("%lu runs of %lu calls: no difference\n", runs, calls);
    return 0;
}
