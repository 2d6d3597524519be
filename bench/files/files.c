// What programs do with files on a disk, on our machine and on Linux: seconds of each job, instructions
// between markers.
// SPDX-License-Identifier: MIT
//
// Lines on standard input: a job and how often, or `quit`. The disk is mounted on /data.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../marker.h"
#include "files.h"

#define LARGE "/data/large"
#define SMALL "/data/small"

enum { PAGE = 4096, MIB = 1 << 20, MARKER_BEGIN = 1, MARKER_END = 2 };

static char buffer[MIB];
static uint64_t random_state = 1;

_Noreturn void files_fail(const char *what)
{
    printf("FAILED: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static unsigned random_below(unsigned most)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((random_state >> 33) % most);
}

static int file_open(const char *path, int flags)
{
    int file = open(path, flags, 0644);
    if (file < 0)
        files_fail(path);
    return file;
}

static void file_end(int file, int save)
{
    if ((save && fsync(file)) || close(file))
        files_fail("the end of a file");
}

// So many MiB, in pieces of one, and on the disk.
static void job_write(unsigned count)
{
    int file = file_open(LARGE, O_WRONLY | O_CREAT | O_TRUNC);
    for (unsigned i = 0; i < count; i++)
        if (write(file, buffer, MIB) != MIB)
            files_fail(LARGE);
    file_end(file, 1);
}

static void job_read(unsigned count)
{
    int file = file_open(LARGE, O_RDONLY);
    for (unsigned i = 0; i < count; i++)
        if (read(file, buffer, MIB) != MIB)
            files_fail(LARGE);
    file_end(file, 0);
}

static unsigned pages_of(int file)
{
    struct stat status;
    if (fstat(file, &status) || status.st_size < PAGE)
        files_fail(LARGE);
    return (unsigned)(status.st_size / PAGE);
}

static void job_random(unsigned count)
{
    int file = file_open(LARGE, O_RDONLY);
    unsigned pages = pages_of(file);
    for (unsigned i = 0; i < count; i++)
        if (pread(file, buffer, PAGE, (off_t)random_below(pages) * PAGE) != PAGE)
            files_fail(LARGE);
    file_end(file, 0);
}

static void job_overwrite(unsigned count)
{
    int file = file_open(LARGE, O_WRONLY);
    unsigned pages = pages_of(file);
    for (unsigned i = 0; i < count; i++)
        if (pwrite(file, buffer, PAGE, (off_t)random_below(pages) * PAGE) != PAGE)
            files_fail(LARGE);
    file_end(file, 1);
}

static void job_append(unsigned count)
{
    int file = file_open("/data/log", O_WRONLY | O_CREAT | O_APPEND);
    for (unsigned i = 0; i < count; i++)
        if (write(file, buffer, PAGE) != PAGE || fsync(file))
            files_fail("/data/log");
    file_end(file, 0);
}

static void names(unsigned count, int make)
{
    char path[40];
    if (make && mkdir("/data/many", 0755) && errno != EEXIST)
        files_fail("/data/many");
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/data/many/file-%06u", i);
        if (make ? close(file_open(path, O_WRONLY | O_CREAT | O_EXCL)) : unlink(path))
            files_fail(path);
    }
    file_end(file_open("/data/many", O_RDONLY | O_DIRECTORY), 1);
}

static void job_create(unsigned count)
{
    names(count, 1);
}

static void job_unlink(unsigned count)
{
    names(count, 0);
}

static void small_make(void)
{
    int file = file_open(SMALL, O_WRONLY | O_CREAT | O_TRUNC);
    if (write(file, buffer, PAGE) != PAGE)
        files_fail(SMALL);
    file_end(file, 0);
}

static void job_cached(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int file = open(SMALL, O_RDONLY);
        if (read(file, buffer, PAGE) != PAGE)
            files_fail(SMALL);
        close(file);
    }
}

#ifdef SQLITE
#define job_sqlite files_sqlite
#else
static void job_sqlite(unsigned count)
{
    (void)count;
    errno = ENOSYS;
    files_fail("SQLite");
}
#endif

static const struct {
    const char *name;
    void (*job)(unsigned count);
} jobs[] = {{"write", job_write},         {"read", job_read},     {"random", job_random},
            {"overwrite", job_overwrite}, {"append", job_append}, {"create", job_create},
            {"unlink", job_unlink},       {"cached", job_cached}, {"sqlite", job_sqlite}};

static void job_run(const char *name, unsigned count)
{
    struct timespec begin, end;
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(jobs[i].name, name))
            continue;
        if (jobs[i].job == job_cached) { // once before, so that it is
            small_make();
            job_cached(10);
        }
        clock_gettime(CLOCK_MONOTONIC, &begin);
        BM_MARKER(MARKER_BEGIN);
        jobs[i].job(count);
        BM_MARKER(MARKER_END);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("{\"command\": \"%s\", \"seconds\": %.6f}\n", name,
               (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9);
        return;
    }
    printf("FAILED: there is no job %s\n", name);
    exit(EXIT_FAILURE);
}

int main(void)
{
    char line[80], name[20];
    unsigned count;
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(buffer, 'x', sizeof buffer);
    if (access("/data/lost+found", F_OK))
        files_fail("/data");
    puts("{\"command\": \"ready\"}");
    while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4))
        if (sscanf(line, "%19s %u", name, &count) == 2)
            job_run(name, count);
    return 0;
}
