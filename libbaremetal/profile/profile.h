// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include "../time/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// table.c: the samples of one core, added up by stack. Written by its core alone, in a handler; read by any.
struct bm_profile_table;
enum { BM_PROFILE_DEPTH_MAX = 32 };

// A new one, NULL when memory is short.
struct bm_profile_table *bm_profile_table_make(void);
// Counts a stack, innermost address first, 1 to BM_PROFILE_DEPTH_MAX of them.
void bm_profile_table_add(struct bm_profile_table *table, const uint64_t *stack, unsigned depth);
// One stack that was counted.
struct bm_profile_stack {
    uint64_t count;
    unsigned depth;
    const uint64_t *addresses; // innermost first
};
// The stack at *place (0 at first), which moves on. Returns false behind the last one.
bool bm_profile_table_next(const struct bm_profile_table *table, size_t *place,
                           struct bm_profile_stack *stack);
// Samples for whose stacks no room was left.
uint64_t bm_profile_table_others(const struct bm_profile_table *table);

// profile.c: of each core that is sampled; NULL: no such core.
struct bm_profile_table *bm_profile_table_of(unsigned core);
uint64_t bm_profile_asleep(unsigned core); // samples in which it slept

// report.c: as bm_profile_read; with `named`, each line begins with "profile: ".
int bm_profile_lines(bool named, void (*take)(void *arg, const char *line, size_t size), void *arg);

// entry.S, and whom it calls in the handler: a core is to look where it is.
extern const char bm_profile_entry[];
void bm_profile_sample(const struct bm_interrupted *where, uint64_t rbp);
// entry.S: reads a word that may not be there; returns whether it was. walk.c has its faults taken.
bool bm_profile_load(uint64_t address, uint64_t *word);
extern const char bm_profile_load_failed[];
void bm_profile_walk_start(void);
