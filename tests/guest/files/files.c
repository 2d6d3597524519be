// Files embedded at build time are read by POSIX calls and stdio; writing them is refused.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @file tree /

#include <baremetal/file.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static const char greeting[] = "Hello from a file.\nSecond line.\n";
enum { BYTES = 10000 };

static unsigned char byte_at(int i)
{
    return (unsigned char)(i * i / 7 + i);
}

static void read_by_calls(void)
{
    char buffer[64] = {0};
    int file = open("/greeting.txt", O_RDONLY);
    CHECK(file >= 3);
    struct stat status;
    CHECK(fstat(file, &status) == 0);
    CHECK(status.st_size == (off_t)strlen(greeting));
    CHECK(S_ISREG(status.st_mode));
    CHECK(read(file, buffer, sizeof(buffer)) == (ssize_t)strlen(greeting));
    CHECK(strcmp(buffer, greeting) == 0);
    CHECK(read(file, buffer, sizeof(buffer)) == 0);
    CHECK(lseek(file, 6, SEEK_SET) == 6);
    CHECK(read(file, buffer, 4) == 4);
    CHECK(memcmp(buffer, "from", 4) == 0);
    CHECK(lseek(file, -2, SEEK_END) == (off_t)strlen(greeting) - 2);
    CHECK(lseek(file, 1, SEEK_CUR) == (off_t)strlen(greeting) - 1);
    CHECK(read(file, buffer, 9) == 1 && buffer[0] == '\n');
    CHECK_ERRNO(lseek(file, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(file, 0, 77), EINVAL);
    CHECK(lseek(file, 1000, SEEK_SET) == 1000);
    CHECK(read(file, buffer, 9) == 0);
    CHECK_ERRNO(write(file, "x", 1), EBADF);
    CHECK(close(file) == 0);
    CHECK_ERRNO(close(file), EBADF);
    CHECK_ERRNO(read(file, buffer, 1), EBADF);
}

static void read_by_stdio(void)
{
    char line[64];
    FILE *file = fopen("/greeting.txt", "r");
    CHECK(file != NULL);
    CHECK(fgets(line, sizeof(line), file) != NULL);
    CHECK(strcmp(line, "Hello from a file.\n") == 0);
    CHECK(fgets(line, sizeof(line), file) != NULL);
    CHECK(fgets(line, sizeof(line), file) == NULL && feof(file));
    CHECK(fclose(file) == 0);
    static unsigned char bytes[BYTES + 1];
    file = fopen("/deep/bytes.bin", "rb");
    CHECK(file != NULL);
    CHECK(fread(bytes, 1, sizeof(bytes), file) == BYTES);
    for (int i = 0; i < BYTES; i++) {
        CHECK(bytes[i] == byte_at(i));
    }
    CHECK(fseek(file, 5000, SEEK_SET) == 0);
    CHECK(fgetc(file) == byte_at(5000));
    CHECK(ftell(file) == 5001);
    CHECK(fclose(file) == 0);
}

static void refuse(void)
{
    CHECK_ERRNO(open("/greeting.txt", O_WRONLY), EROFS);
    CHECK_ERRNO(open("/greeting.txt", O_RDWR), EROFS);
    CHECK_ERRNO(open("/new", O_WRONLY | O_CREAT, 0644), EROFS);
    CHECK_ERRNO(open("/missing", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
    CHECK(fopen("/greeting.txt", "w") == NULL);
    struct stat status;
    CHECK_ERRNO(stat("/missing", &status), ENOENT);
    CHECK(stat("/empty", &status) == 0);
    CHECK(status.st_size == 0);
}

// Takes every descriptor and gives them back.
static void exhaust(void)
{
    static int files[BM_FILES_MAX];
    int count = 0;
    while (count < BM_FILES_MAX && (files[count] = open("/empty", O_RDONLY)) >= 0) {
        count++;
    }
    CHECK(count > 100);
    CHECK(count < BM_FILES_MAX && (errno == EMFILE || errno == ENFILE || errno == ENOMEM));
    while (count > 0) {
        CHECK(close(files[--count]) == 0);
    }
    int file = open("/empty", O_RDONLY);
    CHECK(file == 3);
    CHECK(close(file) == 0);
}

int main(void)
{
    read_by_calls();
    read_by_stdio();
    refuse();
    exhaust();
    const struct bm_embedded_file *found = bm_embedded_file_find("/greeting.txt");
    CHECK(found != NULL && found->size == strlen(greeting) && found->hash[0] != 0);
    CHECK(bm_embedded_file_find("/greeting") == NULL);
    return passed();
}
