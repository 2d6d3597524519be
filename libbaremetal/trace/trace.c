// Calls of Linux' as they are made, on the console.
// SPDX-License-Identifier: MIT
#include "trace.h"

#include "../linux/linux.h"
#include "../space/space.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/option.h>
#include <baremetal/thread.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stddef.h>

BM_OPTION(trace, "calls: each call of Linux' with its arguments and result, on the console");

enum { LINE = 400, SHOWN = 48, ERRORS_END = 4096, CONTEXTS = 1 << 18, RESTARTS = 512 };

struct line {
    char text[LINE];
    size_t length;
};

enum { UNKNOWN, OFF, ON };
static atomic_int wanted;

// Where the stack was in the call that a context is in, 0 for none. A jump out of a call leaves it behind: a
// call from above that place is a new one.
static uintptr_t inside[CONTEXTS];

static bool is_on(void)
{
    int is = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (is == UNKNOWN) {
        char text[8];
        int length = bm_option_get("trace", text, sizeof text);
        is = length == 5 && !__builtin_memcmp(text, "calls", 5) ? ON : OFF;
        if (length >= 0 && is == OFF)
            bm_log_warn("trace", "trace=%s makes no sense: write trace=calls", text);
        atomic_store(&wanted, is);
    }
    return is == ON;
}

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, format);
    size_t room = LINE - line->length;
    int length = bm_format_list(line->text + line->length, room, format, list);
    line->length += (size_t)length < room ? (size_t)length : room - 1;
    __builtin_va_end(list);
}

static bool is_readable(uintptr_t address)
{
    return bm_space_reachable(address, 1, false) || bm_memory_physical((void *)address) != BM_PHYSICAL_NONE;
}

static void put_byte(struct line *line, unsigned char byte)
{
    if (byte == '\n')
        put(line, "\\n");
    else if (byte == '"' || byte == '\\')
        put(line, "\\%c", byte);
    else if (byte >= ' ' && byte < 0x7f)
        put(line, "%c", byte);
    else
        put(line, "\\x%02x", byte);
}

// At most SHOWN bytes, up to `size` or, of a string, its end.
static void put_text(struct line *line, uintptr_t address, size_t size, bool is_string)
{
    if (!is_readable(address)) {
        put(line, address ? "0x%lx" : "NULL", (unsigned long)address);
        return;
    }
    put(line, "\"");
    size_t i = 0;
    for (; i < SHOWN && i < size; i++) {
        if ((address + i) % BM_PAGE_SIZE == 0 && !is_readable(address + i))
            break;
        unsigned char byte = *(const volatile unsigned char *)(address + i);
        if (is_string && !byte)
            break;
        put_byte(line, byte);
    }
    put(line, i == SHOWN && i < size ? "\"..." : "\"");
}

static void put_argument(struct line *line, const char *kinds, const long *arguments, unsigned i)
{
    unsigned long value = (unsigned long)arguments[i];
    switch (kinds[i]) {
    case 's':
        put_text(line, value, SIZE_MAX, true);
        break;
    case 'b':
        put_text(line, value, kinds[i + 1] == 'z' ? (unsigned long)arguments[i + 1] : 0, false);
        break;
    case 'd':
        put(line, "%d", (int)value);
        break;
    case 'z':
        put(line, "%lu", value);
        break;
    default:
        put(line, kinds[i] == 'p' && !value ? "NULL" : "0x%lx", value);
    }
}

static void put_result(struct line *line, long result)
{
    if (result >= 0 || result <= -ERRORS_END) {
        put(line, result >= 0 && result < 1 << 20 ? " = %ld\n" : " = 0x%lx\n", result);
        return;
    }
    const char *name = -result < BM_TRACE_ERRORS ? bm_trace_errors[-result] : NULL;
    if (!name && -result >= RESTARTS)
        put(line, " = ? (a signal; it begins again, or fails with EINTR)\n");
    else
        put(line, " = %ld (%s)\n", result, name ? name : "an unknown error");
}

static void show(const struct bm_trace_call *call, const long arguments[6], const long *result)
{
    struct line line = {.length = 0};
    put(&line, "trace: %u %s(", bm_context_id(), call->name);
    for (unsigned i = 0; call->kinds[i]; i++) {
        if (i)
            put(&line, ", ");
        put_argument(&line, call->kinds, arguments, i);
    }
    put(&line, ")");
    if (result)
        put_result(&line, *result);
    else
        put(&line, " = ?\n");
    if (line.length == LINE - 1)
        line.text[LINE - 2] = '\n';
    bm_console_write_line(line.text, line.length);
}

long bm_trace_call(const struct bm_trace_call *call, const long a[6])
{
    unsigned context = bm_context_id() % CONTEXTS;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), before = inside[context];
    if (!is_on() || (before && here < before))
        return call->function(a[0], a[1], a[2], a[3], a[4], a[5]);
    inside[context] = here;
    if (call->ends)
        show(call, a, NULL);
    long result = call->function(a[0], a[1], a[2], a[3], a[4], a[5]);
    inside[context] = 0;
    show(call, a, &result);
    return result;
}
