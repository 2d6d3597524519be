// What the tests of shared mappings print, and how they touch what may not be there.
// SPDX-License-Identifier: MIT
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE };

static long say(const char *text, long result)
{
    if (result < 0)
        printf("%s: error %d\n", text, errno);
    else
        printf("%s: %ld\n", text, result);
    return result;
}

#define SAY(call) say(#call, (errno = 0, (long)(call)))
// Of calls that return an address, which differs.
#define MAP(call) mapped(#call, (errno = 0, (call)))

static char *mapped(const char *text, char *result)
{
    printf("%s: %d\n", text, result == MAP_FAILED ? errno : 0);
    return result;
}

static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t code;

static void on_signal(int signal, siginfo_t *information, void *context)
{
    (void)context;
    code = information->si_code;
    siglongjmp(back, signal);
}

// Which signal a byte's access ends in, with its si_code; 0: none.
static int touch(volatile char *at, bool write)
{
    int signal = sigsetjmp(back, 1);
    if (signal)
        return signal * 10 + code;
    if (write)
        *at = 'w';
    else
        (void)*at;
    return 0;
}

static int file_new(const char *path, long size)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (ftruncate(file, size))
        printf("%s: error %d\n", path, errno);
    return file;
}
