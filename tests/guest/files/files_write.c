// Files that can be written, above those of the image: calls, stdio, directories, links, /dev, and many
// cores.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link tmpfs devfs
// @file tree /
// @smp 4,maxcpus=4

#include <baremetal/core.h>
#include <baremetal/work.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "check.h"

static char buffer[100000];

static void write_and_read(void)
{
    struct stat status;
    int file = open("/tmp/new", O_RDWR | O_CREAT | O_EXCL, 0666);
    CHECK(file >= 0);
    CHECK_ERRNO(open("/tmp/new", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
    CHECK(write(file, "one two", 7) == 7);
    CHECK(pwrite(file, "TWO", 3, 4) == 3);
    CHECK(pread(file, buffer, 100, 0) == 7 && memcmp(buffer, "one TWO", 7) == 0);
    CHECK(lseek(file, 0, SEEK_CUR) == 7);
    CHECK(ftruncate(file, 50000) == 0);
    CHECK(fstat(file, &status) == 0 && status.st_size == 50000 && status.st_blocks == 8);
    CHECK(status.st_mode == (S_IFREG | 0644) && status.st_nlink == 1);
    CHECK(fcntl(file, F_SETFL, O_APPEND) == 0 &&
          (fcntl(file, F_GETFL) & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_RDWR));
    CHECK(write(file, "end", 3) == 3 && lseek(file, 0, SEEK_CUR) == 50003);
    CHECK(fcntl(file, F_GETFD) == 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0 &&
          fcntl(file, F_GETFD) == FD_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(file, F_SETLK, &lock) == 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
    CHECK(fsync(file) == 0 && fdatasync(file) == 0);
    CHECK(unlink("/tmp/new") == 0);
    CHECK_ERRNO(stat("/tmp/new", &status), ENOENT);
    CHECK(fstat(file, &status) == 0 && status.st_nlink == 0);
    CHECK(pread(file, buffer, 3, 50000) == 3 && memcmp(buffer, "end", 3) == 0);
    CHECK(close(file) == 0);
    CHECK_ERRNO(truncate("/tmp/new", -1), EINVAL);
}

static void use_stdio(void)
{
    char line[40];
    FILE *file = fopen("/tmp/text", "w");
    CHECK(file != NULL);
    for (int i = 0; i < 3000; i++)
        CHECK(fprintf(file, "line %d\n", i) > 0);
    CHECK(fclose(file) == 0);
    CHECK((file = fopen("/tmp/text", "a+")) != NULL);
    CHECK(fputs("the end\n", file) >= 0 && fflush(file) == 0);
    CHECK(fseek(file, 0, SEEK_SET) == 0);
    for (int i = 0; i < 3000; i++)
        CHECK(fgets(line, sizeof(line), file) != NULL && atoi(line + 5) == i);
    CHECK(fgets(line, sizeof(line), file) != NULL && strcmp(line, "the end\n") == 0);
    CHECK(fclose(file) == 0);
    CHECK(rename("/tmp/text", "/tmp/moved") == 0 && remove("/tmp/moved") == 0);
    CHECK(fopen("/tmp/moved", "r") == NULL && errno == ENOENT);
    char name[] = "/tmp/fileXXXXXX";
    int made = mkstemp(name);
    CHECK(made >= 0 && access(name, R_OK | W_OK) == 0 && close(made) == 0 && unlink(name) == 0);
}

// The image's files are changed by copying.
static void change_embedded(void)
{
    struct stat status;
    FILE *file = fopen("/greeting.txt", "r+");
    CHECK(file != NULL);
    CHECK(fputs("HELLO", file) >= 0 && fclose(file) == 0);
    int descriptor = open("/greeting.txt", O_RDONLY);
    CHECK(read(descriptor, buffer, 100) == 32 && memcmp(buffer, "HELLO from a file.\n", 19) == 0);
    CHECK_ERRNO(write(descriptor, "x", 1), EBADF);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("/deep/bytes.bin") == 0 && rmdir("/deep") == 0);
    CHECK_ERRNO(stat("/deep/bytes.bin", &status), ENOENT);
    CHECK(mkdir("/deep", 0700) == 0);
    CHECK_ERRNO(stat("/deep/bytes.bin", &status), ENOENT);
    CHECK(stat("/deep", &status) == 0 && status.st_mode == (S_IFDIR | 0700));
}

static void use_directories(void)
{
    char path[100];
    CHECK(mkdir("/tmp/d", 0777) == 0 && mkdir("/tmp/d/e", 0777) == 0);
    CHECK(chdir("/tmp/d/e") == 0 && getcwd(path, sizeof(path)) == path && strcmp(path, "/tmp/d/e") == 0);
    int file = openat(AT_FDCWD, "../f", O_WRONLY | O_CREAT, 0600);
    CHECK(file >= 0 && close(file) == 0);
    CHECK(symlink("../f", "link") == 0 && readlink("link", path, sizeof(path)) == 4);
    CHECK(realpath("link", path) == path && strcmp(path, "/tmp/d/f") == 0);
    struct stat status;
    CHECK(lstat("link", &status) == 0 && S_ISLNK(status.st_mode));
    CHECK(link("../f", "hard") == 0 && stat("hard", &status) == 0 && status.st_nlink == 2);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000, .tv_nsec = 5}};
    CHECK(utimensat(AT_FDCWD, "hard", times, 0) == 0);
    CHECK(stat("../f", &status) == 0 && status.st_mtim.tv_sec == 1000000000 && status.st_mtim.tv_nsec == 5);
    DIR *directory = opendir(".");
    CHECK(directory != NULL);
    int names = 0;
    for (struct dirent *entry; (entry = readdir(directory)); names++)
        if (entry->d_name[0] != '.')
            CHECK(entry->d_type == (strcmp(entry->d_name, "link") ? DT_REG : DT_LNK) &&
                  unlinkat(dirfd(directory), entry->d_name, 0) == 0);
    CHECK(names == 4 && closedir(directory) == 0);
    CHECK(chdir("/") == 0);
    struct dirent **list;
    int count = scandir("/tmp/d", &list, NULL, alphasort);
    CHECK(count == 4 && strcmp(list[2]->d_name, "e") == 0 && strcmp(list[3]->d_name, "f") == 0);
    while (count)
        free(list[--count]);
    free(list);
    CHECK_ERRNO(rmdir("/tmp/d"), ENOTEMPTY);
    CHECK(rmdir("/tmp/d/e") == 0 && unlink("/tmp/d/f") == 0 && rmdir("/tmp/d") == 0);
}

static void use_devices(void)
{
    int file = open("/dev/zero", O_RDONLY);
    buffer[0] = 1;
    CHECK(file >= 0 && read(file, buffer, 5) == 5 && buffer[0] == 0 && close(file) == 0);
    file = open("/dev/full", O_WRONLY);
    CHECK_ERRNO(write(file, "x", 1), ENOSPC);
    CHECK(close(file) == 0);
    FILE *random = fopen("/dev/urandom", "r");
    CHECK(random != NULL && fread(buffer, 1, 64, random) == 64 && fclose(random) == 0);
    file = open("/dev/tty", O_RDWR);
    CHECK(file >= 0 && isatty(file) && close(file) == 0);
    CHECK_ERRNO(rmdir("/dev"), EBUSY);
}

static void use_pipes(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd readable = {.fd = ends[0], .events = POLLIN};
    CHECK(poll(&readable, 1, 0) == 0);
    CHECK(write(ends[1], "piped", 5) == 5);
    CHECK(poll(&readable, 1, 0) == 1 && readable.revents == POLLIN);
    CHECK(read(ends[0], buffer, 100) == 5 && memcmp(buffer, "piped", 5) == 0);
    CHECK_ERRNO(lseek(ends[0], 0, SEEK_SET), ESPIPE);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(write(ends[1], buffer, sizeof(buffer)) == 65536);
    CHECK_ERRNO(write(ends[1], "x", 1), EAGAIN);
    CHECK(close(ends[1]) == 0);
    long total = 0, part;
    while ((part = read(ends[0], buffer, 1000)) > 0)
        total += part;
    CHECK(part == 0 && total == 65536 && close(ends[0]) == 0);
}

// --- Many cores ---

enum { WORKERS = 8, ROUNDS = 200, MESSAGES = 5000 };

static int ends[2];

static void write_pipe(void *arg)
{
    (void)arg;
    for (int i = 0; i < MESSAGES; i++)
        CHECK(write(ends[1], &i, sizeof(i)) == sizeof(i));
    CHECK(close(ends[1]) == 0);
}

// More than fits: reader and writer wait for each other on two cores, when there are two.
static void pipe_between_cores(void)
{
    struct bm_work work;
    CHECK(pipe(ends) == 0);
    if (bm_core_count() == 1)
        return;
    bm_work_init(&work, write_pipe, NULL);
    bm_work_submit_on(1, &work);
    int value, expected = 0;
    while (read(ends[0], &value, sizeof(value)) == sizeof(value))
        CHECK(value == expected++);
    CHECK(expected == MESSAGES);
    bm_work_wait(&work);
    CHECK(close(ends[0]) == 0);
}

// Each worker has a directory of its own and names that it moves into the shared one, where others remove
// them.
static void worker(void *arg)
{
    char own[40], from[60], to[60];
    int number = (int)(long)arg;
    snprintf(own, sizeof(own), "/tmp/own%d", number);
    CHECK(mkdir(own, 0755) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(from, sizeof(from), "%s/%d", own, i);
        snprintf(to, sizeof(to), "/tmp/shared/%d", i % 10);
        int file = open(from, O_RDWR | O_CREAT | O_EXCL, 0644);
        CHECK(file >= 0 && write(file, from, sizeof(from)) == sizeof(from));
        CHECK(rename(from, to) == 0);
        int log = open("/tmp/log", O_WRONLY | O_APPEND);
        CHECK(log >= 0 && write(log, "0123456789", 10) == 10 && close(log) == 0);
        CHECK(pread(file, to, sizeof(to), 0) == sizeof(to) && memcmp(from, to, sizeof(to)) == 0);
        CHECK(close(file) == 0);
        snprintf(to, sizeof(to), "/tmp/shared/%d", (i + number) % 10);
        CHECK(unlink(to) == 0 || errno == ENOENT);
    }
    CHECK(rmdir(own) == 0);
}

static void use_cores(void)
{
    struct bm_work works[WORKERS];
    struct stat status;
    CHECK(mkdir("/tmp/shared", 0755) == 0);
    int log = open("/tmp/log", O_WRONLY | O_CREAT, 0644);
    CHECK(log >= 0 && close(log) == 0);
    for (long i = 0; i < WORKERS; i++) {
        bm_work_init(&works[i], worker, (void *)i);
        bm_work_submit(&works[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        bm_work_wait(&works[i]);
    CHECK(stat("/tmp/log", &status) == 0 && status.st_size == WORKERS * ROUNDS * 10);
    CHECK(stat("/tmp", &status) == 0 && status.st_nlink == 3);
}

// The space ends with an error, and comes back.
static void fill(void)
{
    long written = 0, part;
    struct statvfs before, full;
    int file = open("/tmp/all", O_WRONLY | O_CREAT, 0644);
    CHECK(statvfs("/tmp", &before) == 0 && before.f_bsize == 4096 && before.f_bfree <= before.f_blocks);
    while ((part = write(file, buffer, sizeof(buffer))) > 0)
        written += part;
    CHECK(part == -1 && errno == ENOSPC && written > 10 << 20);
    CHECK(fstatvfs(file, &full) == 0 && full.f_bfree == 0 && (long)before.f_bfree * 4096 > written);
    CHECK(unlink("/tmp/all") == 0 && close(file) == 0);
    file = open("/tmp/again", O_WRONLY | O_CREAT, 0644);
    CHECK(write(file, buffer, sizeof(buffer)) == sizeof(buffer) && close(file) == 0);
}

int main(void)
{
    write_and_read();
    use_stdio();
    change_embedded();
    use_directories();
    use_devices();
    use_pipes();
    pipe_between_cores();
    use_cores();
    fill();
    return passed();
}
