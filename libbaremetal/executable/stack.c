// What a program finds on its first stack: its arguments, its environment and the auxiliary vector.
// SPDX-License-Identifier: MIT
//
// psABI section 3.4.1. From the end downwards: the strings and random bytes; the vectors below.
#include "../libc/libc.h"
#include "../linux/linux.h"
#include "../wait/slice.h"
#include "executable.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/random.h>

enum {
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_PLATFORM = 15,
    AT_HWCAP2 = 26,
    AT_SYSINFO_EHDR = 33,
    AT_MINSIGSTKSZ = 51,
    AUXILIARY_MAX = 22,
    SIGNAL_FRAME = 1024 // of a handler: its registers but those of XSAVE
};

static struct stack {
    uint64_t next; // where the next string ends
    uint64_t *words;
    uint64_t *own;  // the same with the kernel's own strings, which the program cannot unmap
    unsigned count; // of words
} first;

// Copies bytes to the stack's end. Returns their address.
static uint64_t push(struct stack *stack, const void *bytes, size_t size)
{
    stack->next -= size;
    __builtin_memcpy((void *)stack->next, bytes, size);
    return stack->next;
}

static uint64_t push_string(struct stack *stack, const char *text)
{
    return push(stack, text, __builtin_strlen(text) + 1);
}

static void add(struct stack *stack, uint64_t word)
{
    stack->own[stack->count] = word;
    stack->words[stack->count++] = word;
}

static void add_string(struct stack *stack, const char *text)
{
    add(stack, push_string(stack, text));
    stack->own[stack->count - 1] = (uint64_t)text;
}

static void add_pair(struct stack *stack, uint64_t type, uint64_t value)
{
    add(stack, type);
    add(stack, value);
}

static void add_strings(struct stack *stack, char **strings)
{
    for (; *strings; strings++)
        add_string(stack, *strings);
}

// The program's own headers; a copy where none of its segments has them.
static uint64_t headers_of(struct stack *stack, const struct bm_executable_loaded *loaded)
{
    enum { HEADER = sizeof(struct linux_program_header) };
    if (loaded->elf.headers)
        return loaded->base + loaded->elf.headers;
    stack->next &= ~7ull;
    return push(stack, bm_executable_begin + loaded->elf.headers_offset, loaded->elf.header_count * HEADER);
}

static void add_auxiliary(struct stack *stack, const struct bm_executable_loaded *loaded, uint64_t name)
{
    uint64_t random[2] = {bm_random_u64(), bm_random_u64()};
    add_pair(stack, LINUX_AT_HWCAP, bm_cpu_id(1, 0).edx);
    add_pair(stack, LINUX_AT_PAGESZ, BM_PAGE_SIZE);
    add_pair(stack, LINUX_AT_CLKTCK, 100);
    add_pair(stack, LINUX_AT_PHDR, headers_of(stack, loaded));
    add_pair(stack, LINUX_AT_PHENT, sizeof(struct linux_program_header));
    add_pair(stack, LINUX_AT_PHNUM, loaded->elf.header_count);
    add_pair(stack, AT_BASE, loaded->interpreter_base);
    add_pair(stack, AT_FLAGS, 0);
    add_pair(stack, AT_ENTRY, loaded->base + loaded->elf.entry);
    add_pair(stack, LINUX_AT_UID, 0);
    add_pair(stack, LINUX_AT_EUID, 0);
    add_pair(stack, LINUX_AT_GID, 0);
    add_pair(stack, LINUX_AT_EGID, 0);
    add_pair(stack, LINUX_AT_SECURE, 0);
    add_pair(stack, LINUX_AT_RANDOM, push(stack, random, sizeof random));
    add_pair(stack, AT_HWCAP2, 0); // not FSGSBASE: the kernel would not know of a new %fs
    add_pair(stack, LINUX_AT_EXECFN, name);
    add_pair(stack, AT_PLATFORM, push_string(stack, "x86_64"));
    add_pair(stack, AT_MINSIGSTKSZ, SIGNAL_FRAME + bm_slice_state_size);
    if (loaded->vdso)
        add_pair(stack, AT_SYSINFO_EHDR, loaded->vdso);
    add_pair(stack, LINUX_AT_NULL, 0);
}

// Memory for the vectors.
static void prepare(struct stack *stack, int argc, char **environment)
{
    size_t count = 1 + (size_t)argc + 1 + 1 + 2 * AUXILIARY_MAX;
    while (*environment++)
        count++;
    stack->words = bm_memory_permanent(2 * count * sizeof *stack->words, sizeof *stack->words);
    if (!stack->words)
        bm_panic("not enough memory for the program's arguments; give the machine more memory");
    stack->own = stack->words + count;
}

uint64_t bm_executable_stack_make(const struct bm_executable_loaded *loaded, int argc, char **argv,
                                  char **environment)
{
    prepare(&first, argc, environment);
    first.next = loaded->stack_end - sizeof(uint64_t); // a word of zeros ends it
    uint64_t name = push_string(&first, argv[0]);
    add(&first, (uint64_t)argc);
    add_strings(&first, argv);
    add(&first, 0);
    add_strings(&first, environment);
    add(&first, 0);
    add_auxiliary(&first, loaded, name);
    uint64_t pointer = (first.next - first.count * sizeof *first.words) & ~15ull;
    __builtin_memcpy((void *)pointer, first.words, first.count * sizeof *first.words);
    return pointer;
}

const uint64_t *bm_linux_first_stack(void)
{
    return &first.own[1];
}
