// What the files of /proc, /sys and /etc share: tables of paths, and text that is made when somebody reads.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/inode.h>
#include <baremetal/mount.h>

#include <stdarg.h>
#include <stddef.h>

// Text in frames that grows. Once memory has ended it stays as it is and `failed`.
struct proc_text {
    char *data;
    size_t size;
    unsigned order; // of the frames
    bool failed;
};

// A place in a tree. In `path`, which begins at the tree's root, a `*` in a component stands for a number,
// which the places below have, too.
struct proc_entry {
    const char *path;
    uint32_t mode;        // enum bm_file_type and permissions
    const char *constant; // what a file or link says, unless there is a function for it
    void (*text)(struct proc_text *text, unsigned number);
    int (*through)(unsigned number, struct bm_inode **found); // of a link: as in inode.h
    int (*next)(int from); // of one with a `*` in its last component: the least number from there on, or -1
};

enum {
    PROC_DIRECTORY = BM_FILE_DIRECTORY | 0555,
    PROC_FILE = BM_FILE_REGULAR | 0444,
    PROC_LINK = BM_FILE_LINK | 0777
};

// A tree as a file system, read-only.
struct proc_mount {
    struct bm_mount mount;
    uint32_t magic;
    const struct proc_entry *entries; // the first is the root
    size_t count;
};

// tree.c: makes a tree's file system; NULL when memory is short.
struct bm_mount *bm_proc_tree_make(const char *kind, uint32_t magic, const struct proc_entry *entries,
                                   size_t count);
// file.c: opens a file of a tree.
int bm_proc_file_open(struct bm_inode *inode, int flags, struct bm_file **file);
// tree.c: what a file or a link says now.
void bm_proc_inode_text(struct bm_inode *inode, struct proc_text *text);

// text.c. The conversions are those of log.h.
void bm_proc_put(struct proc_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bm_proc_put_bytes(struct proc_text *text, const void *data, size_t size);
void bm_proc_text_free(struct proc_text *text);

// maps.c: where the image and main's stack lie; all bytes that the process has.
struct proc_image {
    uint64_t text, constants, data, end, stack, stack_end;
};
struct proc_image bm_proc_image_get(void);
uint64_t bm_proc_mapped(void);

// As bm_thread_count of thread.h, which programs without threads do not link.
unsigned bm_thread_count(void) __attribute__((weak));
static inline unsigned bm_proc_threads(void)
{
    return bm_thread_count ? bm_thread_count() : 1;
}

// process.c, maps.c, descriptors.c, machine.c, cpu.c: what places say.
void bm_proc_link_exe(struct proc_text *text, unsigned number);
void bm_proc_link_working(struct proc_text *text, unsigned number);
void bm_proc_overcommit(struct proc_text *text, unsigned number);
void bm_proc_maps(struct proc_text *text, unsigned number);
void bm_proc_status(struct proc_text *text, unsigned number);
void bm_proc_stat(struct proc_text *text, unsigned number);
void bm_proc_statm(struct proc_text *text, unsigned number);
void bm_proc_comm(struct proc_text *text, unsigned number);
void bm_proc_arguments(struct proc_text *text, unsigned number);
void bm_proc_environment(struct proc_text *text, unsigned number);
void bm_proc_auxiliary(struct proc_text *text, unsigned number);
void bm_proc_limits(struct proc_text *text, unsigned number);
void bm_proc_mounts(struct proc_text *text, unsigned number);
void bm_proc_mountinfo(struct proc_text *text, unsigned number);
int bm_proc_descriptor_next(int from);
void bm_proc_link_descriptor(struct proc_text *text, unsigned number);
int bm_proc_through_descriptor(unsigned number, struct bm_inode **found);
void bm_proc_descriptor(struct proc_text *text, unsigned number);
void bm_proc_meminfo(struct proc_text *text, unsigned number);
void bm_proc_machine_stat(struct proc_text *text, unsigned number);
void bm_proc_uptime(struct proc_text *text, unsigned number);
void bm_proc_loadavg(struct proc_text *text, unsigned number);
void bm_proc_version(struct proc_text *text, unsigned number);
void bm_proc_name(struct proc_text *text, unsigned number);
void bm_proc_release(struct proc_text *text, unsigned number);
void bm_proc_uname_version(struct proc_text *text, unsigned number);
void bm_proc_uuid(struct proc_text *text, unsigned number);
void bm_proc_boot_id(struct proc_text *text, unsigned number);
void bm_proc_files_max(struct proc_text *text, unsigned number);
void bm_proc_name_servers(struct proc_text *text, unsigned number);
void bm_proc_cpuinfo(struct proc_text *text, unsigned number);
int bm_proc_cpu_next(int from);
void bm_proc_cpu_list(struct proc_text *text, unsigned number);
void bm_proc_cpu_mask(struct proc_text *text, unsigned number);
void bm_proc_cpu_core(struct proc_text *text, unsigned number);
void bm_proc_cpu_package(struct proc_text *text, unsigned number);
void bm_proc_cpu_threads(struct proc_text *text, unsigned number);
void bm_proc_cpu_cores(struct proc_text *text, unsigned number);

// etc.c: fills /etc with what is not there.
int bm_proc_etc_fill(void);
