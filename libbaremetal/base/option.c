// The kernel command line: the loader's, and behind it the image's own.
// SPDX-License-Identifier: MIT
#include "command_line_default.h"
#include "start.h"
#include "words.h"

#include <baremetal/assert.h>
#include <baremetal/boot.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

#include <stddef.h>

extern const char *const bm_options_begin[], *const bm_options_end[];

static const char *lines[2];

void bm_option_start(void)
{
    lines[0] = bm_boot_info_get()->command_line;
    lines[1] = bm_command_line_default;
}

static bool is_key(const struct bm_word *word, const char *key)
{
    size_t i = 0;
    while (i < word->key_size && key[i] && word->key[i] == key[i])
        i++;
    return i == word->key_size && !key[i];
}

int bm_option_get_nth(const char *key, unsigned index, char *value, size_t size)
{
    bool found = false;
    BM_ASSERT(lines[0], "the command line can be asked only after boot's first steps");
    BM_ASSERT(value && size, "there must be room for the value of a key");
    for (unsigned i = 0; i < 2 && !found; i++) {
        const char *line = lines[i];
        for (struct bm_word word; bm_word_next(&line, &word);) {
            if (!is_key(&word, key))
                continue;
            if (index-- == 0)
                return (int)bm_word_unquote(&word, value, size);
            found = true;
        }
    }
    return -1;
}

int bm_option_get(const char *key, char *value, size_t size)
{
    return bm_option_get_nth(key, 0, value, size);
}

uint64_t bm_option_number(const char *key, uint64_t min, uint64_t max, uint64_t otherwise)
{
    char text[24];
    BM_ASSERT(min <= max, "min must not be above max");
    int length = bm_option_get(key, text, sizeof(text));
    if (length < 0)
        return otherwise;
    uint64_t number = 0;
    bool good = length > 0 && length < (int)sizeof(text);
    for (int i = 0; good && i < length; i++)
        good = text[i] >= '0' && text[i] <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
               !__builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);
    if (good && number >= min && number <= max)
        return number;
    bm_log_error("option", "%s=%s is not a number from %lu to %lu; using %lu", key, text, min, max,
                 otherwise);
    return otherwise;
}

const char *bm_option_arguments(void)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *line = lines[i];
        for (struct bm_word word; bm_word_next(&line, &word);)
            ;
        if (*line)
            return line;
    }
    return "";
}

static bool is_known(const struct bm_word *word)
{
    if (word->key_size > 4 && word->value && !__builtin_memcmp(word->key, "env.", 4))
        return true;
    for (const char *const *option = bm_options_begin; option < bm_options_end; option++)
        if (is_key(word, *option))
            return true;
    return false;
}

static void list_known(void)
{
    char list[200];
    size_t size = 0;
    for (const char *const *option = bm_options_begin; option < bm_options_end && size < sizeof(list);
         option++)
        size += (size_t)bm_format(list + size, sizeof(list) - size, " %s", *option);
    bm_log_warn("option", "this image knows:%s, env.NAME, and `--` before the program's own words",
                size ? list : " none");
}

void bm_option_check(void)
{
    bool unknown = false;
    for (unsigned i = 0; i < 2; i++) {
        const char *line = lines[i];
        for (struct bm_word word; bm_word_next(&line, &word);) {
            if (is_known(&word))
                continue;
            bm_log_warn("option", "the command line's word `%.*s` is not known and has no effect",
                        (int)word.key_size, word.key_size ? word.key : "=");
            unknown = true;
        }
    }
    if (unknown)
        list_known();
    if (bm_boot_info_get()->command_line_size >= BM_BOOT_COMMAND_LINE_MAX)
        bm_log_warn("option", "the command line has %u bytes; what is beyond %u is lost",
                    bm_boot_info_get()->command_line_size, BM_BOOT_COMMAND_LINE_MAX - 1);
}
