// What /proc/cpuinfo and /sys/devices/system/cpu say of the cores.
// SPDX-License-Identifier: MIT
#include "../base/core.h"
#include "proc.h"

#include <baremetal/core.h>
#include <baremetal/cpu.h>

#include <stdbool.h>

enum { LEAF_TOPOLOGY = 0xb, LEAF_EXTENDED = 0x80000000, LEAF_BRAND = 0x80000002, LEAF_SIZES = 0x80000008 };

// Linux' names of the features, by the bits of CPUID's registers, from bit 0 on; "-": none.
static const struct {
    uint32_t leaf;
    uint8_t at; // of struct bm_cpuid's registers
    const char *names;
} features[] = {
    {1, 3,
     "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx "
     "fxsr "
     "sse sse2 ss ht tm ia64 pbe"},
    {0x80000001, 3,
     "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm"},
    {1, 2,
     "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca "
     "sse4_1 "
     "sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor"},
    {0x80000001, 2,
     "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt "
     "- lwp "
     "fma4"},
    {7, 1,
     "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq "
     "rdseed "
     "adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"},
    {7, 2,
     "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg - "
     "avx512_vpopcntdq - la57 - - - - - rdpid"},
    {7, 3, "- - - - fsrm"}};

static uint32_t register_of(struct bm_cpuid answer, unsigned at)
{
    const uint32_t registers[] = {answer.eax, answer.ebx, answer.ecx, answer.edx};
    return registers[at];
}

static struct bm_cpuid leaf(uint32_t number)
{
    uint32_t base = number & LEAF_EXTENDED;
    return bm_cpu_id(base, 0).eax >= number ? bm_cpu_id(number, 0) : (struct bm_cpuid){0};
}

static bool begins(const char *text, const char *with)
{
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

// Whether the kernel has switched on what a feature needs.
static bool is_usable(const char *name)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    if (begins(name, "avx512"))
        return cpu->avx512;
    bool wide = begins(name, "avx") || begins(name, "fma") || begins(name, "f16c") || begins(name, "vaes") ||
                begins(name, "vpclmul") || begins(name, "xop");
    bool stated = begins(name, "pku") || begins(name, "ospke") || begins(name, "mpx");
    return !stated && (!wide || cpu->avx);
}

static void put_features(struct proc_text *text)
{
    bm_proc_put(text, "flags\t\t:");
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        uint32_t bits = register_of(leaf(features[i].leaf), features[i].at);
        const char *name = features[i].names;
        for (unsigned bit = 0; *name; bit++) {
            int length = 0;
            while (name[length] && name[length] != ' ')
                length++;
            if (bits >> bit & 1 && *name != '-' && is_usable(name))
                bm_proc_put(text, " %.*s", length, name);
            name += length + (name[length] == ' ');
        }
    }
    bm_proc_put(text, "\n");
}

// How many low bits of an APIC's number tell the thread in its core, and all in its package.
static void shifts(unsigned *core, unsigned *package)
{
    enum { THREADS = 0, CORES = 1, SHIFT = 31, NONE = 0 };
    *core = *package = 0;
    if (bm_cpu_id(0, 0).eax >= LEAF_TOPOLOGY && bm_cpu_id(LEAF_TOPOLOGY, THREADS).ebx != NONE) {
        *core = bm_cpu_id(LEAF_TOPOLOGY, THREADS).eax & SHIFT;
        *package = bm_cpu_id(LEAF_TOPOLOGY, CORES).eax & SHIFT;
        return;
    }
    unsigned logical = bm_cpu_id(1, 0).ebx >> 16 & 0xff; // of a package
    while (bm_cpu_id(1, 0).edx >> 28 & 1 && 1u << *package < logical)
        ++*package;
}

static uint32_t apic_of(unsigned number)
{
    const struct bm_core *core = bm_core_get(number);
    return core ? core->apic_id : 0;
}

// Whether two cores are in the same package, or with `core` threads of one core.
static bool is_together(unsigned a, unsigned b, bool core)
{
    unsigned within_core, within_package;
    shifts(&within_core, &within_package);
    unsigned shift = core ? within_core : within_package;
    return apic_of(a) >> shift == apic_of(b) >> shift;
}

static unsigned core_of(unsigned number)
{
    unsigned core, package;
    shifts(&core, &package);
    return (apic_of(number) & ((1u << package) - 1)) >> core;
}

static unsigned count_together(unsigned number)
{
    unsigned count = 0;
    for (unsigned other = 0; other < bm_core_count(); other++)
        count += is_together(number, other, false);
    return count;
}

static unsigned package_of(unsigned number)
{
    unsigned core, package;
    shifts(&core, &package);
    return apic_of(number) >> package;
}

static void put_name(struct proc_text *text)
{
    char name[3][16] = {{0}};
    uint32_t brand[12 + 1] = {0};
    struct bm_cpuid vendor = bm_cpu_id(0, 0);
    __builtin_memcpy(name[0], &vendor.ebx, 4);
    __builtin_memcpy(name[0] + 4, &vendor.edx, 4);
    __builtin_memcpy(name[0] + 8, &vendor.ecx, 4);
    uint32_t signature = bm_cpu_id(1, 0).eax, family = signature >> 8 & 15, model = signature >> 4 & 15;
    if (family == 6 || family == 15)
        model |= signature >> 12 & 0xf0;
    if (family == 15)
        family += signature >> 20 & 0xff;
    for (uint32_t i = 0; i < 3; i++) {
        struct bm_cpuid part = leaf(LEAF_BRAND + i);
        __builtin_memcpy(&brand[4 * i], &part, sizeof part);
    }
    const char *said = (const char *)brand;
    while (*said == ' ')
        said++;
    bm_proc_put(text, "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
                name[0], family, model, *said ? said : "unknown", signature & 15);
}

void bm_proc_cpuinfo(struct proc_text *text, unsigned number)
{
    (void)number;
    unsigned line = bm_cpu_id(1, 0).ebx >> 5 & 0x7f8;
    uint32_t sizes = leaf(LEAF_SIZES).eax;
    for (unsigned core = 0; core < bm_core_count(); core++) {
        bm_proc_put(text, "processor\t: %u\n", core);
        put_name(text);
        bm_proc_put(text, "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\n", package_of(core),
                    count_together(core), core_of(core));
        bm_proc_put(text, "apicid\t\t: %u\nfpu\t\t: yes\nwp\t\t: yes\n", apic_of(core));
        put_features(text);
        bm_proc_put(text, "clflush size\t: %u\ncache_alignment\t: %u\n", line, line);
        bm_proc_put(text, "address sizes\t: %u bits physical, %u bits virtual\n\n", sizes & 0xff,
                    sizes >> 8 & 0xff);
    }
}

int bm_proc_cpu_next(int from)
{
    return from >= 0 && (unsigned)from < bm_core_count() ? from : -1;
}

// Which cores a list is of.
enum { ALL, THREADS, PACKAGE };

static bool is_member(unsigned of, unsigned number, unsigned other)
{
    return of == ALL || is_together(number, other, of == THREADS);
}

// "0-2,5".
static void put_list(struct proc_text *text, unsigned of, unsigned number)
{
    unsigned count = bm_core_count();
    const char *before = "";
    for (unsigned first = 0; first < count; first++) {
        if (!is_member(of, number, first))
            continue;
        unsigned last = first;
        while (last + 1 < count && is_member(of, number, last + 1))
            last++;
        bm_proc_put(text, first == last ? "%s%u" : "%s%u-%u", before, first, last);
        before = ",";
        first = last;
    }
    bm_proc_put(text, "\n");
}

void bm_proc_cpu_list(struct proc_text *text, unsigned number)
{
    put_list(text, ALL, number);
}

void bm_proc_cpu_threads(struct proc_text *text, unsigned number)
{
    put_list(text, THREADS, number);
}

void bm_proc_cpu_cores(struct proc_text *text, unsigned number)
{
    put_list(text, PACKAGE, number);
}

// Words of 32 bits, the highest first.
void bm_proc_cpu_mask(struct proc_text *text, unsigned number)
{
    unsigned count = bm_core_count();
    (void)number;
    for (int word = (int)(count - 1) / 32; word >= 0; word--) {
        unsigned left = count - (unsigned)word * 32;
        bm_proc_put(text, "%08x%s", left >= 32 ? UINT32_MAX : (1u << left) - 1, word ? "," : "\n");
    }
}

void bm_proc_cpu_core(struct proc_text *text, unsigned number)
{
    bm_proc_put(text, "%u\n", core_of(number));
}

void bm_proc_cpu_package(struct proc_text *text, unsigned number)
{
    bm_proc_put(text, "%u\n", package_of(number));
}
