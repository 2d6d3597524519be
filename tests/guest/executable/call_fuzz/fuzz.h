// What the files of the fuzzer share. It has no C library: %fs is one of the things that it puts anywhere.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum {
    PAGE = 4096,
    ARENA_PAGES = 24,
    ARENA = ARENA_PAGES * PAGE,
    READ_ONLY = 8, // pages of the arena: that one, one without access, one that is not there
    NO_ACCESS = 12,
    NOT_THERE = 16,
    BLOCK = 1 << 18, // of each thread, a multiple of that: its structure, its stack for signals, its stack
    SIGNAL_STACK = 1 << 17,
    CONSOLE = 90, // the descriptor for what the fuzzer says, which no call gets
    KICK = 12     // the signal that ends a call that waits
};

struct thread {
    uint64_t random;
    char *arena;
    void *back[5]; // of __builtin_setjmp
    bool has_back;
    int number, id;
    unsigned made; // structures of arguments.c
    _Atomic(bool) done;
    _Atomic(uint64_t) calls;
    uint64_t call, arguments[6]; // the one that it is in
};

extern char blocks[][BLOCK];

static inline struct thread *thread_self(void)
{
    return (struct thread *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(BLOCK - 1));
}

static inline long call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                         uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (long)number;
}

static inline long call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    return call6(number, a, b, c, 0, 0, 0);
}

// A number of 0 to limit - 1, the next of the thread.
static inline uint64_t below(struct thread *self, uint64_t limit)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return (self->random * 0x2545f4914f6cdd1d >> 11) % limit;
}

// A number that overflows something, an address that is nobody's.
uint64_t wild(struct thread *self);

// Signals that must not be blocked: KICK, and those of faults.
#define NEVER (1ull << (KICK - 1) | 1ull << 3 | 1ull << 4 | 1ull << 6 | 1ull << 7 | 1ull << 10)

// Draws the argument that a letter of signatures.h names.
uint64_t argument(struct thread *self, char letter);

// Draws the arguments of `self->call`; false: that one is left out. The reasons stand there.
bool draw(struct thread *self);

// An address in the arena, at its pages' ends more often, before which `size` bytes can be written, if it can
// be written at all.
char *place(struct thread *self, uint64_t size);
bool is_arena(const struct thread *self, uint64_t address);

// Fills bytes of the arena with what calls look for: small numbers, descriptors, addresses.
void fill(struct thread *self, uint64_t *words, unsigned count);

// hostile_return.c: returns from a signal that never was.
void hostile_return(struct thread *self);

// main.c: whether an address is this program's, to be written.
bool is_own(uint64_t address);
void handler(int signal, const int *information, void *context);
extern const char restorer[];
