// Disks as files: /dev/vda and its partition, in parts of sectors and in many at once; what is written is on
// the disk, which disk_file.py looks at.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @link devfs virtio_blk nvme ahci
// @script disk_file.py

#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 16 << 20, PART = 3000001, SECTOR_SIZE = 0x1268 };
#define SIZE_BYTES 0x80081272ul

static unsigned char buffer[PART + 1], other[PART + 1];

// Linux' ioctls: sizes, zeros, discard. The disk has 1 MiB of 0x5a from 1 MiB on.
static void control_test(const char *name, int sector_wanted)
{
    enum {
        DISCARD = 0x1277,
        IO_MIN = 0x1278,
        PHYSICAL_SIZE = 0x127b,
        ZERO_OUT = 0x127f,
        FLUSH = 0x1261,
        MIB = 1 << 20
    };
    int disk = open(name, O_RDWR), sector = 0, physical = 0;
    uint64_t bytes = 0;
    CHECK(disk >= 0);
    CHECK(ioctl(disk, SIZE_BYTES, &bytes) == 0 && bytes == 4 * MIB);
    CHECK(ioctl(disk, SECTOR_SIZE, &sector) == 0 && sector == sector_wanted);
    CHECK(ioctl(disk, PHYSICAL_SIZE, &physical) == 0 && physical >= sector);
    CHECK(ioctl(disk, IO_MIN, &physical) == 0 && physical >= sector);
    CHECK(pread(disk, other + 1, MIB + 100, MIB - 50) == MIB + 100 && other[50] == 0 && other[51] == 0x5a &&
          other[MIB + 50] == 0x5a && other[MIB + 51] == 0);
    uint64_t range[2] = {MIB + 4096, 8192};
    CHECK(ioctl(disk, ZERO_OUT, range) == 0);
    CHECK(pread(disk, other, 16384, MIB) == 16384 && other[4095] == 0x5a && other[12288] == 0x5a);
    for (int i = 4096; i < 12288; i++)
        CHECK(other[i] == 0);
    range[0] = MIB + 65536;
    CHECK(ioctl(disk, DISCARD, range) == 0 || errno == EOPNOTSUPP);
    range[0]++;
    CHECK_ERRNO(ioctl(disk, DISCARD, range), EINVAL);
    range[0] = 4 * MIB - 4096;
    CHECK_ERRNO(ioctl(disk, ZERO_OUT, range), EINVAL);
    CHECK(pwrite(disk, "tail", 4, 4 * MIB - 4) == 4 && ioctl(disk, FLUSH, 0) == 0 && close(disk) == 0);
    disk = open(name, O_RDONLY);
    CHECK_ERRNO(ioctl(disk, ZERO_OUT, range), EBADF);
    CHECK(close(disk) == 0);
}

#ifdef __linux__
#include <pthread.h>

// Into a stack of which nothing was touched yet: the device reaches memory, not mappings.
static void *read_onto_stack(void *arg)
{
    enum { STACK_USED = 300000, FROM = 3 << 20 };
    int disk = *(const int *)arg;
    __attribute__((aligned(4096))) unsigned char bytes[STACK_USED];
    CHECK(pread(disk, bytes, 65536, FROM) == 65536 && pread(disk, other, 65536, FROM) == 65536);
    CHECK(!memcmp(bytes, other, 65536));
    return NULL;
}

static void stack_test(int disk)
{
    pthread_t thread;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 1 << 20) == 0);
    CHECK(pthread_create(&thread, &attributes, read_onto_stack, &disk) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}
#else
static void stack_test(int disk)
{
    (void)disk;
}
#endif

int main(void)
{
    struct stat status;
    int sector = 0;
    uint64_t bytes = 0;
    int disk = open("/dev/vda", O_RDWR), part = open("/dev/vda1", O_RDWR);
    CHECK(disk >= 0 && part >= 0 && fstat(disk, &status) == 0 && S_ISBLK(status.st_mode));
    CHECK(ioctl(disk, SIZE_BYTES, &bytes) == 0 && bytes == SIZE);
    CHECK(ioctl(disk, SECTOR_SIZE, &sector) == 0 && (sector == 512 || sector == 4096));
    CHECK(lseek(disk, 0, SEEK_END) == SIZE && lseek(part, 0, SEEK_END) == 8 << 20);
    for (int i = 0; i < PART; i++)
        buffer[i] = (unsigned char)(i * 7 + i / 251);
    CHECK(pwrite(part, buffer, PART, 1000) == PART);
    CHECK(pread(part, other, PART, 1000) == PART && !memcmp(buffer, other, PART));
    CHECK(pread(disk, other, 5000, (4 << 20) + 1001) == 5000 && !memcmp(buffer + 1, other, 5000));
    CHECK(pread(disk, other + 1, 8192, (4 << 20) + 8192) == 8192 && !memcmp(buffer + 7192, other + 1, 8192));
    stack_test(disk);
    CHECK(lseek(disk, SIZE - 10, SEEK_SET) == SIZE - 10 && write(disk, "0123456789x", 11) == 10);
    CHECK_ERRNO(write(disk, "x", 1), ENOSPC);
    CHECK(read(disk, other, 1) == 0);
    CHECK(fsync(disk) == 0 && close(disk) == 0 && close(part) == 0);
    CHECK_ERRNO(open("/dev/vdb", O_RDWR), EACCES); // it can only be read
    disk = open("/dev/vdb", O_RDONLY);
    CHECK(disk >= 0 && read(disk, other, 700) == 700 && other[0] == 'r' && other[699] == 'r' &&
          close(disk) == 0);
    CHECK_ERRNO(open("/dev/vdc", O_RDONLY), ENOENT);
    CHECK(mknod("/tmp/disk", S_IFBLK | 0600, (dev_t)(254 << 8 | 9)) == 0);
    CHECK_ERRNO(open("/tmp/disk", O_RDONLY), ENXIO);
    control_test("/dev/nvme0n1", 4096);
    control_test("/dev/sda", 512);
    return passed();
}
