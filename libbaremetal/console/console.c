// The list of consoles, the lock around them, and the buffer of received bytes.
// SPDX-License-Identifier: MIT
#include "console.h"
#include "../boot/start.h"

#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <stdatomic.h>
#include <stdint.h>

BM_OPTION(console, "consoles to use, separated by commas: serial (default)");

enum { INPUT_SIZE = 256, NAMES_SIZE = 64 };

static struct bm_console *_Atomic first_console; // NULL until bm_console_start
static struct bm_spinlock write_lock = BM_SPINLOCK_INIT;
static _Atomic(uint32_t) write_owner; // core id + 1 of the lock's holder

// Several handlers on several cores may produce at once, so a slot is first reserved by moving input_head and
// then marked as filled.
enum { INPUT_FILLED = 0x100 };
static _Atomic(uint16_t) input_ring[INPUT_SIZE];
static _Atomic(uint32_t) input_head, input_tail, input_dropped;
static struct bm_spinlock input_lock = BM_SPINLOCK_INIT; // consumers only

void bm_console_add(struct bm_console *console)
{
    struct bm_console *next = atomic_load(&first_console);
    do
        console->next = next;
    while (!atomic_compare_exchange_weak(&first_console, &next, console));
}

void bm_console_write_unlocked(const char *text, size_t size)
{
    struct bm_console *console = atomic_load(&first_console);
    if (!console) { // what goes wrong before bm_console_start must be seen, too
        console = bm_serial_console();
        console->write(console, text, size);
        return;
    }
    for (; console; console = console->next)
        console->write(console, text, size);
}

void bm_console_write(const char *text, size_t size)
{
    uint32_t me = bm_core_id() + 1;
    // A handler may have interrupted the holder on this very core: then the lock is already ours.
    if (atomic_load_explicit(&write_owner, memory_order_relaxed) == me) {
        bm_console_write_unlocked(text, size);
        return;
    }
    bm_spinlock_acquire(&write_lock);
    atomic_store_explicit(&write_owner, me, memory_order_relaxed);
    bm_console_write_unlocked(text, size);
    atomic_store_explicit(&write_owner, 0, memory_order_relaxed);
    bm_spinlock_release(&write_lock);
}

void bm_console_input(char byte)
{
    uint32_t head = atomic_load(&input_head);
    do {
        if (head - atomic_load(&input_tail) >= INPUT_SIZE) {
            atomic_fetch_add(&input_dropped, 1);
            return;
        }
    } while (!atomic_compare_exchange_weak(&input_head, &head, head + 1));
    atomic_store(&input_ring[head % INPUT_SIZE], (uint16_t)(INPUT_FILLED | (unsigned char)byte));
}

size_t bm_console_read(char *buffer, size_t size)
{
    size_t count = 0;
    bm_spinlock_acquire(&input_lock);
    uint32_t tail = atomic_load(&input_tail);
    for (; count < size; count++, tail++) {
        uint16_t slot = atomic_exchange(&input_ring[tail % INPUT_SIZE], 0);
        if (!slot)
            break;
        buffer[count] = (char)slot;
        atomic_store(&input_tail, tail + 1);
    }
    bm_spinlock_release(&input_lock);
    uint32_t dropped = count ? atomic_exchange(&input_dropped, 0) : 0;
    if (dropped)
        bm_log_warn("console", "%u bytes of input were lost: nobody read them in time", dropped);
    return count;
}

bool bm_console_readable(void)
{
    return atomic_load(&input_ring[atomic_load(&input_tail) % INPUT_SIZE]) != 0;
}

static bool same_name(const char *list, size_t length, const char *name)
{
    size_t i = 0;
    while (i < length && name[i] && list[i] == name[i])
        i++;
    return i == length && !name[i];
}

// Adds what `names` lists. Returns whether that was at least one console; tells which names are none.
static bool add_named(const char *names, bool warn)
{
    bool added = false;
    while (*names) {
        size_t length = 0;
        while (names[length] && names[length] != ',')
            length++;
        if (same_name(names, length, "serial")) {
            if (!warn)
                bm_console_add(bm_serial_console());
            added = true;
        } else if (warn) {
            bm_log_warn("console", "console=%.*s: this image has no such console; it has: serial",
                        (int)length, names);
        }
        names += length + (names[length] == ',');
    }
    return added;
}

void bm_console_start(void)
{
    char names[NAMES_SIZE] = "serial";
    bm_option_get("console", names, sizeof names);
    bm_log_start();
    if (!add_named(names, false)) // silence would hide the reason for itself
        bm_console_add(bm_serial_console());
    add_named(names, true);
    if (!bm_serial_present())
        bm_log_info("serial", "no 16550 at port 0x3f8");
}

void bm_console_listen(void)
{
    bm_serial_listen();
}
