// Calls on files under musl: the same results, errors and contents as on Linux, where this source runs, too.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @link tmpfs devfs
// @expect ^PASS$

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

enum { PAGE = 4096, AT = AT_FDCWD };

static char buffer[70000], other[70000];

static long say(const char *text, long result)
{
    if (result < 0)
        printf("%s: error %d\n", text, errno);
    else
        printf("%s: %ld\n", text, result);
    return result;
}

// What a call returned, or its error.
#define SAY(call) say(#call, (errno = 0, (long)(call)))
// The same of one that returns a descriptor, whose number is of no matter.
#define OPEN(call) opened(#call, (errno = 0, (call)))

static int opened(const char *text, int result)
{
    printf("%s: %d\n", text, result < 0 ? errno : 0);
    return result;
}

static void status_of(const char *path)
{
    struct stat status;
    if (lstat(path, &status)) {
        printf("%s: error %d\n", path, errno);
        return;
    }
    printf("%s: mode %o, links %d", path, (unsigned)status.st_mode, (int)status.st_nlink);
    if (!S_ISDIR(status.st_mode))
        printf(", size %ld", (long)status.st_size);
    printf(", modified %ld.%ld\n", status.st_mtim.tv_sec > 1000000000 ? 0 : (long)status.st_mtim.tv_sec,
           status.st_mtim.tv_sec > 1000000000 ? 0 : status.st_mtim.tv_nsec);
}

static void contents(const char *path)
{
    int file = open(path, O_RDONLY);
    long size = read(file, buffer, sizeof buffer);
    unsigned sum = 0;
    for (long i = 0; i < size; i++)
        sum = sum * 31 + (unsigned char)buffer[i];
    printf("%s: %ld bytes, sum %u\n", path, size, sum);
    close(file);
}

static void test_open(void)
{
    int file = OPEN(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    OPEN(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    OPEN(open("none", O_RDONLY));
    OPEN(open("none/deeper", O_RDONLY | O_CREAT, 0600));
    OPEN(open("new/deeper", O_RDONLY));
    OPEN(open(".", O_RDWR));
    OPEN(open("new", O_RDONLY | O_DIRECTORY));
    OPEN(open(NULL, O_RDONLY));
    OPEN(open("", O_RDONLY));
    OPEN(openat(99, "x", O_RDONLY));
    OPEN(openat(file, "x", O_RDONLY));
    SAY(write(file, "one two three", 13));
    SAY(lseek(file, -5, SEEK_END));
    SAY(lseek(file, -50, SEEK_CUR));
    SAY(lseek(file, 0, 9));
    SAY(read(file, buffer, 100));
    SAY(fcntl(file, F_GETFL) & ~O_LARGEFILE & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SAY(fcntl(file, F_SETFL, O_APPEND));
    SAY(pwrite(file, "tail", 4, 0)); // O_APPEND wins
    SAY(lseek(file, 0, SEEK_CUR));
    SAY(fcntl(file, F_SETFL, 0));
    int path = OPEN(open("new", O_PATH));
    SAY(read(path, buffer, 1));
    SAY(lseek(path, 0, SEEK_SET));
    SAY(syscall(SYS_fchmod, path, 0600));
    SAY(pread(path, buffer, 1, 0));
    SAY(pwrite(path, buffer, 1, 0));
    struct pollfd poll_path = {path, POLLIN, 0};
    SAY(poll(&poll_path, 1, 0));
    SAY(poll_path.revents);
    SAY(fcntl(path, F_SETFL, O_APPEND));
    int copy = OPEN(dup(path));
    SAY(close(copy) | close(path));
    int writer = OPEN(open("new", O_WRONLY | O_TRUNC));
    SAY(read(writer, buffer, 1));
    SAY(close(writer));
    status_of("new");
    SAY(close(file));
    OPEN(creat("made", 0600));
    status_of("made");
}

static void test_vectors(void)
{
    int file = OPEN(open("vectors", O_RDWR | O_CREAT, 0600));
    struct iovec out[3] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}}, in[2] = {{buffer, 2}, {buffer + 100, 4}};
    SAY(writev(file, out, 3));
    SAY(pwritev(file, out, 3, 10));
    SAY(preadv(file, in, 2, 11));
    printf("%.2s %.4s\n", buffer, buffer + 100);
    SAY(syscall(SYS_pwritev2, file, out, 1, -1L, 0L, 4));
    SAY(syscall(SYS_preadv2, file, in, 2, -1L, 0L, 0));
    SAY(syscall(SYS_preadv2, file, in, 2, 0L, 0L, 1 << 20));
    SAY(preadv(file, in, -1, 0));
    SAY(preadv(file, in, 2, -1));
    SAY(pread(file, buffer, 10, -1));
    SAY(pread(file, buffer, 10, 1000));
    SAY(pread(file, buffer, 100, 0));
    printf("%.3s%.8s\n", buffer, buffer + 10);
    SAY(close(file));
}

// A call moves at most 2 GiB less a page; and no memory is as large as half of all addresses.
static void test_counts(void)
{
    int null = OPEN(open("/dev/null", O_RDWR)), file = OPEN(open("vectors", O_RDWR));
    struct iovec large[2] = {{buffer, 0x7fff0000}, {buffer, 1l << 40}};
    SAY(write(null, buffer, (size_t)-1));
    SAY(write(null, buffer, 1l << 40));
    SAY(writev(null, large, 2));
    SAY(read(null, buffer, (size_t)-1));
    SAY(read(file, buffer, (size_t)-1));
    SAY(pread(file, buffer, (size_t)-1, 0));
    SAY(pwrite(file, buffer, (size_t)-1, 0));
    SAY(close(null) | close(file));
}

static void test_names(void)
{
    SAY(mkdir("d", 0777));
    SAY(mkdir("d", 0777));
    SAY(mkdir("none/d", 0777));
    SAY(mkdir(NULL, 0777));
    SAY(mkdirat(AT, "d/e", 0700));
    SAY(rmdir("d"));
    SAY(unlink("d"));
    SAY(rename("new", "d"));
    SAY(rename("d", "d/e/f"));
    SAY(rename("new", "d/new"));
    SAY(syscall(SYS_renameat2, AT, "made", AT, "d/new", 1));
    SAY(syscall(SYS_renameat2, AT, "made", AT, "d/moved", 1));
    SAY(link("d/new", "hard"));
    SAY(link("d", "hard2"));
    SAY(link("d/new", "hard"));
    SAY(symlink("d/new", "soft"));
    SAY(symlink("", "soft2"));
    SAY(linkat(AT, "soft", AT, "hard3", 0));
    SAY(linkat(AT, "soft", AT, "hard4", AT_SYMLINK_FOLLOW));
    SAY(linkat(AT, "soft", AT, "hard5", 1));
    SAY(readlink("soft", buffer, 100));
    SAY(readlink("soft", buffer, 3));
    SAY(readlink("hard", buffer, 100));
    SAY(syscall(SYS_readlink, "soft", buffer, 0));
    SAY(symlink("loop", "loop"));
    OPEN(open("loop", O_RDONLY));
    OPEN(open("soft", O_RDONLY | O_NOFOLLOW));
    SAY(mknod("fifo", S_IFIFO | 0600, 0));
    status_of("d/new"), status_of("hard3"), status_of("hard4"), status_of("fifo"), status_of("d"),
        status_of("loop");
    SAY(unlinkat(AT, "d/e", 0));
    SAY(unlinkat(AT, "d/e", 7));
    SAY(unlinkat(AT, "d/e", AT_REMOVEDIR));
    SAY(unlink("hard") | unlink("hard3") | unlink("hard4") | unlink("fifo") | unlink("loop"));
    char path[300];
    memset(path, 'n', sizeof path - 1);
    path[299] = 0;
    SAY(mkdir(path, 0700));
}

static void test_directories(void)
{
    char here[300], again[300];
    int above = OPEN(open(".", O_RDONLY | O_DIRECTORY));
    getcwd(here, sizeof here);
    SAY(chdir("d"));
    SAY(chdir("none"));
    SAY(chdir("new"));
    getcwd(again, sizeof again);
    printf("working directory: %s\n", again + strlen(here));
    SAY(syscall(SYS_getcwd, again, 3));
    SAY(fchdir(above));
    SAY(fchdir(99));
    for (int i = 0; i < 40; i++) {
        snprintf(again, sizeof again, "d/%0*d", 1 + i * 6, i);
        close(open(again, O_WRONLY | O_CREAT, 0600));
    }
    struct dirent **list;
    int count = scandir("d", &list, NULL, alphasort);
    unsigned length = 0;
    for (int i = 0; i < count; i++)
        length += (unsigned)strlen(list[i]->d_name) * (list[i]->d_type + 1u);
    printf("%d entries, %u\n", count, length);
    int file = openat(above, "d", O_RDONLY);
    int found = 0;
    // As small as can be, and so big that nobody fits a second time.
    for (long size; (size = syscall(SYS_getdents64, file, buffer, 300)) > 0;)
        for (long at = 0; at < size; at += *(unsigned short *)(buffer + at + 16))
            found++;
    printf("%d entries in small pieces\n", found);
    lseek(file, 0, SEEK_SET);
    SAY(syscall(SYS_getdents64, file, buffer, 20));
    SAY(syscall(SYS_getdents64, 99, buffer, 200));
    SAY(syscall(SYS_getdents64, openat(above, "d/new", O_RDONLY), buffer, 200));
    SAY(syscall(SYS_getdents64, file, buffer, sizeof buffer) > 3000);
    SAY(pread(file, buffer, 3, 0));
    SAY(close(file));
}

static void test_changes(void)
{
    int file = open("vectors", O_RDWR), reader = open("vectors", O_RDONLY);
    SAY(ftruncate(file, 5000));
    SAY(ftruncate(reader, 5));
    SAY(ftruncate(file, -1));
    SAY(truncate("none", 5));
    SAY(truncate("d", 5));
    SAY(truncate("vectors", 6000));
    SAY(fallocate(file, 0, 5000, 5000));
    SAY(fallocate(file, FALLOC_FL_KEEP_SIZE, 9000, 5000));
    SAY(fallocate(file, 0, -1, 10));
    SAY(fallocate(file, 0, 0, 0));
    SAY(fallocate(reader, 0, 0, 10));
    SAY(posix_fallocate(file, 0, 12000));
    SAY(posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL));
    SAY(posix_fadvise(file, 0, 0, 77));
    status_of("vectors"), contents("vectors");
    SAY(chmod("vectors", 0755));
    SAY(fchmod(file, 0711));
    SAY(fchmodat(AT, "none", 0755, 0));
    SAY(chown("vectors", -1, -1));
    SAY(fchownat(AT, "vectors", -1, -1, 5));
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 999, .tv_nsec = 7}};
    const struct timespec wrong[2] = {{.tv_nsec = 1000000000}, {.tv_sec = 999, .tv_nsec = 7}};
    SAY(utimensat(AT, "vectors", times, 0));
    status_of("vectors");
    SAY(utimensat(AT, "vectors", wrong, 0));
    SAY(futimens(file, (const struct timespec[]){{5, 6}, {7, 8}}));
    status_of("vectors");
    SAY(utimes("vectors", (const struct timeval[]){{1, 2}, {3, 4}}));
    status_of("vectors");
    SAY(utime("vectors", &(const struct utimbuf){1, 12345}));
    status_of("vectors");
    SAY(access("vectors", R_OK | W_OK | X_OK));
    SAY(access("soft", F_OK));
    SAY(access("vectors", 99));
    SAY(faccessat(AT, "d", R_OK, AT_EACCESS));
    SAY(fsync(file) | fdatasync(file) | syncfs(file));
    SAY(fsync(99));
    SAY(flock(file, LOCK_EX) | flock(file, LOCK_UN));
    SAY(flock(file, 0));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    SAY(fcntl(file, F_SETLK, &lock));
    SAY(fcntl(reader, F_SETLK, &lock));
    SAY(fcntl(file, F_DUPFD, -1));
    SAY(fcntl(file, F_SETFD, FD_CLOEXEC) | fcntl(file, F_GETFD));
    SAY(dup3(file, file, 0));
    SAY(fcntl(dup3(file, 50, O_CLOEXEC), F_GETFD));
    struct statfs space;
    SAY(statfs("vectors", &space) | fstatfs(file, &space));
    printf("names of %ld bytes\n", (long)space.f_namelen);
    SAY(close(file) | close(reader) | close(50));
}

static void test_status(void)
{
    struct {
        unsigned mask, block_size;
        unsigned long attributes;
        unsigned links, user, group;
        unsigned short mode, pad;
        unsigned long number, size, blocks, attributes_mask;
        long times[8], rest[16];
    } status; // struct statx, which musl does not have
    struct stat old;
    SAY(syscall(SYS_statx, AT, "vectors", 0, 0x7ff, &status));
    printf("%o, %lu bytes, %ld\n", status.mode, status.size, status.times[6]);
    SAY(syscall(SYS_statx, AT, "soft", AT_SYMLINK_NOFOLLOW, 0x7ff, &status));
    printf("%o, %lu bytes\n", status.mode & S_IFMT, status.size);
    SAY(syscall(SYS_statx, AT, "none", 0, 0x7ff, &status));
    SAY(syscall(SYS_statx, AT, "soft", 0x80000, 0x7ff, &status));
    SAY(fstatat(AT, "soft", &old, 0x10000));
    SAY(fstatat(AT, NULL, &old, 0));
    int ends[2];
    SAY(pipe2(ends, O_CLOEXEC));
    SAY(fstatat(ends[0], "", &old, AT_EMPTY_PATH));
    printf("%o\n", old.st_mode & S_IFMT);
    SAY(fstat(99, &old));
    SAY(write(ends[1], "through", 7));
    SAY(pread(ends[0], buffer, 3, 0));
    SAY(pread(ends[1], buffer, 3, 0));
    SAY(lseek(ends[0], 0, SEEK_SET));
    SAY(fallocate(ends[1], 0, 0, 10));
    SAY(posix_fadvise(ends[0], 0, 0, 0));
    int waiting = -1;
    SAY(ioctl(ends[0], FIONREAD, &waiting));
    printf("%d bytes wait\n", waiting);
    SAY(read(ends[0], buffer, 100));
    SAY(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    SAY(read(ends[0], buffer, 100));
    SAY(close(ends[1]));
    SAY(read(ends[0], buffer, 100));
    struct pollfd wait = {ends[0], POLLIN, 0};
    SAY(poll(&wait, 1, 0));
    printf("events %x\n", wait.revents);
    SAY(close(ends[0]));
}

static void test_copies(void)
{
    for (int i = 0; i < (int)sizeof other; i++)
        other[i] = (char)(i * 7 + i / 251);
    int from = open("from", O_RDWR | O_CREAT, 0600), to = open("to", O_RDWR | O_CREAT, 0600);
    SAY(write(from, other, sizeof other));
    off_t offset = 1000;
    SAY(sendfile(to, from, &offset, 66000));
    printf("offset %ld\n", (long)offset);
    SAY(lseek(from, 10, SEEK_SET));
    SAY(sendfile(to, from, NULL, 100000));
    SAY(lseek(from, 0, SEEK_CUR) + lseek(to, 0, SEEK_CUR));
    SAY(sendfile(to, from, NULL, 100));
    offset = -1;
    SAY(sendfile(to, from, &offset, 100));
    contents("to");
    loff_t in = 5, out = 20;
    SAY(copy_file_range(from, &in, to, &out, 30000, 0));
    printf("offsets %ld %ld\n", (long)in, (long)out);
    SAY(copy_file_range(from, &in, from, &out, 30000, 0));
    SAY(copy_file_range(from, &in, to, &out, 30000, 5));
    in = sizeof other - 10;
    SAY(copy_file_range(from, &in, to, NULL, 30000, 0));
    int reader = open("to", O_RDONLY), appends = open("to", O_WRONLY | O_APPEND),
        folder = open("d", O_RDONLY);
    SAY(copy_file_range(from, NULL, reader, NULL, 10, 0));
    SAY(copy_file_range(from, NULL, appends, NULL, 10, 0));
    SAY(copy_file_range(folder, NULL, to, NULL, 10, 0));
    SAY(sendfile(appends, from, NULL, 10));
    SAY(sendfile(reader, from, NULL, 10));
    SAY(sendfile(to, appends, NULL, 10));
    contents("to");
    SAY(close(from) | close(to) | close(reader) | close(appends) | close(folder));
}

static void sum(const char *what, const char *at, size_t size)
{
    unsigned result = 0;
    if (at == MAP_FAILED) {
        printf("%s: error %d\n", what, errno);
        return;
    }
    for (size_t i = 0; i < size; i++)
        result = result * 31 + (unsigned char)at[i];
    printf("%s: sum %u\n", what, result);
}

static void test_mappings(void)
{
    int file = open("from", O_RDWR), reader = open("from", O_RDONLY), writer = open("from", O_WRONLY);
    int folder = open("d", O_RDONLY), zero = open("/dev/zero", O_RDWR), ends[2];
    const size_t whole = (sizeof other + PAGE - 1) & ~(size_t)(PAGE - 1);
    char *at = mmap(NULL, sizeof other, PROT_READ, MAP_PRIVATE, reader, 0);
    sum("private", at, whole);
    char *shared = mmap(NULL, sizeof other, PROT_READ, MAP_SHARED, reader, 0);
    sum("shared", shared, whole);
    char *part = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 3 * PAGE);
    sum("part", part, 2 * PAGE);
    memset(part, 5, PAGE);
    sum("written", part, 2 * PAGE);
    sum("untouched", at, whole);
    char *tail = mmap(part, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, whole - PAGE);
    sum("tail", tail, PAGE);
    printf("fixed: %d\n", tail == part);
    sum("behind the fixed one", part + PAGE, PAGE);
    char *zeros = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    sum("/dev/zero", zeros, PAGE);
    SAY(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
    SAY(mmap(NULL, PAGE, PROT_READ, 3 | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
    SAY(mmap(NULL, PAGE, PROT_READ, 0, reader, 0) == MAP_FAILED ? errno : 0);
    SAY(mmap(NULL, PAGE, PROT_READ, 3 | MAP_SYNC, reader, 0) == MAP_FAILED ? errno : 0);
    SAY(mmap(NULL, PAGE, PROT_READ, 3, reader, 0) == MAP_FAILED ? errno : 0);
    SAY(msync(at, PAGE, MS_SYNC | MS_ASYNC));
    SAY(msync(at, PAGE, 64));
    SAY(msync(at + 1, PAGE, MS_SYNC));
    SAY(msync(at, PAGE, MS_ASYNC | MS_INVALIDATE));
    pipe(ends);
    SAY(fchmod(ends[0], 0640));
    SAY(fchown(ends[1], -1, -1));
    SAY(futimens(ends[0], NULL));
    sum("offset", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 100), 0);
    sum("no type", mmap(NULL, PAGE, PROT_READ, 0, file, 0), 0);
    sum("no length", mmap(NULL, 0, PROT_READ, MAP_PRIVATE, file, 0), 0);
    sum("closed", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), 0);
    sum("write-only", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0), 0);
    sum("shared and written", mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), 0);
    sum("directory", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, folder, 0), 0);
    sum("pipe", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), 0);
    SAY(close(file) | close(reader) | close(writer) | close(folder) | close(zero) | close(ends[0]) |
        close(ends[1]));
    sum("closed meanwhile", at, whole);
    SAY(munmap(at, whole) | munmap(shared, whole) | munmap(part, 2 * PAGE) | munmap(zeros, PAGE));
}

static void test_stdio(void)
{
    FILE *file = fopen("text", "w+");
    for (int i = 0; i < 5000; i++)
        fprintf(file, "line %d\n", i);
    SAY(fseek(file, 100, SEEK_SET));
    SAY(fgets(buffer, 100, file) && fgets(buffer, 100, file) ? atoi(buffer + 5) : -1);
    SAY(ftell(file));
    SAY(fseek(file, 0, SEEK_CUR));
    SAY(fputs("changed", file) >= 0);
    SAY(fclose(file));
    contents("text");
    char name[] = "./XXXXXX";
    int made = mkstemp(name);
    SAY(made >= 0 && close(made) == 0 ? unlink(name) : -1);
    FILE *unnamed = tmpfile();
    SAY(unnamed ? fputs("x", unnamed) >= 0 && fclose(unnamed) == 0 : -1);
    SAY(remove("text"));
    SAY(realpath("soft", buffer) ? strcmp(strrchr(buffer, '/'), "/new") : -1);
}

int main(void)
{
    char folder[] = "/tmp/bm-files-XXXXXX", command[400];
    umask(022);
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    puts("BEGIN");
    test_open();
    test_vectors();
    test_counts();
    test_names();
    test_directories();
    test_changes();
    test_status();
    test_copies();
    test_mappings();
    test_stdio();
    puts("END");
    // What is left, so that the host's folder is empty again.
    struct dirent **list;
    for (int round = 0; round < 2; round++) {
        const char *where = round ? "." : "d";
        for (int count = scandir(where, &list, NULL, NULL); count > 0;) {
            snprintf(command, sizeof command, "%s/%s", where, list[--count]->d_name);
            if (unlink(command))
                rmdir(command);
        }
    }
    if (chdir("/") || rmdir(folder))
        perror(folder);
    else
        puts("PASS");
    return 0;
}
