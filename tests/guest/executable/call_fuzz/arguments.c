// The arguments of calls.
// SPDX-License-Identifier: MIT
#include "fuzz.h"

uint64_t wild(struct thread *self)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       7,
                                       8,
                                       4095,
                                       4096,
                                       65535,
                                       65536,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       1ull << 32,
                                       1ull << 40,
                                       (1ull << 47) - 1,
                                       (1ull << 47) - 8,
                                       1ull << 47,
                                       (1ull << 47) - PAGE,
                                       1ull << 48,
                                       1ull << 63,
                                       0x7fffffffffffffff,
                                       0x7ffffffffffff000,
                                       -1ull,
                                       -2ull,
                                       -8ull,
                                       -4095ull,
                                       -4096ull,
                                       -100ull,
                                       0xffff800000000000,
                                       0xffffffff80000000,
                                       0xffffffff80200000,
                                       0x8000000000000000,
                                       0xdead000000000000};
    switch (below(self, 4)) {
    case 0:
        return below(self, 64);
    case 1:
        return 1ull << below(self, 64);
    case 2:
        return self->random & ~(3ull << 36); // nobody stands there: not the program, its stack, its mappings
    default:
        return numbers[below(self, sizeof numbers / sizeof *numbers)];
    }
}

bool is_arena(const struct thread *self, uint64_t address)
{
    return address - (uint64_t)self->arena + PAGE < ARENA + PAGE;
}

char *place(struct thread *self, uint64_t size)
{
    static const uint8_t ends[] = {READ_ONLY, NO_ACCESS, NOT_THERE, ARENA_PAGES, READ_ONLY + 1};
    uint64_t end = PAGE * ends[below(self, sizeof ends)];
    switch (below(self, 8)) {
    case 0: // across a border, whatever is there
        return self->arena + end - below(self, size + 1);
    case 1:
        return self->arena + end - size;
    case 2:
        return self->arena + READ_ONLY * PAGE + below(self, 64);
    case 3:
        return self->arena + NO_ACCESS * PAGE + below(self, PAGE);
    case 4:
        return self->arena + below(self, 4 * PAGE); // not aligned
    default:
        return self->arena + below(self, 512) * 16;
    }
}

static bool is_written(const struct thread *self, const void *address, uint64_t size)
{
    uint64_t begin = (uint64_t)((const char *)address - self->arena);
    return begin < READ_ONLY * PAGE && begin + size <= READ_ONLY * PAGE;
}

void fill(struct thread *self, uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        switch (below(self, 6)) {
        case 0:
            words[i] = below(self, 40);
            break;
        case 1:
            words[i] = (uint64_t)place(self, 64);
            break;
        case 2:
            words[i] = wild(self);
            break;
        case 3:
            words[i] = below(self, 40) << 32 | below(self, 40);
            break;
        default:
            words[i] = below(self, 300);
        }
}

// Where words of that number stand that the arguments lead to; elsewhere sometimes.
static uint64_t *words_at(struct thread *self, unsigned count)
{
    char *at = place(self, count * 8);
    if (!is_written(self, at, count * 8ull)) // what stands there must do
        return (uint64_t *)at;
    fill(self, (uint64_t *)at, count);
    return (uint64_t *)at;
}

// … that are always there, on a page of their own, where nothing that is drawn later overwrites them.
static uint64_t *words_made(struct thread *self, unsigned count)
{
    uint64_t *at = (uint64_t *)(self->arena + 6 * PAGE + self->made++ % 64 * 64);
    fill(self, at, count);
    return at;
}

static uint64_t path(struct thread *self)
{
    static const char paths[][24] = {"/",
                                     ".",
                                     "..",
                                     "/tmp",
                                     "/tmp/a",
                                     "/tmp/b",
                                     "/tmp/c/d",
                                     "/tmp/c",
                                     "/dev/null",
                                     "/dev/zero",
                                     "/dev/random",
                                     "/dev",
                                     "",
                                     "/none",
                                     "/tmp/a/",
                                     "/tmp/../tmp/b",
                                     "/proc/self/fd/5",
                                     "//tmp//e",
                                     "user.name",
                                     "/tmp/fifo",
                                     "/etc/hosts",
                                     "e",
                                     "/proc",
                                     "/proc/self/maps",
                                     "/q"};
    const char *text = paths[below(self, sizeof paths / sizeof *paths)];
    uint64_t length = 0;
    while (text[length])
        length++;
    char *at = place(self, length + 1);
    if (!is_written(self, at, length + 1))
        return (uint64_t)at;
    for (uint64_t i = 0; i <= length; i++)
        at[i] = text[i];
    if (!below(self, 16)) // goes on to the end of the page
        for (uint64_t i = length; is_written(self, at + i, 1); i++)
            at[i] = 'x';
    return (uint64_t)at;
}

static uint64_t pieces(struct thread *self)
{
    uint64_t *words = words_at(self, 8);
    if (is_written(self, words, 64))
        for (unsigned i = 0; i < 8; i += 2) {
            words[i] = below(self, 6) ? (uint64_t)place(self, 64) : wild(self);
            words[i + 1] = below(self, 6) ? below(self, 200) : wild(self);
        }
    return (uint64_t)words;
}

static uint64_t message(struct thread *self)
{
    uint64_t *words = words_at(self, 8);
    if (is_written(self, words, 64)) {
        words[0] = below(self, 2) ? 0 : (uint64_t)place(self, 110);
        words[1] = below(self, 120);
        words[2] = pieces(self);
        words[3] = below(self, 5);
        words[4] = below(self, 2) ? 0 : (uint64_t)place(self, 64);
        words[5] = below(self, 65);
        if (words[4] && is_written(self, (void *)words[4], 24)) { // a control message
            uint32_t *control = (uint32_t *)words[4];
            control[0] = (uint32_t)below(self, 40);
            control[1] = 0;
            control[2] = (uint32_t)below(self, 2); // SOL_SOCKET
            control[3] = (uint32_t)below(self, 3); // SCM_RIGHTS
            control[4] = (uint32_t)below(self, 40);
        }
    }
    return (uint64_t)words;
}

static uint64_t socket_address(struct thread *self)
{
    uint64_t *words = words_at(self, 14);
    if (!is_written(self, words, 112))
        return (uint64_t)words;
    switch (below(self, 4)) {
    case 0: // 127.0.0.1
        words[0] = 2 | (0x1f90 + below(self, 4) * 256) << 16 | 0x0100007full << 32;
        break;
    case 1:
        words[0] = 1 | '/' << 16 | 's' << 24 | ('0' + below(self, 4)) << 32;
        break;
    case 2:
        words[0] = 16 | below(self, 3) << 32;
        break;
    default:
        words[0] = (words[0] & ~0xffffull) | below(self, 20);
    }
    return (uint64_t)words;
}

static uint64_t time_of(struct thread *self, unsigned count)
{
    uint64_t *words = words_at(self, count);
    if (is_written(self, words, count * 8ull) && below(self, 4))
        for (unsigned i = 0; i < count; i += 2) {
            words[i] = 0;
            words[i + 1] = 1000000 + below(self, 3000000);
        }
    return (uint64_t)words;
}

static uint64_t signals(struct thread *self)
{
    uint64_t *words = words_made(self, 1);
    *words = (self->random | wild(self)) & ~NEVER;
    return below(self, 8)   ? (uint64_t)words
           : below(self, 2) ? 0
                            : (uint64_t)(self->arena + NOT_THERE * PAGE - 4 + below(self, 8));
}

static uint64_t signals_and_size(struct thread *self)
{
    uint64_t *words = words_made(self, 2);
    words[0] = signals(self);
    words[1] = below(self, 8) ? 8 : wild(self);
    return (uint64_t)words;
}

static uint64_t action(struct thread *self)
{
    enum { ON_STACK = 0x08000000, RESTORER = 0x04000000 };
    uint64_t *words = words_made(self, 4);
    words[0] = below(self, 3) ? (uint64_t)handler : 1;
    words[1] = (self->random & 0x50000004) | ON_STACK | RESTORER;
    words[2] = (uint64_t)restorer;
    words[3] = self->random & ~NEVER;
    return below(self, 8) ? (uint64_t)words : (uint64_t)(self->arena + NOT_THERE * PAGE - below(self, 2) * 8);
}

static uint64_t signal_stack(struct thread *self)
{
    uint64_t *words = words_made(self, 3);
    words[0] = (uint64_t)self->arena + below(self, 2) * PAGE * 8;
    words[1] = below(self, 4) ? 0 : below(self, 8);
    words[2] = below(self, 4) ? 0 : wild(self) & 0xfff; // too small, all of them
    return below(self, 8) ? (uint64_t)words : (uint64_t)(self->arena + NOT_THERE * PAGE - 8);
}

static uint64_t descriptor(struct thread *self)
{
    uint64_t number = below(self, 10) ? below(self, 34) : wild(self);
    return (uint32_t)number == CONSOLE ? 0 : number;
}

static uint64_t one_of(struct thread *self, const uint32_t *from, unsigned count)
{
    return below(self, 10) ? from[below(self, count)] : wild(self);
}

static uint64_t number_of(struct thread *self, char letter)
{
    static const uint32_t requests[] = {
        0x5401, 0x5402, 0x5403, 0x540b, 0x540e, 0x540f,     0x5410,     0x5411, 0x5413, 0x5414,
        0x541b, 0x5421, 0x5450, 0x5451, 0x5452, 0x8910,     0x8912,     0x8913, 0x8914, 0x8915,
        0x891b, 0x8921, 0x8927, 0x8933, 0x8942, 0x80045432, 0x80086601, 0x5429, 0x8904, 0x8905};
    static const uint32_t commands[] = {0,  1,  2,  3,  4,  5,    6,    7,    8,    9,    10,   11,
                                        15, 16, 36, 37, 38, 1024, 1025, 1030, 1031, 1032, 1033, 1034};
    static const uint32_t families[] = {1, 2, 10, 16, 17},
                          types[] = {1, 2, 3, 5, 2049, 2050, 526337, 524290, 1, 2};
    static const uint32_t levels[] = {0, 1, 1, 6, 17, 41, 255, 263, 270, 282};
    static const uint32_t opens[] = {0,       1,        2,        0x41,  0x42,    0x242, 0x442,
                                     0x10000, 0x200000, 0x410002, 0x801, 0x20000, 0xc2,  0x4000};
    static const uint64_t places[] = {
        0, PAGE, 1ull << 47, (1ull << 47) - PAGE, 0xffff800000000000, 0xffffffff80000000, -4096ull};
    switch (letter) {
    case 'I':
        return one_of(self, requests, sizeof requests / 4);
    case 'F':
        return one_of(self, commands, sizeof commands / 4);
    case 'D':
        return one_of(self, families, sizeof families / 4);
    case 'Y':
        return one_of(self, types, sizeof types / 4);
    case 'G':
        return one_of(self, levels, sizeof levels / 4);
    case 'h':
        return one_of(self, opens, sizeof opens / 4);
    case 'n':
    case 'L':
        return below(self, 10) ? below(self, below(self, 2) ? 64 : 8000) : wild(self);
    case 'k':
        return below(self, 10) ? below(self, 9) : wild(self);
    case 'z':
        return below(self, 16) ? 8 : wild(self);
    case 'S':
        return below(self, 10) ? below(self, 65) : wild(self);
    case 'g':
        return below(self, 80);
    case 'c':
        return below(self, 12) - 1;
    case 'o':
        return below(self, 2)   ? 0
               : below(self, 2) ? 1ull << below(self, 24)
                                : 1ull << below(self, 24) | 1ull << below(self, 24);
    case 'O':
        return below(self, 4) ? below(self, 20000) : wild(self);
    case 'P':
        return below(self, 4) ? below(self, 12) : wild(self);
    case 'U':
        return below(self, 14) | (below(self, 2) ? 128 : 0) | (below(self, 4) ? 0 : 256);
    case 'A': // the kernel's, and nobody's, too
        if (!below(self, 12))
            return places[below(self, sizeof places / sizeof *places)];
        return (uint64_t)self->arena + below(self, ARENA_PAGES) * PAGE;
    case 'N':
        return below(self, 6) * PAGE + (below(self, 8) ? 0 : below(self, PAGE));
    default:
        return below(self, 8) ? below(self, 8) : wild(self);
    }
}

uint64_t argument(struct thread *self, char letter)
{
    switch (letter) {
    case 'd':
        return below(self, 2) ? -100ull : descriptor(self);
    case 'f':
        return descriptor(self);
    case 'p':
        return path(self);
    case 'b':
    case 'e':
    case 'q':
    case 'E':
        return (uint64_t)words_at(self, 8);
    case 'u':
        return (uint64_t)words_at(self, 1) + (below(self, 8) ? 0 : 2);
    case 'l':
        *words_made(self, 1) = below(self, 3) ? below(self, 128) : wild(self);
        return below(self, 3) ? (uint64_t)words_at(self, 1) : (uint64_t)words_made(self, 1);
    case 'v':
        return pieces(self);
    case 'm':
    case 'M':
        return message(self);
    case 'a':
        return socket_address(self);
    case 't':
        return time_of(self, 2);
    case 'T':
        return time_of(self, 4);
    case 's':
        return signals(self);
    case 'y':
        return signals_and_size(self);
    case 'x':
        return action(self);
    case 'K':
        return signal_stack(self);
    default:
        return number_of(self, letter);
    }
}
