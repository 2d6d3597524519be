// What /proc/self says of the process: there is one, number 1, which is all that runs.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "../file/service.h"
#include "../linux/linux.h"
#include "../space/space.h"
#include "proc.h"

#include <baremetal/core.h>
#include <baremetal/memory.h>
#include <baremetal/path.h>
#include <baremetal/time.h>

enum { COMM = 15, TICKS = 100, RESOURCES = 16 };

static const char *name_of(void)
{
    const char *name = bm_program_name;
    for (const char *at = name; *at; at++)
        if (*at == '/')
            name = at + 1;
    return name;
}

// The program is no file: its name in the root.
void bm_proc_link_exe(struct proc_text *text, unsigned number)
{
    (void)number;
    bm_proc_put(text, "/%s", name_of());
}

void bm_proc_link_working(struct proc_text *text, unsigned number)
{
    (void)number;
    char *path = bm_frame_allocate(0);
    long length = path ? bm_path_getcwd(path, BM_PATH_MAX) : -BM_ENOMEM;
    if (length > 0)
        bm_proc_put(text, "%s", path);
    if (path)
        bm_frame_free(path, 0);
}

void bm_proc_comm(struct proc_text *text, unsigned number)
{
    (void)number;
    bm_proc_put(text, "%.*s\n", COMM, name_of());
}

static uint64_t used(void)
{
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    return memory.total - memory.free;
}

// Root's, unless the program may be somebody else.
static void put_ids(struct proc_text *text, const char *word, const uint32_t *ids)
{
    static const uint32_t root[BM_IDS];
    const uint32_t *now = &bm_credentials ? ids : root;
    bm_proc_put(text, "%s:\t%u\t%u\t%u\t%u\n", word, now[BM_ID_REAL], now[BM_ID_EFFECTIVE], now[BM_ID_SAVED],
                now[BM_ID_FILES]);
}

void bm_proc_status(struct proc_text *text, unsigned number)
{
    unsigned long resident = used() / 1024, size = bm_proc_mapped() / 1024;
    unsigned mask = 0777 & ~bm_path_mode(0777);
    bm_proc_put(text, "Name:\t%.*s\nUmask:\t0%x%x%x\nState:\tR (running)\n", COMM, name_of(), mask >> 6 & 7,
                mask >> 3 & 7, mask & 7);
    bm_proc_put(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", LINUX_PROCESS,
                LINUX_PROCESS);
    put_ids(text, "Uid", bm_credentials.user);
    put_ids(text, "Gid", bm_credentials.group);
    bm_proc_put(text, "FDSize:\t%d\nGroups:\t\n", BM_FILES_MAX);
    unsigned long locked = bm_space_locked ? bm_space_locked(0, UINT64_MAX) / 1024 : 0;
    bm_proc_put(text, "VmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t       0 kB\nVmRSS:\t%8lu kB\n", size,
                locked, resident);
    bm_proc_put(text, "VmSwap:\t       0 kB\nThreads:\t%u\nCpus_allowed:\t", bm_proc_threads());
    bm_proc_cpu_mask(text, number);
    bm_proc_put(text, "Cpus_allowed_list:\t");
    bm_proc_cpu_list(text, number);
    bm_proc_put(text, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
}

// The fields of Linux' proc(5), by their numbers; what does not exist here is 0.
void bm_proc_stat(struct proc_text *text, unsigned number)
{
    (void)number;
    const struct proc_image image = bm_proc_image_get();
    unsigned long ticks = bm_time_monotonic() / (1000000000 / TICKS);
    bm_proc_put(text, "%d (%.*s) R 0 %d %d 0 -1 0 0 0 0 0 %lu 0 0 0 20 0 %u 0 0 ", LINUX_PROCESS, COMM,
                name_of(), LINUX_PROCESS, LINUX_PROCESS, ticks, bm_proc_threads()); // 1 … 22
    bm_proc_put(text, "%lu %lu %lu %lu %lu %lu 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 ", bm_proc_mapped(),
                used() / BM_PAGE_SIZE, UINT64_MAX, image.text, image.constants, image.stack_end,
                bm_core_id()); // 23 … 44
    bm_proc_put(text, "%lu %lu 0 0 0 0 0 0\n", image.data, image.end);
}

void bm_proc_statm(struct proc_text *text, unsigned number)
{
    (void)number;
    const struct proc_image image = bm_proc_image_get();
    bm_proc_put(text, "%lu %lu 0 %lu 0 %lu 0\n", bm_proc_mapped() / BM_PAGE_SIZE, used() / BM_PAGE_SIZE,
                (image.constants - image.text) / BM_PAGE_SIZE, (image.end - image.data) / BM_PAGE_SIZE);
}

// Words that end in NULs, up to a NULL; returns the word behind it.
static const uint64_t *put_words(struct proc_text *text, const uint64_t *at)
{
    for (; *at; at++) {
        const char *word = (const char *)*at;
        if (text)
            bm_proc_put_bytes(text, word, __builtin_strlen(word) + 1);
    }
    return at + 1;
}

void bm_proc_arguments(struct proc_text *text, unsigned number)
{
    (void)number;
    put_words(text, bm_linux_first_stack());
}

void bm_proc_environment(struct proc_text *text, unsigned number)
{
    (void)number;
    put_words(text, put_words(NULL, bm_linux_first_stack()));
}

void bm_proc_auxiliary(struct proc_text *text, unsigned number)
{
    (void)number;
    const uint64_t *begin = put_words(NULL, put_words(NULL, bm_linux_first_stack())), *end = begin;
    while (*end != LINUX_AT_NULL)
        end += 2;
    bm_proc_put_bytes(text, begin, (size_t)((const char *)(end + 2) - (const char *)begin));
}

static void put_limit(struct proc_text *text, uint64_t limit)
{
    if (limit == UINT64_MAX)
        bm_proc_put(text, "%-20s ", "unlimited");
    else
        bm_proc_put(text, "%-20lu ", limit);
}

void bm_proc_limits(struct proc_text *text, unsigned number)
{
    static const struct {
        const char *name, *unit;
    } resources[RESOURCES] = {
        {"Max cpu time", "seconds"},    {"Max file size", "bytes"},      {"Max data size", "bytes"},
        {"Max stack size", "bytes"},    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"}, {"Max open files", "files"},     {"Max locked memory", "bytes"},
        {"Max address space", "bytes"}, {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"}, {"Max nice priority", ""},       {"Max realtime priority", ""},
        {"Max realtime timeout", "us"}};
    (void)number;
    bm_proc_put(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RESOURCES; i++) {
        struct bm_linux_limit limit;
        bm_linux_getrlimit(i, &limit);
        bm_proc_put(text, "%-25s ", resources[i].name);
        put_limit(text, limit.soft);
        put_limit(text, limit.hard);
        bm_proc_put(text, "%-10s\n", resources[i].unit);
    }
}
