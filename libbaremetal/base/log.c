// Log lines: level, subject, text, written whole.
// SPDX-License-Identifier: MIT
#include "start.h"

#include <baremetal/assert.h>
#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

BM_OPTION(log, "least important lines to print: error, warn (default), info, debug");

enum { LINE_SIZE = 512 };

static enum bm_log_level log_level = BM_LOG_WARN;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    BM_ASSERT(level <= BM_LOG_DEBUG, "there is no such level of the log");
    BM_ASSERT(subject && *subject, "a line of the log must name its subject");
    if (level > log_level)
        return;
    char line[LINE_SIZE + 1];
    const char *prefix = level == BM_LOG_ERROR ? "error: " : level == BM_LOG_WARN ? "warning: " : "";
    int used = bm_format(line, LINE_SIZE, "%s%s: ", prefix, subject);
    if (used < LINE_SIZE) {
        va_list arguments;
        va_start(arguments, format);
        used += bm_format_list(line + used, (size_t)(LINE_SIZE - used), format, arguments);
        va_end(arguments);
    }
    if (used > LINE_SIZE - 1)
        used = LINE_SIZE - 1;
    line[used++] = '\n';
    bm_console_write_line(line, (size_t)used);
}

void bm_log_start(void)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char value[8];
    int length = bm_option_get("log", value, sizeof value);
    if (length < 0)
        return;
    for (unsigned level = 0; level < sizeof names / sizeof *names; level++) {
        const char *name = names[level];
        unsigned i = 0;
        while (name[i] && name[i] == value[i])
            i++;
        if (!name[i] && !value[i]) {
            log_level = (enum bm_log_level)level;
            return;
        }
    }
    bm_log_warn("log", "log=%s: no such level; levels are error, warn, info, debug", value);
}
