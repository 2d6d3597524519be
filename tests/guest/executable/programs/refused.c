// What is refused here, and not on Linux.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *what, long result)
{
    printf("%s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

int main(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *text = (void *)((unsigned long)main & ~4095ul);
    say("mmap of executable memory",
        (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    say("mprotect of it", mprotect(page, 4096, PROT_READ | PROT_EXEC));
    say("mprotect of text", mprotect(text, 4096, PROT_READ | PROT_WRITE));
    say("mremap of text", (long)mremap(text, 4096, 8192, MREMAP_MAYMOVE));
    say("ARCH_SET_GS", syscall(SYS_arch_prctl, ARCH_SET_GS, page));
    say("fork", syscall(SYS_fork));
    say("a process by clone", syscall(SYS_clone, 17, 0, 0, 0, 0));
    say("execve", syscall(SYS_execve, "/x", NULL, NULL));
    return 0;
}
