// File systems on disks: which one is where, and the words mount=/path=DISK.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/file_system.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

BM_OPTION(mount, "/path=vda1, /path=UUID=… or /path=LABEL=…: mounts a disk; with :ro behind it only to be "
                 "read; may be repeated");

const char bm_disk_mount_linked = 1;

// By these names the linker keeps the list's parts.
extern const struct bm_file_system __start_bm_file_systems[] __attribute__((visibility("hidden")));
extern const struct bm_file_system __stop_bm_file_systems[] __attribute__((visibility("hidden")));

// What is left behind a beginning; NULL: it begins otherwise.
static const char *behind(const char *text, const char *beginning)
{
    while (*beginning && *text == *beginning)
        text++, beginning++;
    return *beginning ? NULL : text;
}

static bool is_same(const char *text, const char *other)
{
    const char *rest = behind(text, other);
    return rest && !*rest;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

// Hyphens between the digits mean nothing.
static bool is_id(const char *text, const uint8_t id[16])
{
    unsigned digits = 0;
    for (; *text; text++) {
        int digit = digit_of(*text);
        if (*text == '-')
            continue;
        if (digit < 0 || digits == 32 || (id[digits / 2] >> (digits % 2 ? 0 : 4) & 15) != digit)
            return false;
        digits++;
    }
    return digits == 32;
}

static bool is_volume(const char *disk, const struct bm_blockdev *device, const struct bm_volume *volume)
{
    const char *id = behind(disk, "UUID="), *label = behind(disk, "LABEL=");
    const char *rest = id ? NULL : behind(label ? volume->label : device->name, label ? label : disk);
    return id ? is_id(id, volume->id) : rest && !*rest;
}

// The first disk that is meant and has a file system that is linked.
static int find(const char *disk, struct bm_blockdev **device, const struct bm_file_system **system)
{
    bool any = bm_blockdev_find(disk);
    for (struct bm_blockdev *at = bm_blockdev_first(); at; at = at->next)
        for (const struct bm_file_system *kind = __start_bm_file_systems; kind < __stop_bm_file_systems;
             kind++) {
            struct bm_volume volume = {0};
            if (any && at != bm_blockdev_find(disk))
                continue;
            int error = kind->identify ? kind->identify(at, &volume) : -BM_ENODEV;
            if (error && error != -BM_ENODEV)
                bm_log_warn(kind->name, "%s cannot be read (error %d)", at->name, -error);
            if (error || !is_volume(disk, at, &volume))
                continue;
            *device = at;
            *system = kind;
            return 0;
        }
    bm_log_error("mount",
                 any ? "%s has no file system that is linked (baremetal::erofs …)"
                     : "there is no disk %s (is its driver linked, baremetal::virtio_blk …?)",
                 disk);
    return -BM_ENODEV;
}

// Two mounts of one disk that is written would destroy it: neither knows what the other one changes.
static bool is_written(const struct bm_blockdev *device)
{
    const struct bm_mount *mount = bm_mount_first();
    while (mount && (mount->read_only || !mount->source || bm_blockdev_find(mount->source) != device))
        mount = mount->next;
    if (mount)
        bm_log_error("mount", "%s is mounted already, and is written there", device->name);
    return mount;
}

// Makes a mount of what has that name, wherever it is.
static int make(const char *name, bool read_only, const struct bm_file_system **system,
                struct bm_mount **mount)
{
    for (*system = __start_bm_file_systems; *system < __stop_bm_file_systems; ++*system) {
        int error = (*system)->mount_named ? (*system)->mount_named(name, mount) : -BM_ENODEV;
        if (error != -BM_ENODEV)
            return error;
    }
    struct bm_blockdev *device = NULL;
    int error = find(name, &device, system);
    if (!error && is_written(device))
        error = -BM_EBUSY;
    if (error)
        return error;
    return (read_only && (*system)->mount_read_only ? (*system)->mount_read_only : (*system)->mount)(device,
                                                                                                     mount);
}

// The same of a name with ":ro" behind it.
static int make_read_only(const char *name, size_t length, const struct bm_file_system **system,
                          struct bm_mount **mount)
{
    char *copy = bm_file_allocate(BM_PATH_MAX);
    if (!copy)
        return -BM_ENOMEM;
    __builtin_memcpy(copy, name, length);
    int error = make(copy, true, system, mount);
    bm_file_free(copy, BM_PATH_MAX);
    if (!error)
        (*mount)->read_only = true;
    return error;
}

// Makes the directories of a path.
static int make_path(const char *path)
{
    size_t length = bm_path_length(path);
    char *copy = length < BM_PATH_MAX ? bm_file_allocate(BM_PATH_MAX) : NULL;
    int error = copy ? 0 : length < BM_PATH_MAX ? -BM_ENOMEM : -BM_ENAMETOOLONG;
    for (size_t i = 0; copy && !error && i < length; i++) {
        copy[i] = path[i];
        if (path[i] == '/' || (path[i + 1] != '/' && path[i + 1]))
            continue;
        error = bm_path_mkdir(BM_AT_FDCWD, copy, 0755);
        if (error == -BM_EEXIST)
            error = 0;
    }
    bm_file_free(copy, BM_PATH_MAX);
    return error;
}

int bm_disk_mount(const char *path, const char *disk)
{
    BM_ASSERT_MAY_WAIT();
    const struct bm_file_system *system;
    struct bm_mount *mount;
    size_t length = 0;
    while (disk[length])
        length++;
    bool read_only = length > 3 && length < BM_PATH_MAX && is_same(disk + length - 3, ":ro");
    int error =
        read_only ? make_read_only(disk, length - 3, &system, &mount) : make(disk, false, &system, &mount);
    if (error)
        return error;
    error = make_path(path);
    if (!error)
        error = bm_mount_add(mount, path);
    if (error) {
        bm_log_error("mount", "%s cannot be mounted on %s (error %d)", disk, path, -error);
        system->end(mount);
    } else {
        bm_log_info("mount", "%s (%s) on %s", mount->source, system->name, path);
    }
    return error;
}

void bm_disk_mount_all(void)
{
    char *word = bm_file_allocate(BM_PATH_MAX);
    int length = 0;
    for (unsigned i = 0; word && (length = bm_option_get_nth("mount", i, word, BM_PATH_MAX)) >= 0; i++) {
        char *disk = word;
        while (*disk && *disk != '=')
            disk++;
        if (length >= BM_PATH_MAX || *word != '/' || !disk[0] || !disk[1]) {
            bm_log_error("mount", "mount=%s is not mount=/path=disk", word);
            continue;
        }
        *disk = 0;
        bm_disk_mount(word, disk + 1);
    }
    bm_file_free(word, BM_PATH_MAX);
}

int bm_disk_sync_all(bool last)
{
    int error = 0;
    for (struct bm_mount *mount = bm_mount_first(); mount; mount = mount->next) {
        int failed = mount->sync ? mount->sync(mount, last) : 0;
        error = error ? error : failed;
    }
    return error;
}
