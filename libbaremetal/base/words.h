// Splitting a command line into words. No other state than the caller's, so that host tests can run it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>

// A word of a command line: key and, behind `=`, value. Quotes (") around parts of the value are still in it.
struct bm_word {
    const char *key;
    size_t key_size;
    const char *value; // NULL when there is no `=`
    size_t value_size;
};

// Takes the next word at *line and moves *line behind it. Returns false at the end of the line or at a word
// `--`; *line then stands behind that word and the spaces that follow it.
bool bm_word_next(const char **line, struct bm_word *word);

// Copies a value without its quotes into out[size], always terminated; returns its full length.
size_t bm_word_unquote(const struct bm_word *word, char *out, size_t size);
