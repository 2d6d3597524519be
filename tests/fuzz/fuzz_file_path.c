// Paths of any bytes in calls of the file service: no fault, and when all is removed nothing is left.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c
// @sources libbaremetal/base/stack.c
//
// The input is a script: a byte that names a call, two paths, each ended by a byte below 32, and so on.
#include "file_host/file_host.h"

enum { AT = BM_AT_FDCWD, CALLS_MAX = 200 };

const struct bm_embedded_file bm_embedded_files[] = {{"/a/b/c", "c", 1, ""}, {"/d", "d", 1, ""}};
const size_t bm_embedded_file_count = 2;

struct script {
    const uint8_t *at, *end;
};

static char *path_take(struct script *script)
{
    size_t length = 0;
    while (script->at + length < script->end && script->at[length] >= 32)
        length++;
    char *path = malloc(length + 1);
    memcpy(path, script->at, length);
    path[length] = 0;
    script->at += length + (script->at + length < script->end);
    return path;
}

static void open_and_use(const char *path, int flags, const char *text)
{
    char buffer[100];
    int descriptor = bm_path_open(AT, path, flags, 0644);
    struct bm_file *file = descriptor < 0 ? NULL : bm_file_acquire(descriptor);
    if (!file)
        return;
    if (file->ops->write)
        file->ops->write_at(file, text, strlen(text), (uint64_t)strlen(path) * 1000);
    if (file->ops->read)
        file->ops->read(file, buffer, sizeof buffer);
    struct bm_inode_entry entry;
    while (bm_file_entry(file, &entry) == 1)
        ;
    bm_file_release(file);
    bm_file_close(descriptor);
}

static void call(uint8_t which, const char *a, const char *b)
{
    char buffer[BM_PATH_MAX];
    struct bm_file_status status;
    const struct bm_inode_change cut = {.which = BM_CHANGE_SIZE, .size = strlen(b) * 999};
    switch (which % 12) {
    case 0:
        open_and_use(a, BM_O_RDWR | BM_O_CREAT, b);
        break;
    case 1:
        open_and_use(a, which & 16 ? BM_O_RDONLY | BM_O_DIRECTORY : BM_O_RDONLY | BM_O_NOFOLLOW, b);
        break;
    case 2:
        bm_path_mkdir(AT, a, 0755);
        break;
    case 3:
        bm_path_unlink(AT, a, which & 16 ? BM_AT_REMOVEDIR : 0);
        break;
    case 4:
        bm_path_rename(AT, a, AT, b, which & 16 ? BM_RENAME_NOREPLACE : 0);
        break;
    case 5:
        bm_path_link(AT, a, AT, b, which & 16 ? BM_AT_SYMLINK_FOLLOW : 0);
        break;
    case 6:
        bm_path_symlink(a, AT, b);
        break;
    case 7:
        bm_path_readlink(AT, a, buffer, sizeof buffer);
        break;
    case 8:
        bm_path_status(AT, a, which & 16 ? BM_AT_SYMLINK_NOFOLLOW : 0, &status);
        break;
    case 9:
        bm_path_chdir(AT, a, 0);
        bm_path_getcwd(buffer, sizeof buffer);
        break;
    case 10:
        bm_path_real(a, buffer, sizeof buffer);
        break;
    default:
        bm_path_change(AT, a, 0, &cut);
        break;
    }
}

static void remove_below(const char *path)
{
    struct bm_inode_entry entry;
    char below[BM_PATH_MAX + BM_NAME_MAX + 2];
    int descriptor = bm_path_open(AT, path, BM_O_RDONLY | BM_O_DIRECTORY, 0);
    struct bm_file *file = bm_file_acquire(descriptor);
    while (bm_file_entry(file, &entry) == 1) {
        if (!strcmp(entry.name, ".") || !strcmp(entry.name, ".."))
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry.name);
        if (bm_path_unlink(AT, below, 0) == -BM_EISDIR) {
            remove_below(below);
            if (bm_path_unlink(AT, below, BM_AT_REMOVEDIR))
                abort();
        }
    }
    bm_file_release(file);
    bm_file_close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, data + size};
    for (int i = 0; i < CALLS_MAX && script.at < script.end; i++) {
        uint8_t which = *script.at++;
        char *a = path_take(&script), *b = path_take(&script);
        call(which, a, b);
        free(a);
        free(b);
    }
    bm_path_chdir(AT, "/", 0);
    remove_below("/");
    if (((const struct tmpfs *)bm_mount_first())->inodes != 1)
        abort();
    return 0;
}
