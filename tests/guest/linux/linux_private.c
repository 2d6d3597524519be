// Private mappings of files, and mappings that move, under musl: results, errors, contents and signals are
// those of Linux, where this source runs, too; also while other cores write what is mapped.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @smp 2
// @link tmpfs procfs
// @expect ^races: 0$
// @expect ^PASS$
#include "linux_shared.h"

#include <sys/socket.h>
#include <sys/uio.h>

// Changes of the file are seen until a page is written; the file never sees those of the mapping.
static void test_contents(void)
{
    char text[8] = "";
    int file = file_new("private_a", 3 * PAGE);
    char *shared = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, file, 0);
    char *at = MAP(mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, file, 0));
    strcpy(shared, "before");
    printf("read: %s\n", at);
    SAY(pwrite(file, "after", 6, 0));
    printf("read: %s\n", at);
    at[1] = 'F';
    strcpy(shared, "file");
    printf("written: %s, file: %s\n", at, shared);
    at[PAGE] = 'p';
    SAY(pread(file, text, 1, PAGE));
    printf("in the file: %d, %c, beside: %d\n", text[0], at[PAGE], at[PAGE + 1]);
    strcpy(shared + 2 * PAGE, "third");
    SAY(mprotect(at, 3 * PAGE, PROT_NONE));
    SAY(mprotect(at, 3 * PAGE, PROT_READ));
    printf("protected: %s %c %s, %d %d\n", at, at[PAGE], at + 2 * PAGE, touch(at, true),
           touch(at + 2 * PAGE, true));
    SAY(mprotect(at, 3 * PAGE, RW));
    at[2 * PAGE] = 'T';
    printf("writable: %s, %s\n", at + 2 * PAGE, shared + 2 * PAGE);
    SAY(madvise(at, 2 * PAGE, MADV_DONTNEED));
    printf("not needed: %s %d %s\n", at, at[PAGE], at + 2 * PAGE);
    munmap(at, 3 * PAGE);
    munmap(shared, 3 * PAGE);
    close(file);
    unlink("private_a");
}

static void test_end(void)
{
    int file = file_new("private_b", PAGE + 100);
    char *at = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, file, 0);
    printf("last page: %d %d %d, behind: %d %d\n", touch(at + PAGE, true), touch(at + 2 * PAGE - 1, false),
           at[PAGE + 101], touch(at + 2 * PAGE, false), touch(at + 3 * PAGE, true));
    SAY(ftruncate(file, 3 * PAGE));
    printf("longer: %d %d\n", touch(at + 2 * PAGE, true), touch(at + 3 * PAGE, true));
    memset(at, 'x', 3 * PAGE);
    SAY(ftruncate(file, 10));
    printf("shorter: %d, %d %d\n", at[9], touch(at + PAGE, false), touch(at + 2 * PAGE, true));
    SAY(ftruncate(file, 2 * PAGE));
    printf("again: %d\n", at[PAGE]);
    munmap(at, 4 * PAGE);
    char *whole = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_POPULATE, file, 0);
    SAY(pwrite(file, "z", 1, 0));
    printf("populated: %d\n", whole[0]);
    munmap(whole, 2 * PAGE);
    close(file);
    unlink("private_b");
}

// Who may only read a file may write to a private mapping of it.
static void test_access(void)
{
    int file = file_new("private_c", PAGE), reading = open("private_c", O_RDONLY),
        writing = open("private_c", O_WRONLY);
    MAP(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writing, 0));
    char *at = MAP(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, reading, 0));
    printf("constant: %d\n", touch(at, true));
    SAY(mprotect(at, PAGE, RW));
    printf("writable: %d\n", touch(at, true));
    munmap(at, PAGE);
    close(reading);
    close(writing);
    close(file);
    SAY(unlink("private_c"));
    int nameless = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    SAY(ftruncate(nameless, PAGE));
    at = mmap(NULL, PAGE, RW, MAP_PRIVATE, nameless, 0);
    close(nameless);
    printf("nameless: %d\n", touch(at, true));
    munmap(at, PAGE);
}

static char *fresh(int length)
{
    char *at = mmap(NULL, (size_t)length * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < length; i++)
        at[i * PAGE] = (char)('a' + i);
    return at;
}

static void test_move(void)
{
    char *at = fresh(4), *area = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MAP(mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_FIXED, area));
    MAP(mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 1));
    MAP(mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE));
    MAP(mremap(at, 4 * PAGE, 0, MREMAP_MAYMOVE | MREMAP_FIXED, area));
    MAP(mremap(at + 1, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area));
    MAP(mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_DONTUNMAP, NULL));
    MAP(mremap(at, 4 * PAGE, 3 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, NULL));
    MAP(mremap(at, 4 * PAGE, 4 * PAGE, 8 | MREMAP_MAYMOVE));
    char *to = mremap(at, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 2 * PAGE);
    printf("moved: %d, %c %c %d, old: %d, around: %d %d\n", to == area + 2 * PAGE, to[0], to[3 * PAGE],
           to[5 * PAGE], touch(at, false), touch(area + PAGE, false), touch(area + 8 * PAGE, false));
    to = mremap(to + PAGE, 5 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 12 * PAGE);
    printf("shorter: %d, %c %c, old: %c %d %d\n", to == area + 12 * PAGE, to[0], to[PAGE], area[2 * PAGE],
           touch(area + 3 * PAGE, false), touch(area + 6 * PAGE, false));
    munmap(area, 16 * PAGE);
    at = fresh(3);
    to = mremap(at, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    printf("both: %d, %c %c, old: %d %d\n", to != at, to[0], to[2 * PAGE], at[0], touch(at + 2 * PAGE, true));
    munmap(at, 3 * PAGE);
    munmap(to, 3 * PAGE);
}

// A private mapping moves with what was written.
static void test_move_file(void)
{
    int file = file_new("private_d", 3 * PAGE);
    char *at = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, file, 0);
    SAY(pwrite(file, "file", 5, 0));
    SAY(pwrite(file, "file", 5, PAGE));
    printf("%s\n", at + PAGE);
    at[0] = 'F';
    char *area = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *to = mremap(at, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area);
    SAY(pwrite(file, "FILE", 5, PAGE));
    printf("moved: %d %s %s, old: %d\n", to == area, to, to + PAGE, touch(at, false));
    to[PAGE] = 'x';
    at = mremap(to, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    printf("longer: %s %s, %d\n", at, at + PAGE, touch(at + 4 * PAGE, false));
    munmap(at, 5 * PAGE);
    close(file);
    unlink("private_d");
}

// Calls take from, and write into, memory that nobody has touched; what is behind a file's end is EFAULT, and
// a part that was done is told.
static void test_calls(void)
{
    int file = file_new("private_e", PAGE), other = file_new("private_f", 0), channel[2];
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, file, 0), *none = at + PAGE;
    SAY(pwrite(file, "private", 8, 0));
    SAY(write(other, at, 8));
    SAY(pread(other, at + 100, 8, 0));
    printf("%s\n", at + 100);
    SAY(write(other, none, 8));
    SAY(pwrite(other, none, 8, 0));
    SAY(pread(other, none, 8, 0));
    SAY(write(other, none - 10, 20));
    SAY(pread(other, none - 4, 8, 0));
    struct iovec pieces[3] = {{at, 8}, {none, 8}, {at, 8}};
    SAY(writev(other, pieces, 3));
    SAY(preadv(other, pieces, 3, 0));
    SAY(pipe(channel));
    SAY(fcntl(channel[0], F_GETPIPE_SZ));
    SAY(fcntl(channel[1], F_SETPIPE_SZ, 65536));
    SAY(fcntl(channel[1], F_SETPIPE_SZ, -1));
    SAY(fcntl(file, F_GETPIPE_SZ));
    SAY(write(channel[1], none, 8));
    SAY(write(channel[1], at, 8));
    SAY(read(channel[0], none, 8));
    SAY(read(channel[0], at, 8));
    SAY(socketpair(AF_UNIX, SOCK_DGRAM, 0, channel));
    SAY(send(channel[0], none, 8, 0));
    SAY(send(channel[0], none - 4, 8, 0));
    SAY(send(channel[0], at, 8, 0));
    SAY(recv(channel[1], none, 8, 0));
    struct iovec whole = {none, 8};
    struct msghdr message = {.msg_iov = &whole, .msg_iovlen = 1};
    SAY(sendmsg(channel[0], &message, 0));
    munmap(at, 2 * PAGE);
    close(file);
    close(other);
    unlink("private_e");
    unlink("private_f");
}

// Paths that cannot be read, or not up to their end.
static void test_paths(void)
{
    struct stat status;
    int file = file_new("private_g", PAGE);
    char *mapped = mmap(NULL, PAGE, RW, MAP_PRIVATE, file, 0);
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *none = at + PAGE;
    char *whole = none - sizeof "private_g", *part = none - 4;
    mprotect(none, PAGE, PROT_NONE);
    strcpy(whole, "private_g");
    SAY(stat(whole, &status));
    SAY(stat(none, &status));
    SAY(access(none, F_OK));
    SAY(open(none, O_RDONLY));
    SAY(mkdir(none, 0700));
    SAY(symlink(none, "private_h"));
    SAY(rename(whole, none));
    memcpy(part, "abcd", 4);
    SAY(stat(part, &status));
    SAY(unlink(part));
    SAY(symlink(part, "private_h"));
    munmap(at, 2 * PAGE);
    munmap(mapped, PAGE);
    close(file);
    unlink("private_g");
}

enum { ROUNDS = 200 };
static char *field;
static atomic_int turn, wrong;

static void wait_turn(int wanted)
{
    while (atomic_load(&turn) != wanted)
        sched_yield();
}

// Reads what another thread writes for the first time, into a page that both have read before.
static void *read_after(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        wait_turn(4 * round + 1);
        wrong += *(volatile char *)field != 'f';
        atomic_store(&turn, 4 * round + 2);
        while (atomic_load(&turn) != 4 * round + 3) {
            char now = *(volatile char *)field;
            wrong += now != 'f' && now != 'w';
        }
        wrong += *(volatile char *)field != 'w';
        atomic_store(&turn, 4 * round + 4);
    }
    return arg;
}

static void test_cores(void)
{
    pthread_t thread;
    int file = file_new("private_g", PAGE);
    SAY(pwrite(file, "f", 1, 0));
    field = mmap(NULL, PAGE, RW, MAP_PRIVATE, file, 0);
    pthread_create(&thread, NULL, read_after, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        atomic_store(&turn, 4 * round + 1);
        wait_turn(4 * round + 2);
        field[0] = 'w';
        atomic_store(&turn, 4 * round + 3);
        wait_turn(4 * round + 4);
        madvise(field, PAGE, MADV_DONTNEED);
    }
    pthread_join(thread, NULL);
    printf("races: %d\n", atomic_load(&wrong));
    munmap(field, PAGE);
    close(file);
    unlink("private_g");
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (chdir("/dev/shm"))
        return 1;
    puts("BEGIN");
    test_contents();
    test_end();
    test_access();
    test_move();
    test_move_file();
    test_calls();
    test_paths();
    test_cores();
    puts("END");
    puts("PASS");
    return 0;
}
