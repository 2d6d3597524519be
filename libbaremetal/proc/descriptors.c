// Descriptors and mounts as /proc/self tells them.
// SPDX-License-Identifier: MIT
#include "../file/service.h"
#include "../linux/linux.h"
#include "proc.h"

#include <baremetal/memory.h>

int bm_proc_descriptor_next(int from)
{
    for (int descriptor = from; descriptor >= 0 && descriptor < BM_FILES_MAX; descriptor++) {
        struct bm_file *file = bm_file_acquire(descriptor);
        if (!file)
            continue;
        bm_file_release(file);
        return descriptor;
    }
    return -1;
}

// What has no name.
static void put_kind(struct proc_text *text, struct bm_file *file)
{
    struct bm_file_status status;
    if (bm_file_status_of(file, &status))
        status = (struct bm_file_status){0};
    unsigned type = status.mode & BM_FILE_TYPE;
    if (file->ops == bm_terminal_file.ops)
        bm_proc_put(text, "/dev/console");
    else if (type == BM_FILE_PIPE || type == BM_FILE_SOCKET)
        bm_proc_put(text, "%s:[%lu]", type == BM_FILE_PIPE ? "pipe" : "socket", status.number);
    else
        bm_proc_put(text, "anon_inode:[%s]", file->inode ? file->inode->mount->kind : "file");
}

// The path: of a directory; of what has its name in the directory in which it was opened; of what has one in
// the root of its file system, as devices do.
static long path_of(struct bm_file *file, char *path)
{
    struct bm_inode *inode = file->inode, *directory = inode ? bm_open_directory(file) : NULL;
    if (!inode)
        return -BM_ENOENT;
    if (inode->type == BM_FILE_DIRECTORY)
        return bm_path_of(bm_inode_hold(inode), NULL, 0, path, BM_PATH_MAX);
    struct bm_inode_entry *entry = bm_file_allocate(sizeof *entry);
    if (!entry)
        return -BM_ENOMEM;
    if (!directory)
        directory = inode->mount->root;
    long result = bm_inode_name(directory, inode, entry);
    if (!result)
        result = bm_path_of(bm_inode_hold(directory), entry->name, entry->length, path, BM_PATH_MAX);
    bm_file_free(entry, sizeof *entry);
    return result;
}

void bm_proc_link_descriptor(struct proc_text *text, unsigned number)
{
    struct bm_file *file = bm_file_acquire((int)number);
    char *path = bm_frame_allocate(0);
    if (file && path && path_of(file, path) > 0)
        bm_proc_put(text, "%s", path);
    else if (file)
        put_kind(text, file);
    if (file)
        bm_file_release(file);
    if (path)
        bm_frame_free(path, 0);
}

// Who opens it opens what the descriptor has, by whatever name, if any. What is no inode goes by its text.
int bm_proc_through_descriptor(unsigned number, struct bm_inode **found)
{
    struct bm_file *file = bm_file_acquire((int)number);
    if (!file)
        return -BM_ENOENT;
    int result = !file->inode ? 1 : file->inode->type == BM_FILE_LINK ? -BM_ELOOP : 0;
    if (result == 0)
        *found = bm_inode_hold(file->inode);
    bm_file_release(file);
    return result;
}

static void put_octal(struct proc_text *text, unsigned value)
{
    for (int shift = 30; shift >= 0; shift -= 3)
        if (value >> shift || shift == 0)
            bm_proc_put(text, "%u", value >> shift & 7);
}

void bm_proc_descriptor(struct proc_text *text, unsigned number)
{
    struct bm_file *file = bm_file_acquire((int)number);
    if (!file)
        return;
    bm_proc_put(text, "pos:\t%lld\nflags:\t0", file->position);
    put_octal(text, (unsigned)file->flags | (bm_file_cloexec((int)number) > 0 ? BM_O_CLOEXEC : 0));
    bm_proc_put(text, "\nmnt_id:\t%lu\n", file->inode ? file->inode->mount->device : 0);
    if (file->inode)
        bm_proc_put(text, "ino:\t%lu\n", file->inode->number);
    bm_file_release(file);
}

// Of a list whose words are separated by spaces.
static void put_escaped(struct proc_text *text, const char *path)
{
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\\')
            bm_proc_put(text, "\\%u%u%u", byte >> 6, byte >> 3 & 7, byte & 7);
        else
            bm_proc_put_bytes(text, path, 1);
    }
}

static void put_place(struct proc_text *text, const struct bm_mount *mount)
{
    char *path = mount->place ? bm_frame_allocate(0) : NULL;
    if (!mount->place)
        bm_proc_put(text, "/");
    else if (path && bm_path_of(bm_inode_hold(mount->place), NULL, 0, path, BM_PATH_MAX) > 0)
        put_escaped(text, path);
    if (path)
        bm_frame_free(path, 0);
}

static const char *source_of(const struct bm_mount *mount)
{
    return mount->source ? mount->source : mount->kind;
}

// The list begins with the last one.
static const struct bm_mount *mount_of(uint64_t device)
{
    const struct bm_mount *mount = bm_mount_first();
    while (mount && mount->device != device)
        mount = mount->next;
    return mount;
}

void bm_proc_mounts(struct proc_text *text, unsigned number)
{
    (void)number;
    const struct bm_mount *mount;
    for (uint64_t device = 1; (mount = mount_of(device)); device++) {
        put_escaped(text, source_of(mount));
        bm_proc_put(text, " ");
        put_place(text, mount);
        bm_proc_put(text, " %s %s,noatime 0 0\n", mount->kind, mount->read_only ? "ro" : "rw");
    }
}

void bm_proc_mountinfo(struct proc_text *text, unsigned number)
{
    (void)number;
    const struct bm_mount *mount;
    for (uint64_t device = 1; (mount = mount_of(device)); device++) {
        const char *access = mount->read_only ? "ro" : "rw";
        bm_proc_put(text, "%lu %lu 0:%lu / ", device, mount->place ? mount->place->mount->device : 0, device);
        put_place(text, mount);
        bm_proc_put(text, " %s,noatime - %s ", access, mount->kind);
        put_escaped(text, source_of(mount));
        bm_proc_put(text, " %s\n", access);
    }
}
