// What a program finds when it begins: arguments, environment, auxiliary vector, memory of every kind.
// SPDX-License-Identifier: MIT
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static const char constant[] = "constant";
static int initialised = 4711;
static int zeros[100000];
static __thread int own = 17;
extern char **environ;

static void show_vector(void)
{
    const Elf64_Phdr *headers = (const void *)getauxval(AT_PHDR);
    unsigned loads = 0, text = 0;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        loads += headers[i].p_type == PT_LOAD;
        text += headers[i].p_type == PT_LOAD && headers[i].p_flags & PF_X;
    }
    printf("headers of %lu bytes: some to load: %d, with text: %u\n", getauxval(AT_PHENT), loads > 1, text);
    const unsigned char *random = (const void *)getauxval(AT_RANDOM);
    unsigned sum = 0;
    for (int i = 0; i < 16; i++)
        sum |= random[i];
    printf("page %lu, ticks %lu, secure %lu, random %d, platform %s\n", getauxval(AT_PAGESZ),
           getauxval(AT_CLKTCK), getauxval(AT_SECURE), sum != 0, (const char *)getauxval(AT_PLATFORM));
    printf("entry within the program: %d\n", getauxval(AT_ENTRY) != 0);
    printf("user %ld %ld\n", (long)(getauxval(AT_UID) - getuid()), (long)(getauxval(AT_GID) - getgid()));
}

static void show_heap(void)
{
    char *before = sbrk(0);
    if (sbrk(100000) != before)
        printf("sbrk did not return the old break\n");
    memset(before, 1, 100000);
    sbrk(-100000);
    if (sbrk(100000) != before)
        printf("the break did not come back\n");
    printf("break: zeros again %d\n", before[99999] == 0 && before[8192] == 0);
    sbrk(-100000);
    char *large = malloc(3 << 20), *small = malloc(10);
    memset(large, 2, 3 << 20);
    strcpy(small, "small");
    large = realloc(large, 5 << 20);
    printf("%s %d\n", small, large[(3 << 20) - 1]);
    free(large);
    free(small);
}

static void show_mappings(void)
{
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[4096] = 5;
    printf("guard %d\n", mprotect(page, 4096, PROT_NONE));
    printf("contents %d\n", page[4096]);
    char *wanted = (char *)0x200000000000 - 0x1f8000000000; // free, and low enough everywhere
    char *got = mmap(wanted, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("hint %s\n", got == wanted ? "taken" : "not taken");
    printf("unmapped %d %d\n", munmap(got, 4096), munmap(page, 3 * 4096));
    size_t vast = 100ull << 30;
    char *reserved = mmap(NULL, vast, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    printf("reserved %d\n", reserved != MAP_FAILED);
    printf("part of it %d\n", mprotect(reserved + (vast >> 1), 65536, PROT_READ | PROT_WRITE));
    reserved[(vast >> 1) + 65535] = 1;
    munmap(reserved, vast);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    for (char **at = environ; *at; at++)
        printf("variable %s\n", *at);
    printf("%s %d %d %d\n", constant, initialised, zeros[99999], own);
    initialised++;
    own++;
    zeros[5] = 1;
    printf("%d %d %d\n", initialised, zeros[5], own);
    show_vector();
    show_heap();
    show_mappings();
    char name[] = "/tmp/first-XXXXXX";
    int file = mkstemp(name);
    printf("file %d, written %zd\n", file >= 0, write(file, "words\n", 6));
    unlink(name);
    fflush(stdout);
    return 42;
}
