// The program: from the kernel's last step to main, and from exit to power-off.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../base/start.h"
#include "../check/check.h"
#include "libc.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/panic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv, char **environment);

extern void (*const __preinit_array_start[])(void), (*const __preinit_array_end[])(void);
extern void (*const __init_array_start[])(void), (*const __init_array_end[])(void);
extern void (*const __fini_array_start[])(void), (*const __fini_array_end[])(void);
extern char **environ;

// The C library has do-nothing locks of its own, which must not be found before lock.c.
extern struct __lock __lock___libc_recursive_mutex;
static struct __lock *const own_locks __attribute__((used)) = &__lock___libc_recursive_mutex;

#ifdef BM_LIBC_PICOLIBC // picolibc/stdio.c, for the same reason
static FILE *const *const own_streams __attribute__((used)) = &stdout;
#endif

static void construct(void)
{
    for (void (*const *f)(void) = __preinit_array_start; f < __preinit_array_end; f++)
        (*f)();
    for (void (*const *f)(void) = __init_array_start; f < __init_array_end; f++)
        (*f)();
}

#ifdef BM_LIBC_NEWLIB // its exit leaves the destructors to whoever starts the program
static void destruct(void)
{
    for (void (*const *f)(void) = __fini_array_end; f > __fini_array_start;)
        (*--f)();
}
#endif

static int argc;
static char **argv;

__attribute__((no_stack_protector)) void bm_program_start(void)
{
    bm_tls_start();
    bm_environment_make();
    argc = bm_arguments_make(&argv);
}

void bm_program_run(void)
{
#ifdef BM_LIBC_NEWLIB
    atexit(destruct);
#endif
    construct();
    int status = main(argc, argv, environ);
    BM_CHECK(bm_check_no_lock("main", "main must not return with a spinlock held, taken by the caller"));
    exit(status);
}

void _exit(int status)
{
    if (bm_net_finish)
        bm_net_finish();
    char line[24];
    int size = bm_format(line, sizeof line, "exit: %d\n", status & 0xff);
    bm_console_write_line(line, (size_t)size);
    bm_power_off(status & 0xff);
}

// In place of the C library's, which would end without a report. They stand beside bm_program_run so that
// every image takes these.
void abort(void)
{
    bm_panic("the program called abort");
}

void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void)
{
    bm_panic("stack smashing detected: a function overwrote more than its own variables");
}
