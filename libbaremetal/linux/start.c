// The program: its arguments, environment and thread-local storage, from the kernel's last step to main.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../base/start.h"
#include "../base/early.h"
#include "../base/tls_block.h"
#include "../cpu/emulator.h"
#include "../libc/libc.h"
#include "linux.h"

#include <baremetal/core.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>

// The C library's (toolchain/musl).
extern char **__environ;
void __init_libc(char **environment, char *name);
void __libc_start_init(void);
void __core_threads_come(void);
size_t __core_thread_size(void);
void *__core_thread_make(void *memory, int thread);
void exit(int status) __attribute__((noreturn));
int main(int argc, char **argv, char **environment);

uint64_t bm_random_u64(void) __attribute__((weak));

enum { AUXILIARY = 13 };

// What Linux puts onto the first stack: argv, NULL, environment, NULL, auxiliary vector.
static struct {
    int argc;
    uint64_t *words;
} start;

static struct linux_program_header tls = {.type = LINUX_PT_TLS};
static uint64_t random_bytes[2];
static bool initialized; // the C library is

static unsigned add(unsigned at, uint64_t type, uint64_t value)
{
    start.words[at] = type;
    start.words[at + 1] = value;
    return at + 2;
}

static unsigned copy(unsigned at, char **from)
{
    while (*from)
        start.words[at++] = (uint64_t)*from++;
    start.words[at] = 0;
    return at + 1;
}

__attribute__((no_stack_protector)) static void describe_tls(void)
{
    uint64_t size = bm_tls_block_size();
    tls.address = (uint64_t)bm_tls_begin;
    tls.file_size = (uint64_t)(bm_tls_data_end - bm_tls_begin);
    tls.memory_size = size;
    // The block's size is a multiple of the alignment that its variables want.
    tls.alignment = size & -size & (BM_PAGE_SIZE - 1);
    if (!tls.alignment)
        tls.alignment = size ? BM_PAGE_SIZE : 1;
}

__attribute__((no_stack_protector)) void bm_program_start(void)
{
    char **argv;
    bm_environment_make();
    start.argc = bm_arguments_make(&argv);
    size_t count = (size_t)start.argc + 1 + BM_ARGUMENTS_MAX + 1 + 2 * AUXILIARY;
    start.words = bm_linux_tls_memory(count * sizeof *start.words);
    for (unsigned i = 0; i < 2; i++)
        random_bytes[i] = bm_random_u64 ? bm_random_u64() : bm_boot_early_state.seed << i;
    describe_tls();
    unsigned environment = copy(0, argv);
    unsigned at = copy(environment, __environ);
    at = add(at, LINUX_AT_PHDR, (uint64_t)&tls);
    at = add(at, LINUX_AT_PHENT, sizeof tls);
    at = add(at, LINUX_AT_PHNUM, 1);
    at = add(at, LINUX_AT_PAGESZ, BM_PAGE_SIZE);
    at = add(at, LINUX_AT_UID, 0);
    at = add(at, LINUX_AT_EUID, 0);
    at = add(at, LINUX_AT_GID, 0);
    at = add(at, LINUX_AT_EGID, 0);
    at = add(at, LINUX_AT_CLKTCK, 100);
    at = add(at, LINUX_AT_HWCAP, bm_cpu_id(1, 0).edx);
    at = add(at, LINUX_AT_RANDOM, (uint64_t)random_bytes);
    at = add(at, LINUX_AT_EXECFN, start.words[0]);
    add(at, LINUX_AT_NULL, 0);
    __init_libc((char **)&start.words[environment], (char *)start.words[0]);
    initialized = true;
}

// Drivers that start may wait before the C library has begun.
bool bm_tls_ready(void)
{
    return initialized;
}

void bm_program_run(void)
{
    if (bm_emulator_prepare)
        bm_emulator_prepare();
    if (bm_lock_shared)
        __core_threads_come();
    __libc_start_init();
    exit(main(start.argc, (char **)start.words, __environ));
}

const uint64_t *bm_linux_first_stack(void)
{
    return start.words;
}

void *bm_linux_tls_memory(size_t size)
{
    void *memory = bm_memory_permanent(size, BM_PAGE_SIZE);
    if (!memory)
        bm_panic("not enough memory for thread-local storage; give the machine more memory");
    return memory;
}

// Of the other cores; the first one's is made by __init_libc.
void bm_tls_start(void)
{
    unsigned order = bm_frame_order(__core_thread_size());
    void *memory = bm_frame_allocate(order);
    if (!memory)
        bm_panic("not enough memory for thread-local storage; give the machine more memory");
    __builtin_memset(memory, 0, BM_PAGE_SIZE << order);
    int number = (int)bm_core_id() + 1; // of its context, which has none yet (base/core.c)
    bm_linux_arch_prctl(LINUX_ARCH_SET_FS, (uint64_t)__core_thread_make(memory, number));
}

// Of threads that the C library has not made, and of the loop that core 0 gets when there are threads.
void *bm_tls_make(void **end, size_t size, unsigned number)
{
    enum { STACK_MIN = 1024, ALIGNMENT = 64 };
    size_t block = (__core_thread_size() + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size < block + ALIGNMENT + STACK_MIN)
        return NULL;
    __core_threads_come();
    char *memory = (char *)(((uintptr_t)*end & ~(uintptr_t)(ALIGNMENT - 1)) - block);
    __builtin_memset(memory, 0, block);
    *end = memory;
    return __core_thread_make(memory, (int)number);
}
