// argv and environ from the kernel command line.
// SPDX-License-Identifier: MIT
// @optimize size
#include "../base/command_line_default.h"
#include "../base/words.h"
#include "libc.h"

#include <baremetal/boot.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Copies one word from *from to `to` without its quotes; returns where it ends there.
static char *take_word(char **from, char *to)
{
    char quote = 0;
    char *at = *from;
    for (; *at && (quote || !is_space(*at)); at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'') {
            quote = quote ? 0 : *at;
            continue;
        }
        if (*at == '\\' && quote != '\'' && at[1])
            at++;
        *to++ = *at;
    }
    *from = at;
    return to;
}

int bm_arguments_split(char *text, char **argv, int max, int *cut)
{
    int count = 0;
    *cut = 0;
    for (;;) {
        while (is_space(*text))
            text++;
        if (!*text)
            return count;
        if (count == max) {
            *cut = 1;
            return count;
        }
        argv[count++] = text;
        char *end = take_word(&text, argv[count - 1]);
        if (*text)
            text++; // its place may be needed for the terminator
        *end = 0;
    }
}

int bm_arguments_make(char ***argv)
{
    static char *words[BM_ARGUMENTS_MAX + 2];
    static char text[BM_BOOT_COMMAND_LINE_MAX];
    int cut;
    words[0] = bm_program_name;
    const char *line = bm_option_arguments();
    memcpy(text, line, strnlen(line, sizeof text - 1));
    int count = bm_arguments_split(text, words + 1, BM_ARGUMENTS_MAX, &cut);
    if (cut)
        bm_log_warn("libc", "more than %d words behind ` -- `; the rest is not passed on", BM_ARGUMENTS_MAX);
    *argv = words;
    return count + 1;
}

static bool is_variable(const struct bm_word *word)
{
    return word->value && word->key_size > 4 && memcmp(word->key, "env.", 4) == 0;
}

// The loader's line comes first, so its variables are found before the image's own of the same name.
void bm_environment_make(void)
{
    extern char **environ;
    static char *list[BM_ARGUMENTS_MAX + 1];
    static char text[2 * BM_BOOT_COMMAND_LINE_MAX];
    const char *lines[] = {bm_boot_info_get()->command_line, bm_command_line_default};
    size_t used = 0;
    int count = 0;
    for (unsigned i = 0; i < 2; i++) {
        for (struct bm_word word; bm_word_next(&lines[i], &word);) {
            const char *name = word.key + 4;
            size_t size = word.key_size - 4;
            if (!is_variable(&word))
                continue;
            if (count == BM_ARGUMENTS_MAX || used + size + word.value_size + 2 > sizeof text) {
                bm_log_warn("libc", "too many env.NAME= words; %.*s and what follows are not set", (int)size,
                            name);
                break;
            }
            list[count] = text + used;
            memcpy(text + used, name, size);
            text[used + size] = '=';
            used += size + 1;
            used += bm_word_unquote(&word, text + used, sizeof text - used) + 1;
            count++;
        }
    }
    environ = list;
}
