// What /proc says of the machine.
// SPDX-License-Identifier: MIT
#include "../base/core.h"
#include "../linux/linux.h"
#include "proc.h"

#include <baremetal/core.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>
#include <baremetal/time.h>

enum { TICKS = 100, NAME = 65, NAMES = 6, RELEASE = 2, VERSION = 3, NODE = 1, ADDRESS = 64 };

#define SECOND 1000000000ul

void bm_proc_meminfo(struct proc_text *text, unsigned number)
{
    (void)number;
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    const struct {
        const char *name;
        uint64_t bytes;
    } lines[] = {{"MemTotal:", memory.total},
                 {"MemFree:", memory.free},
                 {"MemAvailable:", memory.free},
                 {"Buffers:", 0},
                 {"Cached:", 0},
                 {"SwapCached:", 0},
                 {"SwapTotal:", 0},
                 {"SwapFree:", 0},
                 {"CommitLimit:", memory.total},
                 {"Committed_AS:", memory.total - memory.free}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        bm_proc_put(text, "%-16s%8lu kB\n", lines[i].name, lines[i].bytes / 1024);
}

// Nobody counts the time that cores are idle: all of it is the program's, as in times().
void bm_proc_machine_stat(struct proc_text *text, unsigned number)
{
    (void)number;
    unsigned cores = bm_core_count();
    uint64_t now = bm_time_monotonic(), ticks = now / (SECOND / TICKS), interrupts = 0;
    bm_proc_put(text, "cpu  %lu 0 0 0 0 0 0 0 0 0\n", ticks * cores);
    for (unsigned core = 0; core < cores; core++) {
        const struct bm_core *state = bm_core_get(core);
        interrupts += state ? state->interrupts : 0;
        bm_proc_put(text, "cpu%u %lu 0 0 0 0 0 0 0 0 0\n", core, ticks);
    }
    bm_proc_put(text, "intr %lu\nbtime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n", interrupts,
                (bm_time_wall() - now) / SECOND);
}

void bm_proc_uptime(struct proc_text *text, unsigned number)
{
    (void)number;
    uint64_t now = bm_time_monotonic();
    bm_proc_put(text, "%lu.%02lu 0.00\n", now / SECOND, now % SECOND / (SECOND / 100));
}

// Loads are not counted.
void bm_proc_loadavg(struct proc_text *text, unsigned number)
{
    (void)number;
    bm_proc_put(text, "0.00 0.00 0.00 1/%u %d\n", bm_proc_threads(), LINUX_PROCESS);
}

void bm_proc_version(struct proc_text *text, unsigned number)
{
    (void)number;
    char names[NAMES][NAME];
    bm_linux_uname(names[0]);
    bm_proc_put(text, "%s version %s (libbaremetal) %s\n", names[0], names[RELEASE], names[3]);
}

void bm_proc_release(struct proc_text *text, unsigned number)
{
    (void)number;
    char names[NAMES][NAME];
    bm_linux_uname(names[0]);
    bm_proc_put(text, "%s\n", names[RELEASE]);
}

void bm_proc_uname_version(struct proc_text *text, unsigned number)
{
    (void)number;
    char names[NAMES][NAME];
    bm_linux_uname(names[0]);
    bm_proc_put(text, "%s\n", names[VERSION]);
}

void bm_proc_name(struct proc_text *text, unsigned number)
{
    (void)number;
    char names[NAMES][NAME];
    bm_linux_uname(names[0]);
    bm_proc_put(text, "%s\n", names[NODE]);
}

// Of version 4, by RFC 9562.
static void put_uuid(struct proc_text *text, uint8_t bytes[16])
{
    bytes[6] = 0x40 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    for (unsigned i = 0; i < 16; i++)
        bm_proc_put(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    bm_proc_put(text, "\n");
}

void bm_proc_uuid(struct proc_text *text, unsigned number)
{
    (void)number;
    uint8_t bytes[16];
    bm_random_fill(bytes, sizeof bytes);
    put_uuid(text, bytes);
}

// The first one that asks makes it.
void bm_proc_boot_id(struct proc_text *text, unsigned number)
{
    static struct bm_spinlock lock;
    static uint8_t bytes[16];
    static bool made;
    uint8_t own[16], copy[16];
    (void)number;
    bm_random_fill(own, sizeof own);
    bm_spinlock_acquire(&lock);
    if (!made)
        __builtin_memcpy(bytes, own, sizeof bytes);
    made = true;
    __builtin_memcpy(copy, bytes, sizeof copy);
    bm_spinlock_release(&lock);
    put_uuid(text, copy);
}

void bm_proc_files_max(struct proc_text *text, unsigned number)
{
    (void)number;
    bm_proc_put(text, "%d\n", BM_FILES_MAX);
}

// As Linux' own DHCP client tells them, for /etc/resolv.conf to lead to.
void bm_proc_name_servers(struct proc_text *text, unsigned number)
{
    (void)number;
    char address[ADDRESS];
    for (unsigned i = 0; bm_linux_name_server(i, address, sizeof address); i++)
        bm_proc_put(text, "nameserver %s\n", address);
}
