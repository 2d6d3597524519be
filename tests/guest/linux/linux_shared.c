// Shared mappings of files under musl: results, errors, contents and signals are those of Linux, where this
// source runs, too; also while other cores change what is mapped.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @smp 2
// @link tmpfs procfs
// @expect ^races: 0$
// @expect ^PASS$

#include "linux_shared.h"

// What is written through one of them, the others see at once.
static void test_coherence(void)
{
    char text[16] = "";
    int file = file_new("shared_a", 3 * PAGE);
    char *one = MAP(mmap(NULL, 3 * PAGE, RW, MAP_SHARED, file, 0));
    char *two = MAP(mmap(NULL, PAGE, RW, MAP_SHARED, file, 2 * PAGE));
    char *old = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, file, 0);
    old[2 * PAGE] = 'p';
    strcpy(one + 2 * PAGE, "through one");
    printf("two: %s\n", two);
    SAY(pread(file, text, 11, 2 * PAGE));
    printf("read: %s\n", text);
    SAY(pwrite(file, "written", 8, 2 * PAGE + 5));
    printf("one: %s, two: %s, private: %c\n", one + 2 * PAGE, two, old[2 * PAGE]);
    close(file);
    SAY(unlink("shared_a"));
    strcpy(two, "nameless");
    printf("one: %s\n", one + 2 * PAGE);
    SAY(munmap(one + PAGE, PAGE));
    printf("unmapped: %d, %s, %d\n", touch(one + PAGE, false), one + 2 * PAGE, one[0]);
    SAY(munmap(one, 3 * PAGE));
    printf("two: %s\n", two);
    SAY(munmap(two, PAGE));
    munmap(old, 3 * PAGE);
}

static void test_end(void)
{
    int file = file_new("shared_b", PAGE + 100);
    char *at = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, file, 0);
    printf("last page: %d %d, behind: %d %d\n", touch(at + PAGE, true), touch(at + 2 * PAGE - 1, true),
           touch(at + 2 * PAGE, false), touch(at + 3 * PAGE, true));
    SAY(ftruncate(file, 3 * PAGE));
    printf("longer: %d %d\n", touch(at + 2 * PAGE, true), touch(at + 3 * PAGE, true));
    memset(at, 'x', 3 * PAGE);
    SAY(ftruncate(file, 10));
    printf("shorter: %c %d, %d %d\n", at[9], at[10], touch(at + PAGE, false), touch(at + 2 * PAGE, true));
    SAY(ftruncate(file, 2 * PAGE));
    printf("again: %d %d\n", at[10], at[PAGE]);
    SAY(ftruncate(file, 0));
    printf("empty: %d\n", touch(at, true));
    munmap(at, 4 * PAGE);
    close(file);
    unlink("shared_b");
}

static void test_protection(void)
{
    int file = file_new("shared_c", 2 * PAGE), reading = open("shared_c", O_RDONLY);
    int writing = open("shared_c", O_WRONLY);
    MAP(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writing, 0));
    MAP(mmap(NULL, PAGE, RW, MAP_SHARED, reading, 0));
    MAP(mmap(NULL, PAGE, RW, MAP_SHARED, file, 1));
    char *constant = MAP(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reading, 0));
    SAY(mprotect(constant, PAGE, RW));
    printf("constant: %d %d\n", touch(constant, false), touch(constant, true));
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0);
    strcpy(at, "kept");
    printf("constant: %s\n", constant);
    SAY(mprotect(at, 2 * PAGE, PROT_NONE));
    printf("none: %d %d\n", touch(at, false), touch(at + PAGE, false));
    SAY(pwrite(file, "K", 1, 0));
    SAY(mprotect(at, 2 * PAGE, PROT_READ));
    printf("read: %s %d %d\n", at, touch(at, true), touch(at + PAGE, true));
    SAY(mprotect(at, PAGE, RW));
    printf("write: %d %d\n", touch(at, true), touch(at + PAGE, true));
    SAY(madvise(at, PAGE, MADV_DONTNEED));
    SAY(msync(at, 2 * PAGE, MS_SYNC));
    printf("kept: %s\n", at);
    const struct timespec times[2] = {{1, 0}, {1, 0}};
    struct stat status;
    futimens(file, times);
    char *writer = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
    fstat(file, &status);
    printf("modified: %d", status.st_mtim.tv_sec > 1);
    *writer = 'W';
    msync(writer, PAGE, MS_SYNC);
    fstat(file, &status);
    printf(" %d\n", status.st_mtim.tv_sec > 1);
    munmap(writer, PAGE);
    munmap(at, 2 * PAGE);
    munmap(constant, PAGE);
    close(file);
    close(reading);
    close(writing);
    unlink("shared_c");
}

static void test_resize(void)
{
    int file = file_new("shared_d", 3 * PAGE);
    char *area = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *at = mmap(area, PAGE, RW, MAP_SHARED | MAP_FIXED, file, PAGE);
    strcpy(at, "first");
    SAY(pwrite(file, "second", 7, 2 * PAGE));
    at = MAP(mremap(at, PAGE, 3 * PAGE, MREMAP_MAYMOVE));
    printf("moved: %s %s %d\n", at, at + PAGE, touch(at + 2 * PAGE, false));
    SAY(pwrite(file, "F", 1, PAGE));
    at = mremap(at, 3 * PAGE, PAGE, 0);
    printf("shorter: %s %d\n", at, touch(at + PAGE, false));
    MAP(mmap(at, PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0));
    munmap(at, PAGE);
    munmap(area, 8 * PAGE);
    close(file);
    unlink("shared_d");
}

static void test_anonymous(void)
{
    char *at = MAP(mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    strcpy(at, "stays");
    SAY(madvise(at, 2 * PAGE, MADV_DONTNEED));
    printf("%s\n", at);
    munmap(at, 2 * PAGE);
    int zero = open("/dev/zero", O_RDWR);
    at = MAP(mmap(NULL, PAGE, RW, MAP_SHARED, zero, 0));
    printf("zero: %d\n", *at);
    printf("zero: %d\n", touch(at, true));
    munmap(at, PAGE);
    close(zero);
    at = MAP(mmap(NULL, 64 << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    unsigned char there[2];
    SAY(mincore(at + (32 << 20), 2 * PAGE, there));
    printf("lazy: %d %d\n", there[0] & 1, there[1] & 1);
    at[32 << 20] = 'l';
    SAY(mincore(at + (32 << 20), PAGE, there));
    printf("touched: %d, %c %d\n", there[0] & 1, at[32 << 20], at[(64 << 20) - 1]);
    SAY(madvise(at, 64 << 20, MADV_DONTNEED));
    printf("given back: %d\n", at[32 << 20]);
    SAY(munmap(at, 64 << 20));
}

// Calls read and write memory of mappings that nobody has touched.
static void test_calls(void)
{
    int file = file_new("shared_e", 2 * PAGE), channel[2];
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0), text[8] = "";
    char *lazy = mmap(NULL, 1 << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SAY(pipe(channel));
    SAY(write(channel[1], lazy, 3));
    SAY(write(channel[1], at + PAGE, 3));
    SAY(write(channel[1], "end", 4));
    SAY(read(channel[0], lazy + (1 << 19), 6));
    SAY(read(channel[0], at, 4));
    SAY(pread(file, text, 4, 0));
    printf("%s\n", text);
    SAY(pwrite(file, at, 4, PAGE)); // from a page of the file itself
    printf("%s\n", at + PAGE);
    SAY(stat("shared_e", (struct stat *)(lazy + (1 << 18))));
    SAY(((struct stat *)(lazy + (1 << 18)))->st_size);
    close(channel[0]);
    close(channel[1]);
    munmap(at, 2 * PAGE);
    munmap(lazy, 1 << 20);
    close(file);
    unlink("shared_e");
}

// The line of /proc/self/maps with an address.
static void test_maps(void)
{
    int file = file_new("shared_g", 4 * PAGE);
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, PAGE), access[8] = "", line[400];
    mprotect(at + PAGE, PAGE, PROT_READ);
    struct stat status;
    fstat(file, &status);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin, end, offset, inode;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &begin, &end, access, &offset, &inode) == 5 &&
            begin >= (unsigned long)at && begin < (unsigned long)at + 2 * PAGE)
            printf("maps: %lu pages, %s, offset %lx, %d\n", (end - begin) / PAGE, access, offset,
                   inode == status.st_ino);
    }
    fclose(maps);
    munmap(at, 2 * PAGE);
    close(file);
    unlink("shared_g");
}

// Without a name, and sealed.
static void test_memfd(void)
{
    int file = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING), plain = memfd_create("", 0);
    struct stat status;
    SAY(memfd_create("x", 0x100));
    SAY(fstat(file, &status));
    printf("mode %o, %d links, %d\n", (unsigned)status.st_mode, (int)status.st_nlink, fcntl(file, F_GETFD));
    SAY(fcntl(plain, F_GET_SEALS));
    SAY(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
    SAY(fcntl(file, F_GET_SEALS));
    SAY(ftruncate(file, PAGE));
    SAY(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    SAY(ftruncate(file, 0));
    SAY(ftruncate(file, PAGE + 1));
    SAY(ftruncate(file, PAGE));
    SAY(pwrite(file, "abc", 3, PAGE));
    SAY(pwrite(file, "abc", 3, 0));
    SAY(posix_fallocate(file, 0, 2 * PAGE));
    char *at = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
    SAY(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
    SAY(munmap(at, PAGE));
    SAY(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
    SAY(pwrite(file, "abc", 3, 0));
    MAP(mmap(NULL, PAGE, RW, MAP_SHARED, file, 0));
    at = MAP(mmap(NULL, PAGE, RW, MAP_PRIVATE, file, 0));
    printf("private: %d\n", touch(at, true));
    printf("%s\n", at);
    munmap(at, PAGE);
    SAY(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL));
    SAY(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL));
    SAY(fcntl(file, F_GET_SEALS));
    SAY(fcntl(plain, F_ADD_SEALS, 0x1000));
    close(file);
    close(plain);
}

// By their names: shared memory and semaphores.
static void test_names(void)
{
    int file = shm_open("/mappings", O_RDWR | O_CREAT | O_EXCL, 0600);
    printf("shm_open: %d\n", file < 0 ? errno : 0);
    SAY(ftruncate(file, PAGE));
    char *at = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
    strcpy(at, "by name");
    close(file);
    file = shm_open("/mappings", O_RDONLY, 0);
    char *other = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    printf("%s\n", other);
    close(file);
    SAY(shm_unlink("/mappings"));
    SAY(shm_unlink("/mappings"));
    printf("%s\n", other);
    munmap(at, PAGE);
    munmap(other, PAGE);
    sem_t *one = sem_open("/mappings", O_CREAT | O_EXCL, 0600, 2), *two = sem_open("/mappings", 0);
    int value = 0;
    printf("sem_open: %d\n", one == two ? 0 : errno);
    SAY(sem_wait(two));
    SAY(sem_getvalue(one, &value));
    printf("value: %d\n", value);
    SAY(sem_unlink("/mappings"));
    SAY(sem_close(one));
    SAY(sem_close(two));
    printf("sem_open: %d\n", sem_open("/mappings", 0) == SEM_FAILED ? errno : 0);
}

// Another core, which has just touched a page, sees at once that it is gone.
static char *_Atomic watched;
static atomic_int answer;

static void *watcher(void *arg)
{
    char *at;
    while ((at = watched) != arg)
        if (at) {
            int result = touch(at, true);
            watched = NULL;
            answer = result;
        }
    return NULL;
}

static int elsewhere(char *at)
{
    answer = -1;
    watched = at;
    while (answer < 0)
        sched_yield();
    return answer;
}

static void test_other_core(void)
{
    int file = file_new("shared_h", 2 * PAGE);
    char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, watcher, (void *)1);
    printf("elsewhere: %d", elsewhere(at + PAGE));
    ftruncate(file, PAGE);
    printf(" %d", elsewhere(at + PAGE));
    ftruncate(file, 2 * PAGE);
    printf(" %d", elsewhere(at + PAGE));
    mprotect(at, 2 * PAGE, PROT_READ);
    printf(" %d", elsewhere(at + PAGE));
    mprotect(at, 2 * PAGE, RW);
    printf(" %d", elsewhere(at + PAGE));
    mprotect(at, 2 * PAGE, PROT_NONE);
    printf(" %d", elsewhere(at + PAGE));
    mprotect(at, 2 * PAGE, RW);
    printf(" %d", elsewhere(at + PAGE));
    munmap(at, 2 * PAGE);
    printf(" %d\n", elsewhere(at + PAGE));
    watched = (void *)1;
    pthread_join(thread, NULL);
    close(file);
    unlink("shared_h");
}

// One thread shortens and unmaps what another touches: each touch ends well or in SIGBUS or SIGSEGV.
enum { ROUNDS = 100, RACED = 8 };
static char *_Atomic raced;
static atomic_bool over;
static atomic_uint wrong;

static void *toucher(void *arg)
{
    (void)arg;
    for (unsigned at = 0; !over; at = (at + 1) % RACED) {
        char *area = raced;
        int signal = touch(area + at * PAGE, at % 2);
        if (signal != 0 && signal != SIGBUS * 10 + BUS_ADRERR && signal / 10 != SIGSEGV)
            wrong++;
    }
    return NULL;
}

static void test_races(void)
{
    int file = file_new("shared_f", RACED * PAGE);
    char *area = mmap(NULL, RACED * PAGE, RW, MAP_SHARED, file, 0);
    raced = area;
    pthread_t thread;
    pthread_create(&thread, NULL, toucher, NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (ftruncate(file, 0) || ftruncate(file, RACED * PAGE))
            wrong++;
        for (unsigned i = 0; i < RACED; i += 2) // the toucher writes to the others
            wrong += area[i * PAGE] != 0;
        if (round % 8 == 0 && mmap(area, RACED * PAGE, RW, MAP_SHARED | MAP_FIXED, file, 0) != area)
            wrong++;
        if (mprotect(area, RACED * PAGE, PROT_READ) || mprotect(area, RACED * PAGE, RW))
            wrong++;
    }
    over = true;
    pthread_join(thread, NULL);
    printf("races: %u\n", wrong);
    munmap(area, RACED * PAGE);
    close(file);
    unlink("shared_f");
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (chdir("/dev/shm"))
        return 1;
    puts("BEGIN");
    test_coherence();
    test_end();
    test_protection();
    test_resize();
    test_anonymous();
    test_calls();
    test_maps();
    test_memfd();
    test_names();
    test_other_core();
    test_races();
    puts("END");
    puts("PASS");
    return 0;
}
