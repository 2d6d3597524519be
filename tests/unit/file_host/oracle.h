// Random calls on both sides, and what is compared.
// SPDX-License-Identifier: MIT
#pragma once

#include "file_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char embedded_long[9001];

enum { SLOTS = 6, CHUNK = 20000, SKIPPED = 77 };

static struct {
    uint64_t random;
    unsigned long call;             // number
    int ours[SLOTS], theirs[SLOTS]; // descriptors; -1: none
    char text[9000];                // what is being called
} state;

#define DIFFER(...)                                                                                          \
    do {                                                                                                     \
        fprintf(stderr, "call %lu: %s: ", state.call, state.text);                                           \
        fprintf(stderr, __VA_ARGS__);                                                                        \
        fputc('\n', stderr);                                                                                 \
        _exit(1);                                                                                            \
    } while (0)

static uint32_t dice(uint32_t sides)
{
    state.random = state.random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state.random >> 33) % sides;
}

static long theirs(long result)
{
    return result < 0 ? -errno : result;
}

static void same(long ours, long linux_result)
{
    if (ours != linux_result)
        DIFFER("ours %ld, Linux %ld", ours, linux_result);
}

// --- Paths ---

static const char *component(void)
{
    static const char *const names[] = {"a", "b", "c",   "d", "e",  "a",  "b",
                                        "c", "d", "e-x", ".", "..", "..", ""};
    static char lengthy[258];
    uint32_t which = dice(300);
    if (which >= 2)
        return names[which % (sizeof names / sizeof *names)];
    memset(lengthy, 'n', 255 + which);
    lengthy[255 + which] = 0;
    return lengthy;
}

static char *path_make(char *path)
{
    uint32_t kind = dice(1000), count = 1 + dice(3);
    char *at = path;
    if (kind < 3) { // about as long as one may be
        size_t length = 4094 + kind;
        for (size_t i = 0; i < length; i++)
            path[i] = i % 2 ? '/' : '.';
        path[length] = 0;
        return path;
    }
    if (kind < 10)
        count = 0;
    if (dice(4) == 0)
        *at++ = '/';
    for (uint32_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i ? "/" : "", component());
    if (dice(8) == 0)
        *at++ = '/';
    *at = 0;
    return path;
}

// A directory to begin in: the working directory, mostly, or a descriptor.
static int slot_make(void)
{
    return dice(5) ? -1 : (int)dice(SLOTS);
}

static int at_of(int slot, const int *descriptors)
{
    return slot < 0 ? AT_FDCWD : descriptors[slot];
}

// --- Both sides' status ---

static void compare_status(const struct bm_file_status *said, const struct stat *status)
{
    if (said->mode != status->st_mode)
        DIFFER("mode %o, Linux %o", said->mode, status->st_mode);
    if (said->links != status->st_nlink)
        DIFFER("links %u, Linux %lu", said->links, (unsigned long)status->st_nlink);
    if (!S_ISDIR(status->st_mode) && said->size != (uint64_t)status->st_size)
        DIFFER("size %lu, Linux %lu", (unsigned long)said->size, (unsigned long)status->st_size);
}

static void both_status(int slot, const char *path, int flags)
{
    struct bm_file_status said;
    struct stat status;
    long result = theirs(fstatat(at_of(slot, state.theirs), path, &status, flags));
    same(bm_path_status(at_of(slot, state.ours), path, flags, &said), result);
    if (result == 0)
        compare_status(&said, &status);
}

// --- Trees ---

static char contents_ours[CHUNK], contents_theirs[CHUNK];

static void compare_contents(const char *path)
{
    int mine = bm_path_open(AT_FDCWD, path, O_RDONLY, 0), other = open(path, O_RDONLY);
    if (mine < 0 || other < 0)
        DIFFER("%s: open gave %d, Linux %d", path, mine, other);
    struct bm_file *file = bm_file_acquire(mine);
    for (;;) {
        long result = file->ops->read(file, contents_ours, CHUNK),
             expected = read(other, contents_theirs, CHUNK);
        same(result, expected);
        if (result <= 0)
            break;
        if (memcmp(contents_ours, contents_theirs, (size_t)result))
            DIFFER("%s differs", path);
    }
    bm_file_release(file);
    bm_file_close(mine);
    close(other);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char *names[1000];
    size_t count;
};

static void list_ours(int descriptor, struct names *names)
{
    struct bm_inode_entry entry;
    struct bm_file *file = bm_file_acquire(descriptor);
    names->count = 0;
    int result;
    while ((result = bm_file_entry(file, &entry)) == 1)
        names->names[names->count++] = strdup(entry.name);
    bm_file_release(file);
    if (result != -BM_ENOENT) // a directory that has been removed: readdir hides that
        same(result, 0);
    qsort(names->names, names->count, sizeof(char *), by_name);
}

static void list_theirs(DIR *directory, struct names *names)
{
    names->count = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        names->names[names->count++] = strdup(entry->d_name);
    qsort(names->names, names->count, sizeof(char *), by_name);
}

// Compares what two listings say; the names in *kept, to be freed.
static void compare_names(int descriptor, DIR *directory, struct names *kept, const char *where)
{
    struct names other;
    list_ours(descriptor, kept);
    list_theirs(directory, &other);
    if (kept->count != other.count)
        DIFFER("%s has %zu names, Linux' %zu", where, kept->count, other.count);
    for (size_t i = 0; i < other.count; i++) {
        if (strcmp(kept->names[i], other.names[i]))
            DIFFER("%s has %s, Linux' %s", where, kept->names[i], other.names[i]);
        free(other.names[i]);
    }
}

static void compare_tree(const char *path)
{
    struct bm_file_status said;
    struct stat status;
    same(bm_path_status(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &said), theirs(lstat(path, &status)));
    compare_status(&said, &status);
    if (S_ISLNK(status.st_mode)) {
        char a[300] = {0}, b[300] = {0};
        same(bm_path_readlink(AT_FDCWD, path, a, sizeof a - 1), readlink(path, b, sizeof b - 1));
        if (strcmp(a, b))
            DIFFER("%s leads to %s, Linux' to %s", path, a, b);
    }
    if (S_ISREG(status.st_mode))
        compare_contents(path);
    if (!S_ISDIR(status.st_mode))
        return;
    struct names *names = malloc(sizeof *names);
    int descriptor = bm_path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = opendir(path);
    compare_names(descriptor, directory, names, path);
    closedir(directory);
    bm_file_close(descriptor);
    for (size_t i = 0; i < names->count; i++) {
        char *below = malloc(strlen(path) + strlen(names->names[i]) + 2);
        sprintf(below, "%s%s%s", path, path[1] ? "/" : "", names->names[i]);
        if (strcmp(names->names[i], ".") && strcmp(names->names[i], ".."))
            compare_tree(below);
        free(below);
        free(names->names[i]);
    }
    free(names);
}

#include "oracle_calls.h"

// Removes everything on our side below a path.
static void remove_ours(const char *path)
{
    struct names *names = malloc(sizeof *names);
    int descriptor = bm_path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    list_ours(descriptor, names);
    bm_file_close(descriptor);
    for (size_t i = 0; i < names->count; i++) {
        char *below = malloc(strlen(path) + strlen(names->names[i]) + 2);
        sprintf(below, "%s/%s", path, names->names[i]);
        if (strcmp(names->names[i], ".") && strcmp(names->names[i], "..") &&
            bm_path_unlink(AT_FDCWD, below, 0) == -BM_EISDIR) {
            remove_ours(below);
            same(bm_path_unlink(AT_FDCWD, below, AT_REMOVEDIR), 0);
        }
        free(below);
        free(names->names[i]);
    }
    free(names);
}

// When all is removed and closed, the file system is as small as an empty one.
static void check_leaks(void)
{
    for (int slot = 0; slot < SLOTS; slot++)
        if (state.ours[slot] >= 0)
            bm_file_close(state.ours[slot]);
    same(bm_path_chdir(AT_FDCWD, "/", 0), 0);
    remove_ours("/");
    const struct tmpfs *fs = (const struct tmpfs *)bm_mount_first();
    const struct tmpfs_directory *root = &tmpfs_node_of(fs->mount.root)->directory;
    uint64_t least = sizeof(struct tmpfs_node) + root->bucket_count * sizeof(void *);
    if (fs->inodes != 1 || fs->used != least)
        DIFFER("%lu inodes and %lu bytes are left, not 1 and %lu", (unsigned long)fs->inodes,
               (unsigned long)fs->used, (unsigned long)least);
}

// Linux' side of the embedded files.
static void make_theirs(void)
{
    memset(embedded_long, 'L', sizeof embedded_long - 1);
    for (size_t i = 0; i < bm_embedded_file_count; i++) {
        char path[300];
        strcpy(path, bm_embedded_files[i].path);
        for (char *slash = path; (slash = strchr(slash + 1, '/')); *slash = '/') {
            *slash = 0;
            mkdir(path, 0755);
        }
        int descriptor = open(path, O_WRONLY | O_CREAT, 0644);
        if (write(descriptor, bm_embedded_files[i].data, bm_embedded_files[i].size) !=
            (ssize_t)bm_embedded_files[i].size)
            DIFFER("%s cannot be written: %s", path, strerror(errno));
        close(descriptor);
    }
}

static void play(const char *folder, uint64_t seed, unsigned long calls)
{
    if (chdir(folder) || (chroot(".") && (unshare(CLONE_NEWUSER) || chroot(".")))) {
        fprintf(stderr, "skipped: no root of its own (%s)\n", strerror(errno));
        _exit(SKIPPED);
    }
    umask(022);
    make_theirs();
    same(bm_path_unlink(AT_FDCWD, "/tmp", AT_REMOVEDIR), 0);
    chmod("/", 0755);
    state.random = seed * 1000003;
    dice(1);
    for (int slot = 0; slot < SLOTS; slot++)
        state.ours[slot] = state.theirs[slot] = -1;
    for (state.call = 0; state.call < calls; state.call++) {
        any_call();
        if (state.call % 500 == 499) {
            strcpy(state.text, "tree");
            compare_tree("/");
        }
    }
    strcpy(state.text, "end");
    check_leaks();
    _exit(0);
}

static int oracle_run(uint64_t seed, unsigned long calls)
{
    char folder[] = "/dev/shm/file_oracle.XXXXXX", command[64];
    if (!mkdtemp(folder))
        return SKIPPED;
    pid_t child = fork();
    if (child == 0)
        play(folder, seed, calls);
    int status;
    waitpid(child, &status, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command))
        fprintf(stderr, "%s is left\n", folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
