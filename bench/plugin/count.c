// A plugin for QEMU's emulator (TCG): counts the guest's instructions on each virtual CPU.
// SPDX-License-Identifier: MIT
//
// Counting goes by translation blocks: a block adds its length when it is entered, and a marker inside takes
// back what lies behind it, so counts at markers are exact. A block that an exception leaves half-way is
// counted whole; with `exact=on` each instruction is counted by itself, which is slower. A string instruction
// with a REP prefix counts once, however many turns it takes. Markers (../marker.h) are not counted.
//
// Options: out=FILE       JSON, written at the end: counts, markers, blocks
//          counters=FILE  counts while the machine runs: 64 bytes a virtual CPU (instructions, halts, entries
//          of blocks) trace=FILE     what is traced: for each virtual CPU its number, a length, and that many
//          words, 32 bits each at=ADDRESS:N   the instruction at this virtual address is the marker N
//          (several times) profile=on     blocks are counted from the beginning, not only between markers
//          exact=on       see above
//          exits=on       accesses to devices' memory are counted, which is slow; PIO and HLT always are
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <qemu-plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../marker.h"

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum {
    CPUS_MAX = 256,
    WATCHES_MAX = 64,
    BUCKETS = 1 << 16,
    TRACE_MAX = 1 << 26, // words a virtual CPU
    MARKERS_MAX = 1 << 24
};

// What others may read while the machine runs.
struct counters {
    volatile uint64_t instructions, halts, blocks;
    volatile uint64_t mmio, pio, hlt; // what ends in the hypervisor on a real machine
    uint64_t unused[2];
};

struct mark {
    uint64_t address, nanoseconds, own, all;
    uint32_t number;
};

struct cpu {
    struct mark *marks;
    uint32_t *trace;
    size_t mark_count, trace_count;
    uint64_t rep_address, rep_at; // the last string instruction, and the count then
} __attribute__((aligned(64)));

// A translation block, by address and content; QEMU may translate it several times.
struct block {
    struct block *next;
    uint64_t address, content;
    uint32_t id, plain, reps, bytes;
    char end;          // how it ends: 'c'all, 'r'eturn, or '-'
    uint64_t counts[]; // of each virtual CPU, while profiling
};

// An instruction that is looked at by itself.
struct point {
    struct block *block;
    uint64_t address;
    uint32_t number; // of a marker
    uint32_t behind; // plain instructions of the block from here to its end
    uint32_t before;
};

static struct counters *counters;
static struct cpu cpus[CPUS_MAX];
static unsigned cpu_count;
static struct block *buckets[BUCKETS];
static uint32_t block_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t address;
    uint32_t number;
} watches[WATCHES_MAX];
static unsigned watch_count;
static const char *out_path, *trace_path;
static bool exact, profile_first, exits;
static volatile struct {
    bool profiling, tracing;
} * switches; // behind the counters

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "count: %s: %s\n", what, which);
    exit(1);
}

static void *room(void *memory, size_t bytes)
{
    memory = memory ? memory : malloc(bytes); // untouched pages take no memory
    if (!memory)
        fail("no memory for", "the counts");
    return memory;
}

static void trace_word(struct cpu *cpu, uint32_t word)
{
    cpu->trace = room(cpu->trace, TRACE_MAX * sizeof *cpu->trace);
    if (cpu->trace_count < TRACE_MAX)
        cpu->trace[cpu->trace_count++] = word;
}

static inline void count(unsigned index, struct block *block, uint64_t instructions)
{
    counters[index].instructions += instructions;
    if (switches->profiling)
        block->counts[index] += instructions;
}

static void on_block(unsigned index, void *data)
{
    struct block *block = data;
    counters[index].blocks++;
    if (!exact)
        count(index, block, block->plain);
    if (switches->tracing)
        trace_word(&cpus[index], block->id);
}

static void on_instruction(unsigned index, void *data)
{
    count(index, data, 1);
}

// A turn of a string instruction. The first one counts; turns follow each other without an instruction
// between.
static void on_rep(unsigned index, void *data)
{
    struct point *point = data;
    struct cpu *cpu = &cpus[index];
    if (cpu->rep_address == point->address && cpu->rep_at == counters[index].instructions)
        return;
    count(index, point->block, 1);
    cpu->rep_address = point->address;
    cpu->rep_at = counters[index].instructions;
    if (switches->tracing && !point->block->plain)
        trace_word(cpu, point->block->id);
}

static void on_access(unsigned index, qemu_plugin_meminfo_t access, uint64_t address, void *data)
{
    (void)data;
    struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr(access, address);
    if (place && qemu_plugin_hwaddr_is_io(place))
        counters[index].mmio++;
}

static void on_pio(unsigned index, void *data)
{
    (void)data;
    counters[index].pio++;
}

static void on_hlt(unsigned index, void *data)
{
    (void)data;
    counters[index].hlt++;
}

static void command(uint32_t number)
{
    if (number == BM_MARKER_PROFILE_BEGIN || number == BM_MARKER_PROFILE_END)
        switches->profiling = number == BM_MARKER_PROFILE_BEGIN;
    if (number == BM_MARKER_TRACE_BEGIN || number == BM_MARKER_TRACE_END)
        switches->tracing = trace_path && number == BM_MARKER_TRACE_BEGIN;
}

static void on_marker(unsigned index, void *data)
{
    struct point *point = data;
    struct cpu *cpu = &cpus[index];
    uint64_t behind = exact ? 0 : point->behind, all = 0;
    // A block in which profiling begins or ends counts from, or up to, the marker.
    bool before = switches->profiling;
    if (switches->tracing) {
        trace_word(cpu, 1u << 31 | point->number);
        trace_word(cpu, point->before);
    }
    command(point->number);
    if (switches->profiling != before)
        point->block->counts[index] += before ? -behind : behind;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (unsigned i = 0; i < cpu_count; i++)
        all += counters[i].instructions;
    cpu->marks = room(cpu->marks, MARKERS_MAX * sizeof *cpu->marks);
    if (cpu->mark_count < MARKERS_MAX)
        cpu->marks[cpu->mark_count++] =
            (struct mark){point->address, now.tv_sec * 1000000000ull + now.tv_nsec,
                          counters[index].instructions - behind, all - behind, point->number};
}

static void on_idle(qemu_plugin_id_t id, unsigned index)
{
    (void)id;
    counters[index].halts++;
    if (switches->tracing) {
        trace_word(&cpus[index], 1u << 31 | BM_MARKER_HALTED);
        trace_word(&cpus[index], 0);
    }
}

static bool is_marker_code(const uint8_t *bytes, size_t size)
{
    return size == 7 && !memcmp(bytes, "\x0f\x1f\x80", 3) && bytes[5] == 0x4d && bytes[6] == 0x62;
}

// The number of a marker, or -1.
static int marker_number(const uint8_t *bytes, size_t size, uint64_t address)
{
    if (is_marker_code(bytes, size))
        return bytes[3] | bytes[4] << 8;
    for (unsigned i = 0; i < watch_count; i++)
        if (watches[i].address == address)
            return (int)watches[i].number;
    return -1;
}

// INS, OUTS, MOVS, CMPS, STOS, LODS or SCAS behind a REP prefix.
static bool is_rep(const uint8_t *bytes, size_t size)
{
    bool rep = false;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];
        if (byte == 0xf2 || byte == 0xf3)
            rep = true;
        else if ((!byte || !strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67", byte)) && (byte & 0xf0) != 0x40)
            return rep && ((byte >= 0x6c && byte <= 0x6f) || (byte >= 0xa4 && byte <= 0xa7) ||
                           (byte >= 0xaa && byte <= 0xaf));
    }
    return false;
}

// Registers what an instruction that may leave the guest does: IN, INS, OUT, OUTS, HLT, or an access to
// memory.
static void exits_watch(struct qemu_plugin_insn *insn, const uint8_t *bytes, size_t size)
{
    size_t i = 0;
    while (i + 1 < size && ((bytes[i] & 0xf0) == 0x40 || bytes[i] == 0x66 || bytes[i] == 0x67 ||
                            bytes[i] == 0xf2 || bytes[i] == 0xf3))
        i++;
    uint8_t byte = bytes[i];
    if ((byte & 0xf4) == 0xe4 || (byte & 0xfc) == 0x6c)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_pio, QEMU_PLUGIN_CB_NO_REGS, NULL);
    else if (byte == 0xf4)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_hlt, QEMU_PLUGIN_CB_NO_REGS, NULL);
    else if (exits)
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

// Whether an instruction calls or returns; prefixes of such instructions are REX, BND and NOTRACK.
static char end_of_block(const uint8_t *bytes, size_t size)
{
    size_t i = 0;
    while (i + 1 < size &&
           ((bytes[i] & 0xf0) == 0x40 || bytes[i] == 0xf2 || bytes[i] == 0xf3 || bytes[i] == 0x3e))
        i++;
    if (bytes[i] == 0xe8 || (bytes[i] == 0xff && i + 1 < size && (bytes[i + 1] & 0x38) == 0x10))
        return 'c';
    return bytes[i] == 0xc2 || bytes[i] == 0xc3 ? 'r' : '-';
}

static struct block *find_block(struct qemu_plugin_tb *tb)
{
    uint64_t address = qemu_plugin_tb_vaddr(tb), content = 14695981039346656037ull;
    uint32_t plain = 0, reps = 0, length = 0;
    char end = '-';
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        for (size_t j = 0; j < size; j++)
            content = (content ^ bytes[j]) * 1099511628211ull;
        length += size;
        end = end_of_block(bytes, size);
        if (is_rep(bytes, size))
            reps++;
        else if (!is_marker_code(bytes, size))
            plain++;
    }
    struct block **bucket = &buckets[(address ^ address >> 16) % BUCKETS], *block;
    for (block = *bucket; block; block = block->next)
        if (block->address == address && block->content == content && block->bytes == length)
            return block;
    block = calloc(1, sizeof *block + cpu_count * sizeof block->counts[0]);
    if (!block)
        fail("no memory for", "a block");
    block->address = address;
    block->content = content;
    block->bytes = length;
    block->id = block_count++;
    block->plain = plain;
    block->reps = reps;
    block->end = end;
    block->next = *bucket;
    *bucket = block;
    return block;
}

static struct point *new_point(struct block *block, uint64_t address, int number, uint32_t before)
{
    struct point *point = room(NULL, sizeof *point);
    *point = (struct point){block, address, (uint32_t)number, block->plain - before, before};
    return point;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    pthread_mutex_lock(&lock);
    struct block *block = find_block(tb);
    if (block->plain || !block->reps)
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
    uint32_t before = 0;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        int number = marker_number(bytes, size, address);
        exits_watch(insn, bytes, size);
        if (number >= 0)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS,
                                                   new_point(block, address, number, before));
        if (is_rep(bytes, size)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_rep, QEMU_PLUGIN_CB_NO_REGS,
                                                   new_point(block, address, -1, before));
        } else if (!is_marker_code(bytes, size)) {
            before++;
            if (exact)
                qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, QEMU_PLUGIN_CB_NO_REGS, block);
        }
    }
    pthread_mutex_unlock(&lock);
}

static void write_blocks(FILE *out)
{
    const char *separator = "";
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct block *block = buckets[i]; block; block = block->next) {
            fprintf(out, "%s\n[%u, %llu, %u, %u, %u, \"%c\"", separator, block->id,
                    (unsigned long long)block->address, block->plain, block->reps, block->bytes, block->end);
            for (unsigned cpu = 0; cpu < cpu_count; cpu++)
                fprintf(out, ", %llu", (unsigned long long)block->counts[cpu]);
            fprintf(out, "]");
            separator = ",";
        }
}

static void write_json(void)
{
    FILE *out = fopen(out_path, "w");
    if (!out)
        fail("cannot write", out_path);
    fprintf(out, "{\"cpus\": [");
    for (unsigned i = 0; i < cpu_count; i++)
        fprintf(out, "%s[%llu, %llu]", i ? ", " : "", (unsigned long long)counters[i].instructions,
                (unsigned long long)counters[i].halts);
    // A marker: number, virtual CPU, address, host nanoseconds, instructions of this CPU, of all CPUs.
    fprintf(out, "],\n\"markers\": [");
    const char *separator = "";
    for (unsigned i = 0; i < cpu_count; i++)
        for (size_t j = 0; j < cpus[i].mark_count; j++, separator = ",") {
            struct mark *mark = &cpus[i].marks[j];
            fprintf(out, "%s\n[%u, %u, %llu, %llu, %llu, %llu]", separator, mark->number, i,
                    (unsigned long long)mark->address, (unsigned long long)mark->nanoseconds,
                    (unsigned long long)mark->own, (unsigned long long)mark->all);
        }
    // A block: id, address, instructions, REP ones, bytes, how it ends, counts of each virtual CPU.
    fprintf(out, "],\n\"blocks\": [");
    write_blocks(out);
    fprintf(out, "]}\n");
    if (fclose(out))
        fail("cannot write", out_path);
}

static void write_trace(void)
{
    FILE *out = fopen(trace_path, "wb");
    if (!out)
        fail("cannot write", trace_path);
    for (uint32_t i = 0; i < cpu_count; i++) {
        uint32_t head[2] = {i, (uint32_t)cpus[i].trace_count};
        fwrite(head, sizeof head, 1, out);
        fwrite(cpus[i].trace, sizeof *cpus[i].trace, cpus[i].trace_count, out);
    }
    if (fclose(out))
        fail("cannot write", trace_path);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    pthread_mutex_lock(&lock);
    if (out_path)
        write_json();
    if (trace_path)
        write_trace();
    pthread_mutex_unlock(&lock);
}

static void map_counters(const char *path)
{
    size_t size = (CPUS_MAX + 1) * sizeof *counters;
    int flags = MAP_SHARED | MAP_ANONYMOUS, file = -1;
    if (path) {
        file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
        if (file < 0 || ftruncate(file, (off_t)size))
            fail("cannot write", path);
        flags = MAP_SHARED;
    }
    counters = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (counters == MAP_FAILED)
        fail("cannot map", path ? path : "the counters");
    switches = (void *)&counters[CPUS_MAX];
    switches->profiling = profile_first;
}

static bool read_option(const char *option, const char **counters_path)
{
    if (!strncmp(option, "out=", 4))
        out_path = strdup(option + 4);
    else if (!strncmp(option, "counters=", 9))
        *counters_path = option + 9;
    else if (!strncmp(option, "trace=", 6))
        trace_path = strdup(option + 6);
    else if (!strcmp(option, "exact=on"))
        exact = true;
    else if (!strcmp(option, "exits=on"))
        exits = true;
    else if (!strcmp(option, "profile=on"))
        profile_first = true;
    else if (!strncmp(option, "at=", 3) && watch_count < WATCHES_MAX) {
        char *end;
        watches[watch_count].address = strtoull(option + 3, &end, 0);
        if (*end != ':')
            return false;
        watches[watch_count++].number = (uint32_t)strtoul(end + 1, &end, 0);
        return !*end;
    } else
        return false;
    return true;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *counters_path = NULL;
    for (int i = 0; i < argc; i++)
        if (!read_option(argv[i], &counters_path)) {
            fprintf(stderr, "count: this option is not understood: %s\n", argv[i]);
            return -1;
        }
    cpu_count = info->system_emulation ? (unsigned)info->system.max_vcpus : 1;
    if (cpu_count > CPUS_MAX)
        fail("too many virtual CPUs", "at most 256 are counted");
    map_counters(counters_path);
    for (unsigned i = 0; i < cpu_count; i++)
        cpus[i].rep_at = UINT64_MAX;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_idle_cb(id, on_idle);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
