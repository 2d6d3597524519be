// What was found, as lines.
// SPDX-License-Identifier: MIT
#include <baremetal/profile.h>

#include "../cpu/symbols.h"
#include "profile.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/log.h>

#include <stdatomic.h>
#include <stdbool.h>

enum { NAME_MAX = 100, LINE = BM_PROFILE_DEPTH_MAX * (NAME_MAX + 1) + 64, PREFIX = sizeof "profile: " - 1 };

// A line that grows, behind what it begins with on the console. Names are cut, so that any stack fits.
static char text[LINE] = "profile: ";
static size_t length, first; // of the line; where what is handed on begins
static atomic_bool is_read;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)bm_format_list(text + length, LINE - length, format, arguments);
    va_end(arguments);
}

static void put_frame(uint64_t address)
{
    uint64_t offset;
    const char *name = bm_symbols_find(address, &offset);
    if (name)
        for (unsigned i = 0; i < NAME_MAX && name[i]; i++)
            text[length++] = name[i] == ';' || name[i] == ' ' ? '_' : name[i];
    else if (bm_symbols_in_image(address))
        put("image+0x%lx", bm_symbols_offset(address));
    else
        put("0x%lx", address);
}

static void hand_on(void (*take)(void *arg, const char *line, size_t size), void *arg, uint64_t count)
{
    put(" %lu\n", count);
    take(arg, text + first, length - first);
}

static void begin(unsigned core, const char *more)
{
    length = PREFIX;
    put("core %u%s", core, more);
}

static void read_core(unsigned core, void (*take)(void *arg, const char *line, size_t size), void *arg)
{
    const struct bm_profile_table *table = bm_profile_table_of(core);
    struct bm_profile_stack stack;
    for (size_t place = 0; bm_profile_table_next(table, &place, &stack);) {
        begin(core, "");
        for (unsigned i = stack.depth; i > 0; i--) {
            text[length++] = ';';
            put_frame(stack.addresses[i - 1]);
        }
        hand_on(take, arg, stack.count);
    }
    uint64_t asleep = bm_profile_asleep(core), others = bm_profile_table_others(table);
    begin(core, ";asleep");
    if (asleep)
        hand_on(take, arg, asleep);
    begin(core, ";others");
    if (others)
        hand_on(take, arg, others);
}

int bm_profile_lines(bool named, void (*take)(void *arg, const char *line, size_t size), void *arg)
{
    if (atomic_exchange(&is_read, true))
        return -BM_EBUSY;
    first = named ? 0 : PREFIX;
    for (unsigned core = 0; bm_profile_table_of(core); core++)
        read_core(core, take, arg);
    atomic_store(&is_read, false);
    return 0;
}

int bm_profile_read(void (*take)(void *arg, const char *line, size_t size), void *arg)
{
    BM_ASSERT_NO_HANDLER();
    return bm_profile_lines(false, take, arg);
}
