// Consoles: where text goes and where keys come from.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A console back-end. The owner keeps the structure for ever.
struct bm_console {
    const char *name; // as on the command line: console=serial,vga
    // Writes all of text. Called by one core at a time, under a lock, except in a fault report. Must work
    // with interrupts off. A program's own keeps its core meanwhile (bm_switch_forbid, switch.h).
    void (*write)(struct bm_console *console, const char *text, size_t size);
    struct bm_console *next; // kernel's
};

// Adds a console: from now on, output goes there too. Any core, not in handlers.
void bm_console_add(struct bm_console *console);

// Writes text on every console, whole, never interleaved with another core's call. Any core, any context.
void bm_console_write(const char *text, size_t size);

// The same for a line of the system's own, which ends in a newline: on a line of its own, also when the
// program has not ended its last one. Any core, any context.
void bm_console_write_line(const char *text, size_t size);

// What was written counts as ended: bm_console_write_line adds nothing before its next line. For a program's
// output that is to stay as it is. Any core, any context.
void bm_console_forget_line(void);

// Writes without taking any lock. For the fault report only. Any context.
void bm_console_write_unlocked(const char *text, size_t size);

// A byte that arrived from an input device (serial line, keyboard). Interrupt handlers may call it; bytes
// beyond the buffer are dropped and counted.
void bm_console_input(char byte);

// Takes up to `size` received bytes without waiting; returns how many. Any core, not in handlers.
size_t bm_console_read(char *buffer, size_t size);

// Whether bm_console_read would return some. Any context; the condition for bm_wait_until.
bool bm_console_readable(void);

#ifdef __cplusplus
}
#endif
