// The C library on many cores: whole lines on the console, each core's own state, exit handlers in order.
// SPDX-License-Identifier: MIT
// @script libc_cores.py
// @file ../files/tree /files

#include <baremetal/work.h>
#include <math.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { CORES_MAX = 255, ROUNDS = 6400, LINES = 1280 };

static unsigned cores, rounds; // of each core
static atomic_uint arrived;

// All cores begin a part at the same moment, as far as the host lets them.
static void meet(unsigned part)
{
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < part * cores)
        ;
}

// printf and a locked sequence of calls give whole lines; the script looks at them.
static void print_lines(unsigned core)
{
    for (unsigned i = 0; i < LINES / cores; i++) {
        if (i % 2 == 0) {
            printf("line %u %u %.3f %s\n", core, i, core + i / 8.0, "printed at once");
        } else {
            flockfile(stdout);
            fputs("line ", stdout);
            printf("%u ", core);
            putchar_unlocked('0' + (int)(i / 1000 % 10));
            printf("%03u", i % 1000);
            fputs(" printed in pieces\n", stdout);
            funlockfile(stdout);
        }
    }
}

static void check_errno(unsigned core)
{
    for (unsigned i = 0; i < rounds; i++) {
        errno = (int)(1000 + core);
        CHECK(errno == (int)(1000 + core));
        CHECK(isinf(strtod("1e999", NULL)) && errno == ERANGE);
        char c;
        CHECK_ERRNO(read(77 + (int)core % 2, &c, 1), EBADF);
    }
}

// The same seed gives the same numbers on every core, whatever the others draw.
static int reference[50];

static void check_rand(unsigned core)
{
    unsigned state = 42, other = 42;
    for (unsigned round = 0; round < rounds / 50 + 1; round++) {
        srand(42);
        for (unsigned i = 0; i < 50; i++) {
            CHECK(rand() == reference[i]);
            CHECK(rand_r(&state) == rand_r(&other));
        }
        srandom(core + 1);
        long first = random();
        srandom(core + 1);
        CHECK(random() == first);
    }
}

static void check_strings(unsigned core)
{
    for (unsigned i = 0; i < rounds / 10; i++) {
        char text[40], number[20];
        sprintf(text, "%u,%u;%u", core, i, core + i);
        sprintf(number, "%u", core);
        CHECK(strcmp(strtok(text, ",;"), number) == 0);
        sprintf(number, "%u", i);
        CHECK(strcmp(strtok(NULL, ",;"), number) == 0);
        sprintf(number, "%u", core + i);
        CHECK(strcmp(strtok(NULL, ",;"), number) == 0);
        CHECK(strtok(NULL, ",;") == NULL);
    }
}

// Numbers go through printf's and strtod's arithmetic, which in newlib keeps memory in lists.
static void check_numbers(unsigned core)
{
    for (unsigned i = 0; i < rounds / 20; i++) {
        char text[80];
        double value = 1.0 / (core + 3) * pow(10, (double)(i % 40) - 20);
        sprintf(text, "%.17g", value);
        CHECK(strtod(text, NULL) == value);
    }
}

// What these return stands in memory of the core's own.
static void check_times(unsigned core)
{
    for (unsigned i = 0; i < rounds / 20; i++) {
        time_t when = (time_t)core * 86400 * 400 + i;
        struct tm *broken = gmtime(&when), copy, *local;
        CHECK(gmtime_r(&when, &copy) == &copy);
        CHECK(memcmp(broken, &copy, offsetof(struct tm, tm_isdst)) == 0);
        char text[40];
        CHECK(asctime_r(&copy, text) == text);
        CHECK(strcmp(asctime(&copy), text) == 0);
        local = localtime(&when);
        CHECK(local->tm_year == copy.tm_year && local->tm_sec == copy.tm_sec);
        CHECK(mktime(local) == when);
    }
}

// Every core changes a variable of its own and reads one that stays.
static void check_environment(unsigned core)
{
    char name[20];
    sprintf(name, "CORE_%u", core);
    for (unsigned i = 0; i < rounds / 20; i++) {
        char value[60];
        sprintf(value, "%0*u", (int)(i % 50 + 1), core + i);
        CHECK(setenv(name, value, 1) == 0);
        CHECK(getenv(name) != NULL && strcmp(getenv(name), value) == 0);
        CHECK(getenv("STAYS") != NULL && strcmp(getenv("STAYS"), "as it is") == 0);
        if (i % 10 == 9)
            CHECK(unsetenv(name) == 0 && getenv(name) == NULL);
    }
}

// Opening takes a stream and a lock from the C library's lists, closing gives them back.
static void check_files(unsigned core)
{
    for (unsigned i = 0; i < rounds / 100; i++) {
        char text[80];
        FILE *file = fopen("/files/greeting.txt", "r");
        CHECK(file != NULL);
        CHECK(fgets(text, sizeof text, file) == text);
        CHECK(strncmp(text, "Hello", 5) == 0);
        CHECK(ungetc('x', file) == 'x' && getc(file) == 'x');
        CHECK(fclose(file) == 0);
        FILE *memory = fmemopen(text, sizeof text, "w");
        CHECK(memory != NULL);
        CHECK(fprintf(memory, "core %u", core) > 5);
        CHECK(fclose(memory) == 0);
    }
}

// Bytes of the generator, no two the same.
static uint64_t drawn[CORES_MAX][8];

static void check_entropy(unsigned core)
{
    CHECK(getentropy(drawn[core], sizeof drawn[core]) == 0);
}

static void check_all_differ(void)
{
    for (unsigned i = 0; i < cores * 8; i++)
        for (unsigned j = 0; j < i; j++)
            CHECK(drawn[i / 8][i % 8] != drawn[j / 8][j % 8]);
}

// Handlers that the cores give to exit, until it takes no more: each runs once, those of one core in reverse
// order.
static unsigned handled, last_of[CORES_MAX];
static atomic_uint registered;

static void handle(int status, void *arg)
{
    unsigned core = (unsigned)((uintptr_t)arg >> 16), number = (uint16_t)(uintptr_t)arg;
    (void)status;
    if (number + 1 != last_of[core])
        printf("FAILED: handler %u of core %u runs behind %u\n", number, core, last_of[core]);
    last_of[core] = number;
    handled++;
}

static void register_handlers(unsigned core)
{
    unsigned i = 0;
    while (on_exit(handle, (void *)((uintptr_t)core << 16 | i)) == 0)
        i++;
    last_of[core] = i;
    atomic_fetch_add(&registered, i);
}

// Registered first, so it runs last.
static void judge(void)
{
    printf("%u of %u handlers ran\n", handled, atomic_load(&registered));
    if (handled == atomic_load(&registered) && handled >= 28)
        passed();
}

static void (*const parts[])(unsigned core) = {
    check_errno,       check_rand,  check_strings, check_numbers,     check_times,
    check_environment, check_files, check_entropy, register_handlers, print_lines,
};

static void run(void *arg)
{
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        meet(i + 1);
        parts[i]((unsigned)(uintptr_t)arg);
    }
}

int main(void)
{
    static struct bm_work work[CORES_MAX];
    cores = bm_core_count();
    rounds = ROUNDS / cores;
    printf("%u cores\n", cores);
    CHECK(atexit(judge) == 0);
    CHECK(setenv("STAYS", "as it is", 1) == 0);
    srand(42);
    for (unsigned i = 0; i < 50; i++)
        reference[i] = rand();
    for (unsigned core = 0; core < cores; core++) {
        bm_work_init(&work[core], run, (void *)(uintptr_t)core);
        bm_work_submit_on(core, &work[core]);
    }
    for (unsigned core = 0; core < cores; core++)
        bm_work_wait(&work[core]);
    check_all_differ();
    return 0;
}
