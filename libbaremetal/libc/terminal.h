// The terminal's input, which is linked only into programs that read, poll or control descriptors.
// SPDX-License-Identifier: MIT
#pragma once

#include "libc.h"

// terminal.c: the operations of bm_terminal_file, unless it is no terminal.
extern const struct bm_file_ops bm_terminal_ops;

// terminal_input.c; the operations of struct bm_file_ops. Weak, so that terminal.c alone does not link them.
long bm_terminal_read(struct bm_file *file, void *buffer, size_t size) __attribute__((weak));
int bm_terminal_control(struct bm_file *file, unsigned long request, void *argument) __attribute__((weak));
int bm_terminal_poll(struct bm_file *file) __attribute__((weak));
struct bm_file_watchers *bm_terminal_watchers(struct bm_file *file) __attribute__((weak)); // with musl

// file/devices.c: frees a file of the terminal that was opened by path.
int bm_terminal_close(struct bm_file *file) __attribute__((weak));
// linux/signal.c, in programs with signals: sends SIGINT or SIGQUIT to the process.
void bm_terminal_signal(int signal) __attribute__((weak));

// Looks from now on at what is typed also when nobody reads it, for keys that send signals.
void bm_terminal_watch(void) __attribute__((weak));

// A source file whose calls need the input says so once, at file scope. The linker drops the pointer itself.
extern const char bm_terminal_input_linked;
#define BM_TERMINAL_INPUT_NEEDED                                                                             \
    static const char *const terminal_input_needed __attribute__((used)) = &bm_terminal_input_linked

// stream_input.c: the same when standard input is no terminal; linked with terminal_input.c.
long bm_stream_read(struct bm_file *file, void *buffer, size_t size) __attribute__((weak));
int bm_stream_control(struct bm_file *file, unsigned long request, void *argument) __attribute__((weak));
int bm_stream_poll(struct bm_file *file) __attribute__((weak));
extern const char bm_stream_input_linked; // for terminal_input.c, as below

// terminal_stream.c: a source file whose calls tell a terminal from what is none says so once, at file scope.
extern const char bm_terminal_stream_linked;
#define BM_TERMINAL_STREAM_NEEDED                                                                            \
    static const char *const terminal_stream_needed __attribute__((used)) = &bm_terminal_stream_linked
