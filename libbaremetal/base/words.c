// Splitting a command line into words.
// SPDX-License-Identifier: MIT
#include "words.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_spaces(const char *text)
{
    while (is_space(*text))
        text++;
    return text;
}

bool bm_word_next(const char **line, struct bm_word *word)
{
    const char *at = skip_spaces(*line);
    *word = (struct bm_word){.key = at};
    bool quoted = false;
    for (; *at && (quoted || !is_space(*at)); at++) {
        if (*at == '"')
            quoted = !quoted;
        if (*at == '=' && !word->value) {
            word->key_size = (size_t)(at - word->key);
            word->value = at + 1;
        }
    }
    if (word->value)
        word->value_size = (size_t)(at - word->value);
    else
        word->key_size = (size_t)(at - word->key);
    *line = at;
    if (!word->key_size && !word->value)
        return false;
    if (!word->value && word->key_size == 2 && word->key[0] == '-' && word->key[1] == '-') {
        *line = skip_spaces(at);
        return false;
    }
    return true;
}

size_t bm_word_unquote(const struct bm_word *word, char *out, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < word->value_size; i++) {
        if (word->value[i] == '"')
            continue;
        if (size && length < size - 1)
            out[length] = word->value[i];
        length++;
    }
    if (size)
        out[length < size ? length : size - 1] = 0;
    return length;
}
