// Files that the loader placed in memory (QEMU: -initrd; GRUB: module2): archives over those of the image.
// SPDX-License-Identifier: MIT
//
// Names are made in the root; the bytes of files stay in the archive until they are written. A later file
// takes the place of an earlier one of that name, as an archive's files do of the image's.
#include "archive.h"
#include "service.h"

#include "../base/early.h"

#include <baremetal/log.h>
#include <baremetal/memory.h>

static const struct {
    const char *why;
    int error;
} reasons[] = {{"its name leads out of the root", BM_EINVAL},
               {"a directory of that name has files", BM_ENOTEMPTY}};

// The path of an entry, without "." and empty parts: "/a/b" into path[BM_PATH_MAX]. The root is "/".
static int path_make(const char *name, char *path)
{
    size_t length = 0;
    while (*name) {
        while (*name == '/')
            name++;
        size_t part = 0;
        while (name[part] && name[part] != '/')
            part++;
        bool dot = part == 1 && *name == '.';
        if (part == 2 && name[0] == '.' && name[1] == '.')
            return -BM_EINVAL;
        if (part > BM_NAME_MAX || length + part + 2 > BM_PATH_MAX)
            return -BM_ENAMETOOLONG;
        if (part && !dot) {
            path[length++] = '/';
            __builtin_memcpy(path + length, name, part);
            length += part;
        }
        name += part;
    }
    if (!length)
        path[length++] = '/';
    path[length] = 0;
    return 0;
}

// Makes the directories above a path that are not there.
static int make_above(char *path)
{
    for (size_t i = 1; path[i]; i++) {
        if (path[i] != '/')
            continue;
        path[i] = 0;
        int error = bm_path_mkdir(BM_AT_FDCWD, path, 0755);
        path[i] = '/';
        if (error && error != -BM_EEXIST)
            return error;
    }
    return 0;
}

// Takes what has a name away, unless both are directories.
static int make_room(const char *path, uint32_t type)
{
    struct bm_file_status status;
    if (bm_path_status(BM_AT_FDCWD, path, BM_AT_SYMLINK_NOFOLLOW, &status))
        return 0;
    bool directory = (status.mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY;
    if (directory && type == BM_FILE_DIRECTORY)
        return 0;
    return bm_path_unlink(BM_AT_FDCWD, path, directory ? BM_AT_REMOVEDIR : 0);
}

struct unpack {
    struct bm_archive archive;
    struct bm_archive_entry entry, other;
    char path[BM_PATH_MAX], old[BM_PATH_MAX];
};

// Of several names of one file in cpio only one has its bytes: the first name gets them, the others are
// links. Returns 1 when it is made.
static int make_linked(struct unpack *unpack)
{
    struct bm_archive archive;
    const struct bm_archive_entry *entry = &unpack->entry;
    bm_archive_begin(&archive, unpack->archive.bytes, unpack->archive.size);
    while (bm_archive_next(&archive, &unpack->other) == 1) {
        if (unpack->other.number != entry->number || unpack->other.device != entry->device)
            continue;
        if (archive.at < unpack->archive.at && path_make(unpack->other.name, unpack->old) == 0) {
            int error = bm_path_link(BM_AT_FDCWD, unpack->old, BM_AT_FDCWD, unpack->path, 0);
            return error ? error : 1;
        }
        if (unpack->other.size) {
            unpack->entry.data = unpack->other.data;
            unpack->entry.size = unpack->other.size;
            return 0;
        }
    }
    return 0;
}

static int make(struct unpack *unpack)
{
    const struct bm_archive_entry *entry = &unpack->entry;
    struct bm_inode_new what = {.mode = entry->mode,
                                .special = entry->special,
                                .target = entry->target,
                                .data = entry->size ? entry->data : NULL,
                                .size = entry->size};
    if (entry->hard) {
        int error = path_make(entry->target, unpack->old);
        return error ? error : bm_path_link(BM_AT_FDCWD, unpack->old, BM_AT_FDCWD, unpack->path, 0);
    }
    if ((entry->mode & BM_FILE_TYPE) == BM_FILE_LINK && !*entry->target)
        return -BM_EINVAL;
    int error = bm_path_make(unpack->path, &what);
    return error == -BM_EEXIST && (entry->mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY ? 0 : error;
}

static int unpack_entry(struct unpack *unpack)
{
    const struct bm_archive_entry *entry = &unpack->entry;
    int error = path_make(entry->name, unpack->path);
    if (!error)
        error = make_above(unpack->path);
    if (!error && unpack->path[1])
        error = make_room(unpack->path, entry->mode & BM_FILE_TYPE);
    int linked = !error && entry->number ? make_linked(unpack) : 0;
    if (error || linked)
        return error ? error : linked < 0 ? linked : 0;
    error = make(unpack);
    struct bm_inode_change change = {.which = BM_CHANGE_MODE | BM_CHANGE_OWNER | BM_CHANGE_GROUP,
                                     .mode = entry->mode & 07777,
                                     .owner = entry->owner,
                                     .group = entry->group};
    if (entry->modified >= 0 && entry->modified <= INT64_MAX / 1000000000) {
        change.which |= BM_CHANGE_MODIFIED;
        change.modified = entry->modified * 1000000000;
    }
    if (!error && !entry->hard)
        error = bm_path_change(BM_AT_FDCWD, unpack->path, BM_AT_SYMLINK_NOFOLLOW, &change);
    return error;
}

int bm_initrd_unpack(const void *bytes, size_t size, const char *who)
{
    struct unpack *unpack = bm_file_allocate(sizeof *unpack);
    if (!unpack)
        return -BM_ENOMEM;
    int more = bm_archive_begin(&unpack->archive, bytes, size);
    while (more == 0 && (more = bm_archive_next(&unpack->archive, &unpack->entry)) == 1) {
        int error = unpack_entry(unpack);
        const char *why = "it cannot be made";
        for (size_t i = 0; error && i < sizeof reasons / sizeof *reasons; i++)
            if (error == -reasons[i].error)
                why = reasons[i].why;
        if (error)
            bm_log_warn("initrd", "%s: %s is left out: %s (error %d)", who, unpack->entry.name, why, -error);
        more = error == -BM_ENOMEM || error == -BM_ENOSPC ? error : 0;
    }
    if (more < 0)
        bm_log_error("initrd", "%s %s%s", who,
                     unpack->archive.why ? unpack->archive.why : "does not fit into memory",
                     unpack->archive.at ? "; what is before that was unpacked" : "");
    bm_file_free(unpack, sizeof *unpack);
    return more;
}

// Whether a module is RAM and not the image's: the direct map has it then.
static bool is_there(const struct bm_boot_module *module)
{
    const struct bm_boot_early *early = &bm_boot_early_state;
    uint64_t end = module->base + module->length;
    if (end < module->base ||
        (module->base < early->image_physical + early->image_length && early->image_physical < end))
        return false;
    for (uint32_t i = 0; i < bm_boot_info_get()->region_count; i++) {
        const struct bm_boot_region *region = &bm_boot_info_get()->regions[i];
        if (module->base >= region->base && end <= region->base + region->length)
            return true;
    }
    return false;
}

void bm_initrd_unpack_all(void)
{
    const struct bm_boot_info *info = bm_boot_info_get();
    for (uint32_t i = 0; i < info->module_count; i++) {
        char who[16];
        bm_format(who, sizeof who, "module %u", i + 1);
        if (is_there(&info->modules[i]))
            bm_initrd_unpack(bm_memory_direct(info->modules[i].base), info->modules[i].length, who);
        else
            bm_log_error("initrd", "%s is not in memory", who);
    }
}
