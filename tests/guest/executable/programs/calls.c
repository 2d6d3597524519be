// The SYSCALL instruction itself: which registers it keeps, what it says of bad addresses and of calls that
// are not there.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void say(const char *what, long result)
{
    printf("%s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

// Each register but %rax, %rcx and %r11 has a value before the call and is compared behind it; so are the red
// zone and vector registers. Returns a mask of what changed.
long kept(long number, long first, long second, long third);
__asm__(".text\n"
        ".globl kept\n"
        "kept:\n"
        "pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
        "movq %rdi, %rax; movq %rsi, %rdi; movq %rdx, %rsi; movq %rcx, %rdx\n"
        "movq $0x1122334455667788, %r10; movq %r10, %r8; movq %r10, %r9; movq %r10, %rbx; movq %r10, %rbp\n"
        "movq %r10, %r12; movq %r10, %r13; movq %r10, %r14; movq %r10, %r15\n"
        "pushq %rdi; pushq %rsi; pushq %rdx\n"
        "xorl %r10d, %r10d; xorl %r8d, %r8d; xorl %r9d, %r9d\n"
        "movq %r12, -8(%rsp); movq %r12, -128(%rsp); movq %r12, -64(%rsp)\n"
        "movq %r12, %xmm0; movq %r12, %xmm7; movq %r12, %xmm15; fld1\n"
        "movq %rsp, saved(%rip)\n"
        "stc; std\n"
        "syscall\n"
        "1: setc carry(%rip)\n"
        "pushfq; popq flags(%rip)\n"
        "cld\n"
        "movq %rcx, returned(%rip)\n"
        "leaq 1b(%rip), %rcx; movq %rcx, wanted(%rip)\n"
        "xorl %eax, %eax; movq $0x1122334455667788, %rcx\n"
        ".irp register, rbx, rbp, r12, r13, r14, r15\n"
        "addq %rax, %rax; cmpq %rcx, %\\register; je 2f; incq %rax; 2:\n"
        ".endr\n"
        ".irp register, xmm0, xmm7, xmm15\n"
        "addq %rax, %rax; movq %\\register, %r11; cmpq %rcx, %r11; je 2f; incq %rax; 2:\n"
        ".endr\n"
        ".irp place, -64, -128\n" // (pushfq has used what is next to the stack)
        "addq %rax, %rax; cmpq %rcx, \\place(%rsp); je 2f; incq %rax; 2:\n"
        ".endr\n"
        ".irp register, r10, r8, r9\n"
        "addq %rax, %rax; testq %\\register, %\\register; je 2f; incq %rax; 2:\n"
        ".endr\n"
        "addq %rax, %rax; cmpq %rsp, saved(%rip); je 2f; incq %rax; 2:\n"
        "popq %rcx; addq %rax, %rax; cmpq %rcx, %rdx; je 2f; incq %rax; 2:\n"
        "popq %rcx; addq %rax, %rax; cmpq %rcx, %rsi; je 2f; incq %rax; 2:\n"
        "popq %rcx; addq %rax, %rax; cmpq %rcx, %rdi; je 2f; incq %rax; 2:\n"
        "fstps one(%rip)\n"
        "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
        "ret\n"
        ".local saved, carry, flags, returned, wanted, one\n"
        ".comm saved, 8; .comm carry, 1; .comm flags, 8; .comm returned, 8; .comm wanted, 8; .comm one, 4\n");
extern uint64_t flags_of(void);
__asm__("flags_of: movq flags(%rip), %rax; ret\n"
        "carry_of: movzbl carry(%rip), %eax; ret\n"
        "place_of: movq returned(%rip), %rax; subq wanted(%rip), %rax; ret\n"
        "one_of: movl one(%rip), %eax; ret\n");
extern int carry_of(void), one_of(void);
extern long place_of(void);

static void show_registers(const char *name, long number, long first, long second, long third)
{
    long changed = kept(number, first, second, third);
    printf("%s: changed %lx, carry %d, direction %d, back at %ld, x87 %x\n", name, (unsigned long)changed,
           carry_of(), (int)(flags_of() >> 10 & 1), place_of(), one_of());
}

static void show_addresses(void)
{
    char *page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    void *bad[] = {NULL,
                   (void *)8,
                   page + 4096,
                   page + 4090,
                   (void *)0x7ffffffffff0,
                   (void *)0x800000000000,
                   (void *)-4096l,
                   (void *)0xffff800000000000,
                   (void *)0xffffe00000001000};
    int pipes[2];
    if (pipe(pipes))
        return;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct iovec piece = {bad[i], 16};
        printf("address %u\n", i);
        say("  write", syscall(SYS_write, pipes[1], bad[i], 16));
        say("  writev", syscall(SYS_writev, pipes[1], &piece, 1));
        say("  pieces", syscall(SYS_writev, pipes[1], bad[i], 2));
        if (i != 3) // (Linux writes the bytes that it can)
            say("  getrandom", syscall(SYS_getrandom, bad[i], 16, 0));
        say("  clock_gettime", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i]));
        say("  newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "/", bad[i], 0));
        say("  pipe", syscall(SYS_pipe, bad[i]));
        if (bad[i])
            say("  nanosleep", syscall(SYS_nanosleep, bad[i], NULL));
        if (i != 3) // (a string may begin there)
            say("  chdir", syscall(SYS_chdir, bad[i]));
    }
    memset(page, 'x', 4096);
    say("endless path", syscall(SYS_chdir, page + 4000));
    page[4095] = 0;
    say("path to the end of its page", syscall(SYS_chdir, page + 4000));
    mprotect(page, 4096, PROT_READ);
    say("read into what is read-only", syscall(SYS_getrandom, page, 16, 0));
    say("write of it", syscall(SYS_write, pipes[1], page, 16));
    say("read into text", syscall(SYS_getrandom, (void *)show_addresses, 16, 0));
    say("write of text", syscall(SYS_write, pipes[1], (void *)show_addresses, 16));
    mprotect(page, 4096, PROT_NONE);
    say("write of nothing that has access", syscall(SYS_write, pipes[1], page, 16));
    say("no bytes", syscall(SYS_write, pipes[1], page, 0));
}

// A message for which there is no place, though there is said to be plenty.
static void show_message(void)
{
    struct {
        long type;
        char text[64];
    } message = {1, "text"};
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int queue = msgget(IPC_PRIVATE, 0600);
    munmap(pages + 4096, 4096);
    for (size_t size = 64; size <= 64 << 20; size <<= 10) {
        say("msgsnd", msgsnd(queue, &message, sizeof message.text, 0));
        say("msgrcv to what ends before it", msgrcv(queue, pages + 4096 - 16, size, 0, IPC_NOWAIT));
    }
    msgctl(queue, IPC_RMID, NULL);
    munmap(pages, 4096);
}

int main(void)
{
    char byte;
    int pipes[2];
    struct timespec time = {0, 1000};
    if (pipe(pipes))
        return 1;
    show_registers("getppid", SYS_getppid, 0, 0, 0);
    show_registers("clock_gettime", SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0);
    time = (struct timespec){0, 20000000};
    show_registers("nanosleep", SYS_nanosleep, (long)&time, 0, 0);
    show_registers("write", SYS_write, pipes[1], (long)"x", 1);
    show_registers("read", SYS_read, pipes[0], (long)&byte, 1);
    show_registers("sched_yield", SYS_sched_yield, 0, 0, 0);
    show_registers("a bad address", SYS_write, pipes[1], 8, 1);
    show_addresses();
    show_message();
    say("a number that nothing has", syscall(1000));
    say("-1", syscall(-1));
    say("PR_GET_CHILD_SUBREAPER at a bad address", syscall(SYS_prctl, 37, 8, 0, 0, 0));
    say("PR_SET_KEEPCAPS", syscall(SYS_prctl, 8, 1, 0, 0, 0));
    uint64_t pointer = 0;
    say("ARCH_GET_FS", syscall(SYS_arch_prctl, ARCH_GET_FS, &pointer));
    printf("it is the thread's: %d\n", *(uint64_t *)pointer == pointer);
    say("ARCH_SET_FS of no address of programs", syscall(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000));
    return 0;
}
