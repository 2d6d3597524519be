// Many frames in a row, by numbered scripts of random bytes.
// SPDX-License-Identifier: MIT
//
// A script is the same whenever its number is. The one that is played lies in a file, which stays when the
// process ends: an input for the fuzzer.
#include "frames.h"

#include "machine.h"
#include "memory.h"
#include "steps.h"

#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SCRIPT_MAX = 4096, TELL_EVERY = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const char *__ubsan_default_options(void);

const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}

static uint64_t random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;
    uint64_t mixed = (*state ^ *state >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

static uint64_t number; // of the script

// In each script other things are frequent: some bytes are drawn from a few.
static size_t script_make(uint8_t *bytes)
{
    uint64_t state = number * 0xd1342543de82ef95, favourite = random_next(&state);
    size_t size = 64 + random_next(&state) % (SCRIPT_MAX - 64);
    for (size_t i = 0; i < size; i++) {
        uint64_t draw = random_next(&state);
        bytes[i] = (uint8_t)(draw >> 56);
        if (draw % 16 < favourite % 8)
            bytes[i] = (uint8_t)(favourite >> (8 + draw / 16 % 7 * 8));
    }
    return size;
}

static void failed(void)
{
    fprintf(stderr, "fuzz_lwip: script %llu failed\n", (unsigned long long)number);
}

static void aborted(int signal_number)
{
    (void)signal_number;
    failed();
    _exit(1);
}

static void *script_map(int file)
{
    void *bytes = mmap(NULL, SCRIPT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

static void tell(uint64_t wanted, time_t start)
{
    printf("script %llu: %llu of %llu frames in, %llu out, %lld s; at most %llu steps\n",
           (unsigned long long)number, (unsigned long long)frames_received, (unsigned long long)wanted,
           (unsigned long long)frames_sent, (long long)(time(NULL) - start), (unsigned long long)steps_most);
    fflush(stdout);
}

static _Noreturn void run(const char *program, uint64_t wanted, uint64_t first)
{
    signal(SIGABRT, aborted);
    __sanitizer_set_death_callback(failed);
    char name[512];
    snprintf(name, sizeof name, "%s.failing-frames", program);
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    uint8_t *bytes = script_map(file);
    if (!bytes || ftruncate(file, SCRIPT_MAX)) {
        fprintf(stderr, "fuzz_lwip: %s cannot be written\n", name);
        exit(1);
    }
    printf("a script that fails stays in %s; `frames %llu NUMBER` goes on at a script's number\n", name,
           (unsigned long long)wanted);
    time_t start = time(NULL), told = start;
    for (number = first; frames_received < wanted; number++) {
        size_t size = ftruncate(file, SCRIPT_MAX) == 0 ? script_make(bytes) : 0;
        if (ftruncate(file, (off_t)size) == 0) // within one page, which stays
            LLVMFuzzerTestOneInput(bytes, size);
        if (time(NULL) >= told + TELL_EVERY) {
            told = time(NULL);
            tell(wanted, start);
        }
    }
    tell(wanted, start);
    unlink(name);
    exit(0);
}

void frames_run(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "frames") == 0)
        run(argv[0], strtoull(argv[2], NULL, 10), argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
}
