// /proc, /sys, /etc and /dev under musl, as run-times read them: formats, and values that other calls tell,
// too.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs procfs net drivers
// @file etc /etc
// @smp 2
// @memory 64
// @append dns=10.0.2.3 env.COLOUR=blue -- one two
// @device virtio-net-pci,netdev=n
// @argument -netdev user,id=n,restrict=on
// @expect ^PASS$

#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char text[65536];

// All of a file, in small reads.
static long slurp(const char *path)
{
    int file = open(path, O_RDONLY);
    long size = 0, part;
    memset(text, 0, sizeof text);
    CHECK(file >= 0);
    while ((part = read(file, text + size, 100)) > 0)
        size += part;
    CHECK(part == 0);
    close(file);
    return size;
}

static bool says(const char *path, const char *wanted)
{
    slurp(path);
    if (!strcmp(text, wanted))
        return true;
    printf("%s says '%s', not '%s'\n", path, text, wanted);
    return false;
}

static bool leads(const char *path, const char *wanted)
{
    char target[300] = {0};
    if (readlink(path, target, sizeof target - 1) > 0 && !strcmp(target, wanted))
        return true;
    printf("%s leads to '%s' (error %d), not '%s'\n", path, target, errno, wanted);
    return false;
}

static unsigned long value_of(const char *path, const char *key)
{
    slurp(path);
    const char *at = strstr(text, key);
    CHECK(at);
    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static void test_self(char **argv)
{
    char wanted[300];
    CHECK(leads("/proc/self", "1"));
    CHECK(leads("/proc/self/exe", "/linux_proc"));
    CHECK(leads("/proc/1/cwd", "/"));
    CHECK(leads("/proc/self/root", "/"));
    CHECK(chdir("/tmp") == 0 && leads("/proc/self/cwd", "/tmp") && chdir("/") == 0);
    CHECK(says("/proc/self/comm", "linux_proc\n"));
    CHECK(slurp("/proc/self/cmdline") == (long)strlen(argv[0]) + 9);
    CHECK(!strcmp(text, argv[0]) && !memcmp(text + strlen(text) + 1, "one\0two", 8));
    slurp("/proc/self/environ");
    CHECK(strstr(text, "COLOUR=blue"));
    CHECK(value_of("/proc/self/status", "\nPid:") == 1);
    CHECK(value_of("/proc/self/status", "\nThreads:") == 1);
    CHECK(value_of("/proc/self/status", "\nVmRSS:") > 100);
    CHECK(umask(027) == 022 && strstr((slurp("/proc/self/status"), text), "Umask:\t0027\n") &&
          umask(022) == 027);
    CHECK(strstr(text, "Cpus_allowed_list:\t0-1\n") && strstr(text, "Cpus_allowed:\t00000003\n"));
    CHECK(says("/proc/self/cgroup", "0::/\n"));
    slurp("/proc/self/stat");
    int fields = 0;
    for (char *at = strtok(text, " "); at; at = strtok(NULL, " "))
        fields++;
    CHECK(fields == 52);
    unsigned long size, resident;
    slurp("/proc/self/statm");
    CHECK(sscanf(text, "%lu %lu", &size, &resident) == 2 && size >= resident && resident > 100);
    slurp("/proc/self/limits");
    snprintf(wanted, sizeof wanted, "Max open files            %-20d %-20d files", 4096, 65536);
    CHECK(strstr(text, wanted));
    long bytes = slurp("/proc/self/auxv");
    bool page_size = false;
    for (Elf64_auxv_t *at = (Elf64_auxv_t *)text; (char *)at < text + bytes; at++)
        page_size |= at->a_type == AT_PAGESZ && at->a_un.a_val == getauxval(AT_PAGESZ);
    CHECK(page_size);
}

// Which line of maps an address is in, its access.
static const char *access_of(const void *address)
{
    static char access[5];
    unsigned long begin, end, last = 0;
    slurp("/proc/self/maps");
    strcpy(access, "none");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char said[5];
        CHECK(sscanf(line, "%lx-%lx %4s", &begin, &end, said) == 3 && begin < end && begin >= last);
        last = end;
        if ((unsigned long)address >= begin && (unsigned long)address < end)
            strcpy(access, said);
    }
    return access;
}

static void test_maps(void)
{
    static int data = 1;
    static const char constant[] = "constant";
    int local;
    char *mapped = mmap(NULL, 5 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(!strcmp(access_of((void *)test_maps), "r-xp"));
    CHECK(!strcmp(access_of(constant), "r--p"));
    CHECK(!strcmp(access_of(&data), "rw-p"));
    CHECK(!strcmp(access_of(&local), "rw-p"));
    CHECK(!strcmp(access_of(mapped + 4 * 4096), "r--p"));
    CHECK(munmap(mapped, 5 * 4096) == 0 && !strcmp(access_of(mapped + 4 * 4096), "none"));
    slurp("/proc/self/maps");
    CHECK(strstr(text, "[stack]\n") && strstr(text, " /linux_proc\n"));
}

static void test_descriptors(void)
{
    char path[60];
    struct stat status;
    int ends[2], file = open("/tmp/file", O_RDWR | O_CREAT, 0600), found = 0;
    int directory = open("/etc", O_RDONLY | O_DIRECTORY), device = open("/dev/zero", O_RDONLY);
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    CHECK(leads(path, "/tmp/file"));
    CHECK(rename("/tmp/file", "/tmp/other") == 0 && leads(path, "/tmp/other"));
    CHECK(stat(path, &status) == 0 && S_ISREG(status.st_mode));
    CHECK(write(file, "text", 4) == 4 && slurp(path) == 4);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
    slurp(path);
    CHECK(strstr(text, "pos:\t4\nflags:\t0100002\n"));
    snprintf(path, sizeof path, "/dev/fd/%d", directory);
    CHECK(leads(path, "/etc"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", device);
    CHECK(leads(path, "/dev/zero"));
    snprintf(path, sizeof path, "/proc/1/fd/%d", ends[1]);
    CHECK(readlink(path, text, sizeof text) > 6 && !strncmp(text, "pipe:[", 6));
    CHECK(leads("/proc/self/fd/1", "/dev/console") && leads("/dev/stdout", "/proc/self/fd/1"));
    CHECK(readlink("/proc/self/fd/77", text, sizeof text) == -1 && errno == ENOENT);
    CHECK(readlink("/proc/self/fd/01", text, sizeof text) == -1 && errno == ENOENT);
    DIR *list = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(list));)
        found += atoi(entry->d_name) == ends[0] || atoi(entry->d_name) == file;
    CHECK(found == 2);
    closedir(list);
    close(file);
    close(directory);
    close(device);
    close(ends[0]);
    close(ends[1]);
    int out = open("/dev/stdout", O_WRONLY);
    CHECK(out >= 0 && write(out, "to /dev/stdout\n", 15) == 15 && close(out) == 0);
}

// A descriptor's link leads to what it has, whatever has become of the name.
static void test_through(void)
{
    char path[60], byte;
    int file = open("/tmp/gone", O_RDWR | O_CREAT | O_EXCL, 0600), folder = open("/tmp", O_RDONLY), again;
    CHECK(file >= 0 && folder >= 0 && write(file, "abc", 3) == 3 && unlink("/tmp/gone") == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    again = open(path, O_RDONLY);
    CHECK(again >= 0 && read(again, &byte, 1) == 1 && byte == 'a' && close(again) == 0);
    CHECK(open(path, O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
    CHECK(open(path, O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
    again = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(again >= 0 && lseek(file, 0, SEEK_END) == 0 && write(again, "xy", 2) == 2);
    CHECK(pread(file, &byte, 1, 1) == 1 && byte == 'y' && close(again) == 0 && close(file) == 0);
    CHECK(open(path, O_RDONLY) == -1 && errno == ENOENT);

    file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    CHECK(file >= 0 && linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/named", AT_SYMLINK_FOLLOW) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d/named", folder);
    CHECK(access(path, R_OK) == 0 && unlink(path) == 0 && access("/tmp/named", F_OK) == -1);
    snprintf(path, sizeof path, "/proc/self/fd/%d/named", file);
    CHECK(access(path, R_OK) == -1 && errno == ENOTDIR && close(file) == 0 && close(folder) == 0);

    again = memfd_create("nameless", 0);
    snprintf(path, sizeof path, "/dev/fd/%d", again);
    file = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(again >= 0 && file >= 0 && write(file, "m", 1) == 1 && pread(again, &byte, 1, 0) == 1 &&
          byte == 'm');
    CHECK(close(file) == 0 && close(again) == 0);
}

// Limits that calls tell, too.
static void test_numbers(void)
{
    char wanted[100];
    struct utsname names;
    struct seminfo sets;
    struct msginfo queues;
    struct shminfo segments;
    int ends[2];
    CHECK(uname(&names) == 0 && semctl(0, 0, IPC_INFO, &sets) >= 0 && pipe(ends) == 0);
    CHECK(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&queues) >= 0);
    CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&segments) >= 0);
    snprintf(wanted, sizeof wanted, "%s\n", names.version);
    CHECK(says("/proc/sys/kernel/version", wanted) && says("/proc/sys/kernel/tainted", "0\n"));
    snprintf(wanted, sizeof wanted, "%d\t%d\t%d\t%d\n", sets.semmsl, sets.semmns, sets.semopm, sets.semmni);
    CHECK(says("/proc/sys/kernel/sem", wanted));
    CHECK(value_of("/proc/sys/kernel/msgmax", "") == (unsigned long)queues.msgmax);
    CHECK(value_of("/proc/sys/kernel/msgmnb", "") == (unsigned long)queues.msgmnb);
    CHECK(value_of("/proc/sys/kernel/msgmni", "") == (unsigned long)queues.msgmni);
    CHECK(value_of("/proc/sys/kernel/shmmax", "") == segments.shmmax);
    CHECK(value_of("/proc/sys/kernel/shmall", "") == segments.shmall);
    CHECK(value_of("/proc/sys/kernel/shmmni", "") == segments.shmmni);
    CHECK(value_of("/proc/sys/fs/pipe-max-size", "") == (unsigned long)fcntl(ends[0], F_GETPIPE_SZ));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    char *locked = mmap(NULL, 4 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(value_of("/proc/self/status", "VmLck:") == 0 && mlock(locked + 4096, 8192) == 0);
    CHECK(value_of("/proc/self/status", "VmLck:") == 8 && munmap(locked, 4 * 4096) == 0);
    CHECK(value_of("/proc/self/status", "VmLck:") == 0);
}

static void test_machine(void)
{
    struct sysinfo info;
    struct utsname names;
    sysinfo(&info);
    uname(&names);
    CHECK(value_of("/proc/meminfo", "MemTotal:") == info.totalram * info.mem_unit / 1024);
    CHECK(value_of("/proc/meminfo", "MemFree:") > 1024 && value_of("/proc/meminfo", "SwapTotal:") == 0);
    CHECK(value_of("/proc/cpuinfo", "\nprocessor\t: ") == 1);
    CHECK(strstr(text, "vendor_id\t: ") && strstr(text, " sse2 ") && strstr(text, " lm"));
    CHECK(value_of("/proc/stat", "\nbtime ") <= (unsigned long)time(NULL));
    CHECK(strstr(text, "\ncpu1 ") && !strstr(text, "\ncpu2 "));
    CHECK(strtod((slurp("/proc/uptime"), text), NULL) > 0);
    slurp("/proc/loadavg");
    CHECK(!strcmp(strchr(text, '/'), "/1 1\n"));
    slurp("/proc/version");
    CHECK(strstr(text, names.release));
    snprintf(text + 1000, 300, "%s\n", names.release);
    CHECK(says("/proc/sys/kernel/osrelease", strdup(text + 1000)));
    CHECK(says("/proc/sys/kernel/hostname", "baremetal\n"));
    char first[40];
    slurp("/proc/sys/kernel/random/uuid");
    CHECK(strlen(text) == 37 && text[14] == '4' && text[8] == '-' && text[23] == '-');
    memcpy(first, text, sizeof first);
    slurp("/proc/sys/kernel/random/uuid");
    CHECK(memcmp(first, text, sizeof first));
    slurp("/proc/sys/kernel/random/boot_id");
    memcpy(first, text, sizeof first);
    CHECK(slurp("/proc/sys/kernel/random/boot_id") == 37 && !memcmp(first, text, 37));
    CHECK(says("/sys/devices/system/cpu/online", "0-1\n"));
    CHECK(says("/sys/devices/system/cpu/cpu1/topology/core_id", "1\n") ||
          says("/sys/devices/system/cpu/cpu1/topology/physical_package_id", "1\n"));
    CHECK(open("/sys/devices/system/cpu/cpu2", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(says("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"));
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) == 2);
}

// Who keeps a file open and reads it again sees what is new; nothing can be changed.
static void test_files(void)
{
    struct stat status;
    struct statfs space;
    char path[300];
    int file = open("/proc/self/fd/../comm", O_RDONLY), maps = open("/proc/self/status", O_RDONLY);
    CHECK(fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0);
    CHECK(statfs("/proc", &space) == 0 && space.f_type == 0x9fa0);
    CHECK(pread(file, path, 3, 6) == 3 && !memcmp(path, "pro", 3));
    CHECK(lseek(file, 0, SEEK_END) == -1 && errno == EINVAL);
    CHECK(read(maps, text, 100) == 100);
    mode_t old = umask(0);
    CHECK(lseek(maps, 0, SEEK_SET) == 0 && read(maps, text, 200) > 50 && strstr(text, "Umask:\t0000\n"));
    umask(old);
    CHECK(open("/proc/self/comm", O_WRONLY) == -1 && errno == EROFS);
    CHECK(open("/proc/new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EROFS);
    CHECK(unlink("/proc/version") == -1 && errno == EROFS);
    CHECK(chdir("/sys/devices/system/cpu/cpu1/topology") == 0);
    CHECK(getcwd(path, sizeof path) && !strcmp(path, "/sys/devices/system/cpu/cpu1/topology"));
    CHECK(chdir("../..") == 0 && getcwd(path, sizeof path) && !strcmp(path, "/sys/devices/system/cpu"));
    CHECK(chdir("/") == 0 && close(file) == 0 && close(maps) == 0);
    slurp("/proc/mounts");
    CHECK(strstr(text, "tmpfs / tmpfs rw") == text && strstr(text, "\nproc /proc proc ro") &&
          strstr(text, "\nsysfs /sys sysfs ro") && strstr(text, "\ntmpfs /dev tmpfs rw"));
    slurp("/proc/self/mountinfo");
    CHECK(strstr(text, "1 0 0:1 / / rw,noatime - tmpfs tmpfs rw\n") == text);
    DIR *list = opendir("/sys/devices/system/cpu");
    char names[300] = "";
    for (struct dirent *entry; (entry = readdir(list));)
        strcat(strcat(names, entry->d_name), " ");
    closedir(list);
    CHECK(!strcmp(names, ". .. online possible present cpu0 cpu1 "));
}

static void test_etc(void)
{
    struct passwd *user = getpwuid(0);
    struct group *group = getgrnam("nogroup");
    struct protoent *protocol = getprotobyname("tcp");
    struct servent *service = getservbyname("https", "tcp");
    CHECK(user && !strcmp(user->pw_name, "root") && !getpwnam("someone"));
    CHECK(group && group->gr_gid == 65534);
    CHECK(protocol && protocol->p_proto == 6);
    CHECK(service && ntohs((uint16_t)service->s_port) == 443);
    slurp("/etc/hosts");
    CHECK(strstr(text, "localhost"));
    CHECK(says("/etc/nsswitch.conf", "hosts: dns\n")); // the image's own
    CHECK(says("/etc/resolv.conf", "nameserver 10.0.2.3\n"));
    CHECK(unlink("/etc/resolv.conf") == 0);
    FILE *own = fopen("/etc/resolv.conf", "w");
    CHECK(own && fputs("nameserver 127.0.0.1\n", own) >= 0 && fclose(own) == 0);
    CHECK(says("/etc/resolv.conf", "nameserver 127.0.0.1\n"));
    CHECK(open("/dev/ptmx", O_RDWR) == -1 && errno == ENOENT);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    test_self(argv);
    test_maps();
    test_descriptors();
    test_through();
    test_numbers();
    test_machine();
    test_files();
    test_etc();
    return passed();
}
