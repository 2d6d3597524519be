// What the files of executable/ share: the executable, its calls, its threads.
// SPDX-License-Identifier: MIT
#pragma once

#include "elf_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The executable in the image, made by toolchain/tools/embed-program: page-aligned, nothing else on its last
// page.
extern const char bm_executable_begin[], bm_executable_end[];

// Behind the addresses of programs: the lower half.
#define BM_EXECUTABLE_END (1ull << 47)

// The registers of a program in a call, as entry.S saves them; from the second group on also of a call that
// changes nothing else.
struct bm_executable_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r9, r8, r10, rdx, rsi, rdi;
    uint64_t number; // %rax at the call
    uint64_t rip, rflags, rsp;
};

// Where an executable stands.
struct bm_executable_loaded {
    struct bm_elf elf;
    uint64_t base;             // of a movable one, added to its addresses; else 0
    uint64_t interpreter_base; // of its dynamic loader; 0: it has none
    uint64_t begin;            // where it begins: in its loader or in itself
    uint64_t stack_end;        // of its first stack
    uint64_t vdso;             // 0: there is none
};

// load.c: makes the address space and maps the executable; ends the machine with a reason when that cannot
// be.
void bm_executable_load(struct bm_executable_loaded *loaded);
extern uint64_t bm_executable_base; // what its addresses are above those of its file

// load.c: the reason why the program cannot run, and the machine's end with status 127.
void bm_executable_refuse(const char *what, const char *why) __attribute__((noreturn));

// vdso.c: maps the shared object with the clocks. Returns its address; 0: there is no memory for it, and
// clocks are calls.
uint64_t bm_executable_vdso_map(void);

// stack.c: writes what a program finds on its first stack. Returns its stack pointer.
uint64_t bm_executable_stack_make(const struct bm_executable_loaded *loaded, int argc, char **argv,
                                  char **environment);

// break.c: sets where the heap that `brk` moves begins. Once, behind the executable.
void bm_executable_break_start(uint64_t begin);
// break.c: the call.
long bm_executable_break(uint64_t wanted);

// entry.S: where SYSCALL enters the kernel.
extern const char bm_executable_entry[];
// entry.S: leaves the kernel for a new program, or for a thread of it with the registers of a frame and %rax
// 0. What stands on the calling stack above is where calls begin from then on: it is never returned to.
void bm_executable_enter(uint64_t entry, uint64_t stack) __attribute__((noreturn));
void bm_executable_enter_frame(const struct bm_executable_frame *frame) __attribute__((noreturn));

// entry.S: calls bm_executable_answer with the vector registers saved; returns what that does.
long bm_executable_call_saved(struct bm_executable_frame *frame);

// entry.S: leaves the kernel with all registers of a frame of an exception.
struct bm_fault_frame;
void bm_executable_leave(const struct bm_fault_frame *frame) __attribute__((noreturn));

// signal.c: whether a call that ends with that result must be left by the second function: signals of the
// thread are ready, or it waits no more for some.
bool bm_executable_signals_due(long result);
void bm_executable_signals_leave(const struct bm_executable_frame *call, long result)
    __attribute__((noreturn));

// signal.c: rt_sigreturn and sigaltstack, which look at the program's stack pointer.
void bm_executable_signals_return(const struct bm_executable_frame *call) __attribute__((noreturn));
long bm_executable_sigaltstack(const struct bm_executable_frame *call);

// call.c: what entry.S calls: classes of calls first.
enum bm_executable_class {
    BM_EXECUTABLE_QUICK =
        1, // has no pointers, never waits, and uses general registers alone: entry.S calls it
    BM_EXECUTABLE_PLAIN = 2,   // never waits nor reaches the network: uses general registers alone
    BM_EXECUTABLE_POINTERS = 4 // has rules in pointers.def
};
enum { BM_EXECUTABLE_NUMBERS = 512 };
extern uint8_t bm_executable_classes[BM_EXECUTABLE_NUMBERS];
void bm_executable_classes_make(void);
long bm_executable_call(struct bm_executable_frame *frame);
long bm_executable_answer(struct bm_executable_frame *frame);

// pointers.c: reads the rules, once. Then whether what the arguments of a call point to can be reached.
void bm_executable_pointers_start(void);
bool bm_executable_pointers_valid(uint64_t number, const uint64_t arguments[6]);

// thread.c: the calling thread is about to end: its word for that (set_tid_address, clone) may be gone.
void bm_executable_thread_ends(void);

// thread.c: clone and clone3.
long bm_executable_clone(const struct bm_executable_frame *frame);
long bm_executable_clone3(const struct bm_executable_frame *frame);
