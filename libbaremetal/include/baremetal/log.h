// Kernel log: one line a call, on every console, never interleaved with another core's line.
// SPDX-License-Identifier: MIT
//
// Any core, any context (also interrupt handlers); never blocks on anything but the console's lock, never
// allocates. Which lines appear is chosen by `log=error|warn|info|debug` on the kernel command line (default:
// warn).
#pragma once

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// How important a line is: something failed; something is not as it should be; what happens; how.
enum bm_log_level { BM_LOG_ERROR, BM_LOG_WARN, BM_LOG_INFO, BM_LOG_DEBUG };

// Writes one line `subject: text` of a level, with "error: " or "warning: " in front at those levels.
// `subject` is the word that names the part of the system (file, CMake target and test use the same word).
// Conversions: %s %c %d %i %u %x %X %p %% with flags 0 and -, width, `.*`/precision for %s, and lengths l,
// ll, z. At most 255 bytes a line; longer lines are cut.
void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Lines of each level.
#define bm_log_error(subject, ...) bm_log(BM_LOG_ERROR, subject, __VA_ARGS__)
#define bm_log_warn(subject, ...)  bm_log(BM_LOG_WARN, subject, __VA_ARGS__)
#define bm_log_info(subject, ...)  bm_log(BM_LOG_INFO, subject, __VA_ARGS__)
#define bm_log_debug(subject, ...) bm_log(BM_LOG_DEBUG, subject, __VA_ARGS__)

// The same conversions into a buffer. Returns the length that the whole text has; the buffer is always
// terminated (size > 0). Any context.
int bm_format(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int bm_format_list(char *buffer, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#ifdef __cplusplus
}
#endif
