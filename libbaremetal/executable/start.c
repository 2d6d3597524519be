// A Linux program as it is, in the place of main: what boot calls, and what a C library would bring.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../base/start.h"
#include "../libc/libc.h"
#include "../linux/limits.h"
#include "../linux/linux.h"
#include "../linux/signals.h"
#include "../thread/thread.h"
#include "../wait/fiber.h"
#include "executable.h"

#include <baremetal/cpu.h>
#include <baremetal/panic.h>

extern char **environ;
extern void (*const __init_array_start[])(void), (*const __init_array_end[])(void);

static int argc;
static char **argv;

// AMD64 manual volume 2, section 6.1.1, "SYSCALL and SYSRET MSRs".
enum {
    MSR_EFER = (int)0xc0000080,
    MSR_STAR = (int)0xc0000081,
    MSR_LSTAR = (int)0xc0000082,
    MSR_FMASK = (int)0xc0000084,
    EFER_SYSCALL = 1,
    FLAG_TRAP = 1 << 8,
    FLAG_DIRECTION = 1 << 10,
    FLAG_NESTED = 1 << 14,
    FLAG_ALIGNMENT = 1 << 18,
    SELECTOR_CODE = 0x08, // of cpu/core.h
    STAR_SHIFT = 32
};

enum { STACK_LIMIT = 8 << 20 }; // bytes, that of main (stack.c); their memory comes when they are touched

// For this core.
static void enable_calls(void)
{
    bm_msr_write((uint32_t)MSR_STAR, (uint64_t)SELECTOR_CODE << STAR_SHIFT);
    bm_msr_write((uint32_t)MSR_LSTAR, (uint64_t)bm_executable_entry);
    bm_msr_write((uint32_t)MSR_FMASK, FLAG_TRAP | FLAG_DIRECTION | FLAG_NESTED | FLAG_ALIGNMENT);
    bm_msr_write((uint32_t)MSR_EFER, bm_msr_read((uint32_t)MSR_EFER) | EFER_SYSCALL);
}

// The kernel has no thread-local variables, and what stands at %fs is the program's.
void bm_tls_start(void)
{
    enable_calls();
}

void *bm_tls_make(void **end, size_t size, unsigned number)
{
    (void)end;
    (void)size;
    return (void *)(uintptr_t)number; // anything but NULL
}

void bm_program_start(void)
{
    bm_environment_make();
    argc = bm_arguments_make(&argv);
    bm_linux_signals_late = true;
    bm_linux_prlimit64(0, LINUX_LIMIT_STACK, &(struct bm_linux_limit){STACK_LIMIT, UINT64_MAX}, NULL);
    bm_executable_classes_make();
    bm_executable_pointers_start();
    enable_calls();
}

void bm_program_run(void)
{
    static struct bm_executable_loaded loaded;
    if (!bm_thread_adopt())
        bm_panic("not enough memory for threads; give the machine more memory");
    for (void (*const *f)(void) = __init_array_start; f < __init_array_end; f++) // of drivers with threads
        (*f)();
    bm_executable_load(&loaded);
    uint64_t stack = bm_executable_stack_make(&loaded, argc, argv, environ);
    bm_fiber_pointer_set(0);
    bm_executable_enter(loaded.begin, stack);
}
