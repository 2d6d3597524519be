// The list of consoles and the lock around them.
// SPDX-License-Identifier: MIT
#include "console.h"
#include "../base/start.h"

#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <stdatomic.h>
#include <stdint.h>

BM_OPTION(console, "consoles to use, separated by commas: serial (default)");

enum { NAMES_SIZE = 64 };

static struct bm_console *_Atomic first_console; // NULL until bm_console_start
static struct bm_spinlock write_lock = BM_SPINLOCK_INIT;
static _Atomic(uint32_t) write_owner;  // core id + 1 of the lock's holder
static _Atomic(char) last_byte = '\n'; // of what was written

void bm_console_add(struct bm_console *console)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(console->write, "a console must have a function `write`");
    struct bm_console *next = atomic_load(&first_console);
    do
        console->next = next;
    while (!atomic_compare_exchange_weak(&first_console, &next, console));
}

void bm_console_write_unlocked(const char *text, size_t size)
{
    struct bm_console *console = atomic_load(&first_console);
    if (!console) // what goes wrong before bm_console_start must be seen, too
        console = bm_serial_console();
    for (; console; console = console->next)
        console->write(console, text, size);
    if (size)
        atomic_store_explicit(&last_byte, text[size - 1], memory_order_relaxed);
}

void bm_console_write(const char *text, size_t size)
{
    uint32_t me = bm_core_id() + 1;
    // A handler may have interrupted the holder on this very core: then the lock is already ours.
    bool ours = atomic_load_explicit(&write_owner, memory_order_relaxed) == me;
    if (!ours) {
        bm_spinlock_acquire(&write_lock);
        atomic_store_explicit(&write_owner, me, memory_order_relaxed);
    }
    bm_console_write_unlocked(text, size);
    if (!ours) {
        atomic_store_explicit(&write_owner, 0, memory_order_relaxed);
        bm_spinlock_release(&write_lock);
    }
}

void bm_console_write_line(const char *text, size_t size)
{
    if (atomic_load_explicit(&last_byte, memory_order_relaxed) != '\n')
        bm_console_write("\n", 1);
    bm_console_write(text, size);
}

void bm_console_forget_line(void)
{
    atomic_store_explicit(&last_byte, '\n', memory_order_relaxed);
}

// Names on the line other than `serial` are told. Images with more consoles have names.c's instead.
__attribute__((weak)) void bm_console_names_check(void)
{
    char text[NAMES_SIZE];
    if (bm_option_get("console", text, sizeof text) < 0)
        return;
    for (const char *names = text; *names;) {
        static const char serial[] = "serial";
        size_t length = 0, same = 0;
        for (; names[length] && names[length] != ','; length++)
            same += length < sizeof serial - 1 && names[length] == serial[length];
        if (length != same || length != sizeof serial - 1)
            bm_log_warn("console", "console=%.*s: this image has no such console; it has: serial",
                        (int)length, names);
        names += length + (names[length] == ',');
    }
}

void bm_console_start(void)
{
    BM_CHECK(bm_check_lock_in_handlers(&write_lock));
    bm_log_start();
    bm_console_add(bm_serial_console());
    bm_console_names_check();
}
