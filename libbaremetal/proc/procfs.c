// /proc and /sys: their places.
// SPDX-License-Identifier: MIT
#include "proc.h"

#include "../file/service.h"

#include <baremetal/log.h>
#include <baremetal/path.h>

enum { PROC_MAGIC = 0x9fa0, SYS_MAGIC = 0x62656572, COUNT_MAX = 128 };

#define DIRECTORY(path_)                                                                                     \
    {                                                                                                        \
        .path = (path_), .mode = PROC_DIRECTORY                                                              \
    }
#define TEXT(path_, text_)                                                                                   \
    {                                                                                                        \
        .path = (path_), .mode = PROC_FILE, .text = (text_)                                                  \
    }
#define CONSTANT(path_, constant_)                                                                           \
    {                                                                                                        \
        .path = (path_), .mode = PROC_FILE, .constant = (constant_)                                          \
    }
#define LINK(path_, constant_)                                                                               \
    {                                                                                                        \
        .path = (path_), .mode = PROC_LINK, .constant = (constant_)                                          \
    }

static const struct proc_entry proc[] = {
    DIRECTORY(""),
    LINK("/self", "1"),
    LINK("/mounts", "self/mounts"),
    DIRECTORY("/1"),
    TEXT("/1/auxv", bm_proc_auxiliary),
    CONSTANT("/1/cgroup", "0::/\n"),
    TEXT("/1/cmdline", bm_proc_arguments),
    TEXT("/1/comm", bm_proc_comm),
    {.path = "/1/cwd", .mode = PROC_LINK, .text = bm_proc_link_working},
    TEXT("/1/environ", bm_proc_environment),
    {.path = "/1/exe", .mode = PROC_LINK, .text = bm_proc_link_exe},
    DIRECTORY("/1/fd"),
    {.path = "/1/fd/*",
     .mode = PROC_LINK,
     .text = bm_proc_link_descriptor,
     .through = bm_proc_through_descriptor,
     .next = bm_proc_descriptor_next},
    DIRECTORY("/1/fdinfo"),
    {.path = "/1/fdinfo/*", .mode = PROC_FILE, .text = bm_proc_descriptor, .next = bm_proc_descriptor_next},
    TEXT("/1/limits", bm_proc_limits),
    TEXT("/1/maps", bm_proc_maps),
    TEXT("/1/mountinfo", bm_proc_mountinfo),
    TEXT("/1/mounts", bm_proc_mounts),
    LINK("/1/root", "/"),
    TEXT("/1/stat", bm_proc_stat),
    TEXT("/1/statm", bm_proc_statm),
    TEXT("/1/status", bm_proc_status),
    TEXT("/cpuinfo", bm_proc_cpuinfo),
    CONSTANT("/filesystems", "nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\n"),
    TEXT("/loadavg", bm_proc_loadavg),
    TEXT("/meminfo", bm_proc_meminfo),
    DIRECTORY("/net"),
    TEXT("/net/pnp", bm_proc_name_servers),
    TEXT("/stat", bm_proc_machine_stat),
    DIRECTORY("/sys"),
    DIRECTORY("/sys/fs"),
    TEXT("/sys/fs/file-max", bm_proc_files_max),
    TEXT("/sys/fs/nr_open", bm_proc_files_max),
    CONSTANT("/sys/fs/pipe-max-size", "65536\n"),
    CONSTANT("/sys/fs/pipe-user-pages-hard", "0\n"),
    CONSTANT("/sys/fs/pipe-user-pages-soft", "0\n"),
    DIRECTORY("/sys/kernel"),
    TEXT("/sys/kernel/hostname", bm_proc_name),
    CONSTANT("/sys/kernel/msgmax", "8192\n"),
    CONSTANT("/sys/kernel/msgmnb", "16384\n"),
    CONSTANT("/sys/kernel/msgmni", "32000\n"),
    TEXT("/sys/kernel/osrelease", bm_proc_release),
    CONSTANT("/sys/kernel/ostype", "Linux\n"),
    CONSTANT("/sys/kernel/pid_max", "4194304\n"),
    DIRECTORY("/sys/kernel/random"),
    TEXT("/sys/kernel/random/boot_id", bm_proc_boot_id),
    CONSTANT("/sys/kernel/random/entropy_avail", "256\n"),
    CONSTANT("/sys/kernel/random/poolsize", "256\n"),
    TEXT("/sys/kernel/random/uuid", bm_proc_uuid),
    CONSTANT("/sys/kernel/sem", "32000\t1024000000\t500\t32000\n"),
    CONSTANT("/sys/kernel/shmall", "18446744073692774399\n"),
    CONSTANT("/sys/kernel/shmmax", "18446744073692774399\n"),
    CONSTANT("/sys/kernel/shmmni", "4096\n"),
    CONSTANT("/sys/kernel/tainted", "0\n"),
    CONSTANT("/sys/kernel/threads-max", "262144\n"),
    TEXT("/sys/kernel/version", bm_proc_uname_version),
    DIRECTORY("/sys/net"),
    DIRECTORY("/sys/net/core"),
    CONSTANT("/sys/net/core/somaxconn", "255\n"),
    DIRECTORY("/sys/vm"),
    CONSTANT("/sys/vm/max_map_count", "65530\n"),
    TEXT("/sys/vm/overcommit_memory", bm_proc_overcommit),
    TEXT("/uptime", bm_proc_uptime),
    TEXT("/version", bm_proc_version)};

#define CPU      "/devices/system/cpu"
#define TOPOLOGY CPU "/cpu*/topology"

static const struct proc_entry sys[] = {
    DIRECTORY(""),
    DIRECTORY("/devices"),
    DIRECTORY("/devices/system"),
    DIRECTORY(CPU),
    TEXT(CPU "/online", bm_proc_cpu_list),
    TEXT(CPU "/possible", bm_proc_cpu_list),
    TEXT(CPU "/present", bm_proc_cpu_list),
    {.path = CPU "/cpu*", .mode = PROC_DIRECTORY, .next = bm_proc_cpu_next},
    DIRECTORY(TOPOLOGY),
    TEXT(TOPOLOGY "/core_id", bm_proc_cpu_core),
    TEXT(TOPOLOGY "/physical_package_id", bm_proc_cpu_package),
    TEXT(TOPOLOGY "/thread_siblings_list", bm_proc_cpu_threads),
    TEXT(TOPOLOGY "/core_cpus_list", bm_proc_cpu_threads),
    TEXT(TOPOLOGY "/core_siblings_list", bm_proc_cpu_cores),
    TEXT(TOPOLOGY "/package_cpus_list", bm_proc_cpu_cores),
    DIRECTORY("/devices/system/node"),
    CONSTANT("/devices/system/node/online", "0\n"),
    CONSTANT("/devices/system/node/possible", "0\n"),
    DIRECTORY("/devices/system/node/node0"),
    TEXT("/devices/system/node/node0/cpulist", bm_proc_cpu_list),
    TEXT("/devices/system/node/node0/cpumap", bm_proc_cpu_mask),
    DIRECTORY("/kernel"),
    DIRECTORY("/kernel/mm"),
    DIRECTORY("/kernel/mm/transparent_hugepage"),
    CONSTANT("/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"),
    CONSTANT("/kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise madvise [never]\n")};

static int add(const char *path, const char *kind, uint32_t magic, const struct proc_entry *entries,
               size_t count)
{
    int error = bm_path_mkdir(BM_AT_FDCWD, path, 0555);
    if (error && error != -BM_EEXIST)
        return error;
    struct bm_mount *mount = bm_proc_tree_make(kind, magic, entries, count);
    return mount ? bm_mount_add(mount, path) : -BM_ENOMEM;
}

void bm_procfs_mount(void)
{
    int error = add("/proc", "proc", PROC_MAGIC, proc, sizeof proc / sizeof *proc);
    if (!error)
        error = add("/sys", "sysfs", SYS_MAGIC, sys, sizeof sys / sizeof *sys);
    if (!error)
        error = bm_proc_etc_fill();
    if (error)
        bm_log_error("procfs", "/proc, /sys and /etc could not be made (error %d)", -error);
}
