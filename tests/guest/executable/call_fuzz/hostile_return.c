// Returns from signals that never were: ucontext_t with anything in it. Behind it the thread is to find
// itself in the handler of SIGILL or SIGSEGV.
// SPDX-License-Identifier: MIT
#include "fuzz.h"

// Of a ucontext_t's words: sigaltstack's, the registers', the mask.
enum { STACK = 2, RSP = 20, RIP = 21, FLAGS = 22, STATE = 28, MASK = 37, WORDS = 38 };

// x87 and vector registers as XSAVE has them, with anything in the header and in MXCSR.
static uint64_t state(struct thread *self)
{
    enum { MAGIC_1 = 0x46505853, MAGIC_2 = 0x46505845, SOFTWARE = 464, HEADER = 512 };
    char *area = self->arena + below(self, 3) * PAGE + (below(self, 4) ? 0 : below(self, 8) * 16);
    for (uint64_t *word = (uint64_t *)area; word < (uint64_t *)(area + PAGE); word++)
        *word = below(self, 2) ? 0 : self->random;
    uint32_t *software = (uint32_t *)(area + SOFTWARE);
    if (below(self, 4)) {
        software[0] = MAGIC_1;
        for (unsigned at = HEADER; at < PAGE; at += 4) // wherever it ends
            if (at > HEADER + 64)
                *(uint32_t *)(area + at) = MAGIC_2;
    }
    switch (below(self, 6)) {
    case 0:
        return 0;
    case 1:
        return wild(self);
    case 2:
        return (uint64_t)place(self, 64);
    default:
        return (uint64_t)area;
    }
}

void hostile_return(struct thread *self)
{
    extern const char undefined[];
    uint64_t *words = (uint64_t *)(self->arena + 5 * PAGE);
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = below(self, 2) ? wild(self) : self->random;
    words[STACK] = (uint64_t)self + PAGE;
    words[STACK + 1] = 0;
    words[STACK + 2] = SIGNAL_STACK;
    words[RIP] = below(self, 2)   ? (uint64_t)undefined
                 : below(self, 2) ? wild(self) | 1ull << 47
                                  : (uint64_t)self->arena;
    words[RSP] = below(self, 2) ? wild(self) : (uint64_t)place(self, 8);
    words[STATE] = state(self);
    words[MASK] = self->random & ~0xcd8ull; // not those of faults, nor KICK
    if (!below(self, 8))
        words[13] = -512ull - below(self, 4); // %rax: what the kernel has for calls that begin again
    __asm__ volatile("movq %0, %%rsp\n\tmovl $15, %%eax\n\tsyscall\n\tud2" : : "r"(words) : "memory");
    __builtin_unreachable();
}

__asm__(".text\n"
        "undefined: ud2\n"
        ".globl restorer\n"
        "restorer: movl $15, %eax\n"
        "syscall\n");
