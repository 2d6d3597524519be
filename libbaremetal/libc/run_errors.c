// Standard error output by itself, on the second serial port: stderr=serial2 on the kernel command line,
// which baremetal-run writes where its own leads elsewhere than standard output. Linked by baremetal::run.
// SPDX-License-Identifier: MIT
// @optimize size
//
// The kernel's messages and its reports of faults come there, too. The console keeps what the program writes
// to standard output, and the last line, which tells how it ended.
#include "libc.h"

#include <baremetal/console.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <poll.h>
#include <stdatomic.h>

BM_OPTION(stderr, "serial2: standard error output and the kernel's messages go to the second serial port");

// A 16550 at COM2 (National Semiconductor PC16550D data sheet, section 8).
enum {
    PORT = 0x2f8,
    PORT_INTERRUPT_ENABLE = PORT + 1, // divisor's high byte with LCR_DIVISOR
    PORT_FIFO_CONTROL = PORT + 2,
    PORT_LINE_CONTROL = PORT + 3,
    PORT_LINE_STATUS = PORT + 5,
    PORT_SCRATCH = PORT + 7,
    LCR_8N1 = 3,
    LCR_DIVISOR = 0x80,
    DIVISOR_115200 = 1,
    FCR_ON_CLEAR = 7,
    LSR_TRANSMIT_EMPTY = 0x20,
    FIFO_SIZE = 16,
    TRANSMIT_TRIES = 4000000 // as for the console (console/serial.c)
};

static bool separate; // it is there, and said to be used
static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static _Atomic(uint32_t) owner; // core id + 1 of the lock's holder
static char last_byte = '\n';   // of what was written

static bool is_there(void)
{
    bm_port_out8(PORT_SCRATCH, 0x5a);
    bool kept = bm_port_in8(PORT_SCRATCH) == 0x5a;
    bm_port_out8(PORT_SCRATCH, 0xa5);
    return kept && bm_port_in8(PORT_SCRATCH) == 0xa5;
}

static void set_up(void)
{
    bm_port_out8(PORT_INTERRUPT_ENABLE, 0);
    bm_port_out8(PORT_LINE_CONTROL, LCR_DIVISOR);
    bm_port_out8(PORT, DIVISOR_115200);
    bm_port_out8(PORT_INTERRUPT_ENABLE, 0);
    bm_port_out8(PORT_LINE_CONTROL, LCR_8N1);
    bm_port_out8(PORT_FIFO_CONTROL, FCR_ON_CLEAR);
}

static void put_unlocked(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned tries = TRANSMIT_TRIES;
        while (i % FIFO_SIZE == 0 && !(bm_port_in8(PORT_LINE_STATUS) & LSR_TRANSMIT_EMPTY) && --tries)
            __builtin_ia32_pause();
        if (!tries) // nobody reads it any more
            return;
        bm_port_out8(PORT, (uint8_t)text[i]);
    }
    if (size)
        last_byte = text[size - 1];
}

// Whole, and behind a newline where the last line is open and `line` says so.
static void put(const char *text, size_t size, bool line)
{
    uint32_t me = bm_core_id() + 1;
    // A handler may have interrupted the holder on this very core: then the lock is already ours.
    bool ours = atomic_load_explicit(&owner, memory_order_relaxed) == me;
    if (!ours) {
        bm_spinlock_acquire(&lock);
        atomic_store_explicit(&owner, me, memory_order_relaxed);
    }
    if (line && last_byte != '\n')
        put_unlocked("\n", 1);
    put_unlocked(text, size);
    if (!ours) {
        atomic_store_explicit(&owner, 0, memory_order_relaxed);
        bm_spinlock_release(&lock);
    }
}

static long errors_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    put(buffer, size, false);
    return (long)size;
}

static int errors_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_PIPE | 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

static int errors_poll(struct bm_file *file)
{
    (void)file;
    return POLLOUT;
}

// Before all constructors of the program.
__attribute__((constructor(101))) static void choose(void)
{
    static const struct bm_file_ops ops = {.write = errors_write, .stat = errors_stat, .poll = errors_poll};
    static struct bm_file errors = {.ops = &ops, .flags = BM_O_WRONLY};
    enum { DESCRIPTOR = 2 };
    char value[9] = "";
    if (bm_option_get("stderr", value, sizeof value) < 0)
        return;
    if (__builtin_memcmp(value, "serial2", 8) != 0 || !is_there()) {
        bm_log_error("run", "stderr=%s: there is no such port; there may be serial2", value);
        return;
    }
    BM_CHECK(bm_check_lock_in_handlers(&lock));
    set_up();
    bm_file_close(DESCRIPTOR);
    bm_file_install(&errors, DESCRIPTOR);
    separate = true;
}

void __real_bm_console_write_line(const char *text, size_t size);
void __wrap_bm_console_write_line(const char *text, size_t size);
void __real_bm_console_write_unlocked(const char *text, size_t size);
void __wrap_bm_console_write_unlocked(const char *text, size_t size);

void __wrap_bm_console_write_line(const char *text, size_t size)
{
    static const char end[] = "exit: ";
    bool is_end = size > sizeof end - 1 && __builtin_memcmp(text, end, sizeof end - 1) == 0;
    if (separate && !is_end)
        put(text, size, true);
    else
        __real_bm_console_write_line(text, size);
}

// Reports of faults.
void __wrap_bm_console_write_unlocked(const char *text, size_t size)
{
    (separate ? put_unlocked : __real_bm_console_write_unlocked)(text, size);
}
