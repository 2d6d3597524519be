// The kernel command line: `key=value` words, then ` -- ` and the words that become argv[1…].
// SPDX-License-Identifier: MIT
//
// The loader's line comes first; the line that baremetal_add_image(CMDLINE) put into the image is used for
// keys that the loader's line does not give. Any core, any context after boot's first steps; nothing here
// allocates or blocks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Copies the value of `key` into value[size] (always terminated, cut when too long) and returns its full
// length, or -1 when the key is not on the line. A key without `=` has the value "".
int bm_option_get(const char *key, char *value, size_t size);

// The same for the `index`-th word (0: the first) with that key, for keys that may be repeated.
int bm_option_get_nth(const char *key, unsigned index, char *value, size_t size);

// The value of `key` as a decimal number in [min, max]. Returns `otherwise` when the key is absent; when
// it is there but no such number, logs what is wrong and returns `otherwise`.
uint64_t bm_option_number(const char *key, uint64_t min, uint64_t max, uint64_t otherwise);

// The program's words after ` -- `, as one terminated string ("" when there are none).
const char *bm_option_arguments(void);

// Declares `key` as known. Words with other keys are named in one warning before
// main. To be placed at file scope. `help` is one line for the reader of the source: values and meaning; it
// takes no room in the image.
#define BM_OPTION(key, help)                                                                                 \
    static const char *const bm_option_##key                                                                 \
        __attribute__((used, section(".bm_options." #key), aligned(8))) = #key

#ifdef __cplusplus
}
#endif
