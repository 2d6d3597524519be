// File systems on disks, which drivers/fs has: how they are found and mounted.
// SPDX-License-Identifier: MIT
//
// A file system is a constant that its file places in a list; its CMake target (baremetal_add_driver) carries
// the link option that pulls the file in. Words mount=/path=DISK of the command line mount disks when a path
// is first looked at; DISK is a name (vda1), UUID=… or LABEL=…, or what else a file system knows by name;
// with
// ":ro" behind it, it can only be read.
#pragma once

#include <baremetal/block.h>
#include <baremetal/mount.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BM_VOLUME_LABEL_MAX = 32 }; // with its NUL

// What a file system on a disk says of itself.
struct bm_volume {
    uint8_t id[16];                  // its UUID; all zeros: it has none
    char label[BM_VOLUME_LABEL_MAX]; // its name
};

// A kind of file system. BM_FILE_SYSTEM places it.
struct bm_file_system {
    const char *name; // the same word as the file and the CMake target
    // Whether it is on the device, and then what it says in *volume. Returns 0, -BM_ENODEV ("not mine"), or
    // another negative error.
    int (*identify)(struct bm_blockdev *device, struct bm_volume *volume);
    // Makes *mount of what is on the device. Returns 0 or a negative error, which has been logged.
    int (*mount)(struct bm_blockdev *device, struct bm_mount **mount);
    // The same of what shall not be written. NULL: that needs nothing of the file system.
    int (*mount_read_only)(struct bm_blockdev *device, struct bm_mount **mount);
    // Makes *mount of what has a name and is on no disk ("9p:share"); -BM_ENODEV: not mine, or there is none.
    // NULL: it is on disks alone; otherwise the two above are NULL.
    int (*mount_named)(const char *name, struct bm_mount **mount);
    // Frees a mount that nobody uses and that is in no mount table.
    void (*end)(struct bm_mount *mount);
};

// Places the file system whose name is `name_` in the list.
#define BM_FILE_SYSTEM(name_)                                                                                \
    extern const char bm_disk_mount_linked;                                                                  \
    static const char *const bm_disk_mount_needed __attribute__((used)) = &bm_disk_mount_linked;             \
    extern const struct bm_file_system bm_driver_##name_;                                                    \
    const struct bm_file_system bm_driver_##name_                                                            \
        __attribute__((used, visibility("default"), aligned(8), section("bm_file_systems")))

// Mounts what is on a disk (as in mount=) over the directory `path`, which is made if it is not there.
// Returns 0; -BM_ENODEV: there is no such disk, or no linked file system is on it; an error of the disk, the
// file system or bm_mount_add. Says in the log what is wrong. Any core, not in handlers.
int bm_disk_mount(const char *path, const char *disk);

// What was written to any file system is safe then; with `last`, before the machine is powered off, they are
// unmounted as well, and can only be read from then on. Returns the first error. Any core, not in handlers.
// Weak: NULL when no file system for disks is linked.
int bm_disk_sync_all(bool last) __attribute__((weak));

#ifdef __cplusplus
}
#endif
