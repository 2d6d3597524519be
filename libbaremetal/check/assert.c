// The end of a machine whose program, or kernel, broke a rule.
// SPDX-License-Identifier: MIT
#include "../cpu/symbols.h"

#include <baremetal/assert.h>
#include <baremetal/panic.h>

#include <stddef.h>
#include <stdint.h>

void bm_assert_failed(const char *function, const char *rule, const void *caller)
{
    // A call at a function's end returns to the next function: its last byte is named.
    uint64_t address = (uint64_t)(caller ? caller : __builtin_return_address(0)) - 1, distance;
    const char *name = bm_symbols_find(address, &distance);
    if (!bm_symbols_in_image(address))
        bm_panic("%s: %s; called at 0x%lx (not in the image)", function, rule, address);
    bm_panic("%s: %s; called at image+0x%lx%s%s", function, rule, bm_symbols_offset(address),
             name ? " in " : "", name ? name : "");
}

void bm_assert_foreign(const char *library, const char *message, const char *file, int line)
{
    bm_panic("%s: %s (%s:%d)", library, message, file, line);
}
