// Starting the other cores.
// SPDX-License-Identifier: MIT
//
// Boot prepares everything and, as the last step before the program, calls one core; that one calls all
// others named by the MADT, one after the other and without waiting for answers, while main runs already. So
// the way to main is the same for 2 cores as for 255: nothing is sent in a row by the core that boots, and
// virtual cores, of which a host may have fewer real ones, do not take its time. Each core takes the next
// number when it arrives, so the numbers of cores that run have no gaps.
#include "../base/start.h"
#include "../cpu/core.h"
#include "../memory/paging.h"
#include "../work/work.h"

#include <baremetal/acpi.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/option.h>
#include <baremetal/work.h>

#include <stddef.h>

BM_OPTION(cores, "how many cores to use at most, 1 to 255 (default: all)");

// The trampoline's variables, bm_trampoline_data of trampoline.S.
struct bm_trampoline {
    uint64_t entry;   // core_run
    uint64_t stacks;  // a page for each core
    uint32_t table;   // page tables that map the trampoline's page as well as the kernel
    uint32_t efer;    // as on the first core
    uint32_t arrived; // cores that came here
    uint32_t slots;   // cores that were called
    uint32_t jump;    // address of the 64-bit code
    uint16_t selector[2];
    uint16_t gdt_limit;
    uint32_t gdt;
} __attribute__((packed));

extern const char bm_trampoline_begin[], bm_trampoline_data[], bm_trampoline_end[];

enum {
    MADT_LOCAL_APIC = 0,   // ACPI 6.4 section 5.2.12.2
    MADT_LOCAL_X2APIC = 9, // section 5.2.12.12
    MADT_ENABLED = 1,
    ICR_INIT = 5 << 8 | 1 << 14,
    ICR_STARTUP = 6 << 8 | 1 << 14,
    MSR_EFER = (int)0xc0000080,
    EFER_KEPT = 1 << 8 | 1 << 11, // LME, NXE
    CORE_STACK_MAX = 256 << 10,
    CORE_STACK_MIN = 32 << 10,
    CORE_MEMORY = 56 << 10, // what a core takes besides: interrupt stacks, areas, queue, page tables
    ARRIVAL_TRIES = 5000000 // port reads of about 1 us each
};

static struct {
    uint32_t apic_ids[BM_CORES_MAX]; // of the cores that were called
    unsigned called, max;
    uint32_t id_max;         // that an interrupt reaches
    atomic_bool rest_called; // all but the first of them
    uint32_t startup;        // the start-up interrupt, with the trampoline's page
    size_t stack_size;
    _Atomic(unsigned) numbered; // numbers given out, without the first core
} cores;

// Takes the cores of the table that can be called, but the one that reads it.
static void read_entry(const uint8_t *entry, unsigned length, void *own_id)
{
    uint32_t id, flags;
    if (entry[0] == MADT_LOCAL_APIC && length >= 8 && entry[3] != 0xff) {
        id = entry[3];
        flags = entry[4];
    } else if (entry[0] == MADT_LOCAL_X2APIC && length >= 16) {
        __builtin_memcpy(&id, entry + 4, sizeof(id));
        flags = entry[8];
    } else
        return;
    if ((flags & MADT_ENABLED) && id != *(uint32_t *)own_id && id <= cores.id_max && cores.called < cores.max)
        cores.apic_ids[cores.called++] = id;
}

static uint64_t physical(const void *address)
{
    return bm_memory_physical(address);
}

// Page tables for the way into the kernel: its own upper half, and the trampoline's page at its physical
// address. They exist apart from the kernel's, which never map that page executable. Four pages below 4 GiB,
// since real mode loads 32 bits.
static uint64_t *make_tables(uint64_t page)
{
    uint64_t *tables = bm_frame_allocate_below(2, 32);
    if (!tables)
        return NULL;
    __builtin_memset(tables, 0, 4 * BM_PAGE_SIZE);
    __builtin_memcpy(tables + 256, (const uint64_t *)bm_memory_direct(bm_paging_root) + 256,
                     BM_PAGE_SIZE / 2);
    tables[0] = physical(tables + 512) | BM_PTE_PRESENT | BM_PTE_WRITE;
    tables[512] = physical(tables + 1024) | BM_PTE_PRESENT | BM_PTE_WRITE;
    tables[1024] = physical(tables + 1536) | BM_PTE_PRESENT | BM_PTE_WRITE;
    tables[1536 + page / BM_PAGE_SIZE] = page | BM_PTE_PRESENT | BM_PTE_WRITE;
    return tables;
}

// A page of stack for each core until it has its own; then it holds the core's queue of work.
static char *make_boot_stacks(void)
{
    return bm_frame_allocate(bm_frame_order(cores.called * BM_PAGE_SIZE));
}

static void core_run(void) __attribute__((noreturn));

static struct bm_trampoline *make_trampoline(void)
{
    char *page = bm_frame_allocate_below(0, 20);
    uint64_t *tables = page ? make_tables(physical(page)) : NULL;
    char *stacks = tables ? make_boot_stacks() : NULL;
    if (!stacks)
        return NULL;
    uint32_t base = (uint32_t)physical(page);
    __builtin_memcpy(page, bm_trampoline_begin, (size_t)(bm_trampoline_end - bm_trampoline_begin));
    struct bm_trampoline *data = (void *)(page + (bm_trampoline_data - bm_trampoline_begin));
    data->entry = (uint64_t)core_run;
    data->stacks = (uint64_t)stacks;
    data->table = (uint32_t)physical(tables);
    data->efer = (uint32_t)bm_msr_read((uint32_t)MSR_EFER) & EFER_KEPT;
    data->slots = cores.called;
    data->jump += base;
    data->gdt += base;
    return data;
}

// Reads of this port take about a microsecond on every machine.
static void delay(unsigned microseconds)
{
    while (microseconds--)
        bm_port_in8(0x61);
}

// How long a core needs after INIT: ten milliseconds on the Pentium 4 family, nothing on what came later.
static unsigned init_delay(void)
{
    struct bm_cpuid zero = bm_cpu_id(0, 0), one = bm_cpu_id(1, 0);
    bool intel = zero.ebx == 0x756e6547; // "Genu"
    return intel && (one.eax >> 8 & 15) == 15 ? 10000 : 0;
}

static void send(unsigned begin, unsigned end, uint32_t command, unsigned microseconds)
{
    for (; begin < end; begin++)
        bm_apic_send(cores.apic_ids[begin], command);
    delay(microseconds);
}

static void call(unsigned begin, unsigned end)
{
    send(begin, end, ICR_INIT, init_delay());
    send(begin, end, cores.startup, 10);
    send(begin, end, cores.startup, 0); // a core that runs already ignores it
}

// By the core that was called first.
static void call_rest(void)
{
    if (!atomic_exchange(&cores.rest_called, true))
        call(1, cores.called);
}

void bm_cores_call(void)
{
    if (!cores.called)
        return;
    bm_lock_shared = true;
    call(0, 1);
}

// Keeps some of the other cores and leaves out the rest.
static void keep(uint64_t affordable)
{
    bm_log_warn("cores", "the memory is enough for %lu of %u cores; give the machine more memory",
                affordable + 1, cores.called + 1);
    cores.called = (unsigned)affordable;
}

// Chooses the stacks' size, and leaves cores out before they take more than a quarter of the memory.
static void plan_memory(void)
{
    uint64_t total = bm_memory_statistics_get().total;
    size_t size = total / 16 / (cores.called + 1) & ~(BM_PAGE_SIZE - 1);
    cores.stack_size = size > CORE_STACK_MAX ? CORE_STACK_MAX : size < CORE_STACK_MIN ? CORE_STACK_MIN : size;
    uint64_t affordable = total / 4 / (cores.stack_size + CORE_MEMORY);
    if (cores.called > affordable)
        keep(affordable);
}

void bm_cores_start(void)
{
    cores.max = (unsigned)bm_option_number("cores", 1, BM_CORES_MAX, BM_CORES_MAX) - 1;
    cores.id_max = bm_cpu_features_get()->x2apic ? UINT32_MAX : 0xff;
    bm_acpi_madt_each(read_entry, &bm_core_self()->apic_id);
    if (!cores.called)
        return;
    plan_memory();
    struct bm_trampoline *data = make_trampoline();
    if (!data)
        keep(0);
    else
        cores.startup = ICR_STARTUP | (uint32_t)physical(data) / BM_PAGE_SIZE;
}

// What a core does on its own stack.
static void core_work(void *boot_stack) __attribute__((noreturn));
static void core_work(void *boot_stack)
{
    unsigned id = bm_core_id();
    __builtin_memset(boot_stack, 0, BM_PAGE_SIZE);
    bm_tls_start();
    // In the list in the order of numbers, so that below bm_core_arrived() there are no gaps.
    while (bm_core_arrived() != id)
        __builtin_ia32_pause();
    bm_work_core_start(id, boot_stack);
    bm_core_add(bm_core_self());
    // Who reports a fault says so before it looks which cores run: either it stops this one, or this one sees
    // it.
    if (bm_fault_reported())
        bm_core_stop();
    call_rest();
    __asm__ volatile("sti");
    bm_work_loop();
}

// The C entry of every core but the first, on its boot stack and the trampoline's page tables. A core that
// finds no memory is left out; it has taken no number yet.
__attribute__((no_stack_protector)) static void core_run(void)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(bm_paging_root) : "memory");
    struct bm_core *core = bm_core_enter();
    void *stack = core ? bm_memory_stack(cores.stack_size) : NULL;
    if (!stack)
        for (;;)
            __asm__ volatile("cli; hlt");
    bm_apic_start();
    core->id = atomic_fetch_add(&cores.numbered, 1) + 1;
    __asm__ volatile("mov %%rsp, %%rdi\n\tand %2, %%rdi\n\t"
                     "mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%1"
                     :
                     : "r"(stack), "r"(core_work), "i"(-(int)BM_PAGE_SIZE)
                     : "rdi", "memory");
    __builtin_unreachable();
}

static bool has_arrived(uint32_t apic_id)
{
    for (unsigned id = 0; id < bm_core_arrived(); id++)
        if (bm_core_get(id)->apic_id == apic_id)
            return true;
    return false;
}

// Waits once for the cores that were called.
static void wait_for_all(void)
{
    for (unsigned i = 0; i < ARRIVAL_TRIES && bm_core_arrived() < cores.called + 1; i++) {
        delay(1);
        if (i == ARRIVAL_TRIES / 8)
            call_rest(); // the core that should have done so may not answer
    }
    for (unsigned i = 0; i < cores.called && bm_core_arrived() < cores.called + 1; i++)
        if (!has_arrived(cores.apic_ids[i]))
            bm_log_warn("cores", "the core with local APIC id %u does not answer", cores.apic_ids[i]);
    cores.called = bm_core_arrived() - 1;
}

unsigned bm_core_called(void)
{
    return cores.called + 1;
}

void bm_cores_await(void)
{
    if (bm_core_arrived() < cores.called + 1)
        wait_for_all();
}
