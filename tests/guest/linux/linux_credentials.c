// Users, groups and capabilities, and what they may do to files. The same source passes on Linux, as root.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs
// @script linux_oracle.py
// @machines q35

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { NOBODY = 65534, OTHER = 1000, THIRD = 2000, KEEP = -1 };

static bool is_now(unsigned real, unsigned effective, unsigned saved)
{
    uid_t r, e, s;
    return getresuid(&r, &e, &s) == 0 && r == real && e == effective && s == saved && getuid() == r &&
           geteuid() == e;
}

static bool is_group_now(unsigned real, unsigned effective, unsigned saved)
{
    gid_t r, e, s;
    return getresgid(&r, &e, &s) == 0 && r == real && e == effective && s == saved && getgid() == r &&
           getegid() == e;
}

// The calls themselves, since glibc's go to all threads.
static long set3(unsigned real, unsigned effective, unsigned saved)
{
    return syscall(SYS_setresuid, real, effective, saved);
}

static void be(unsigned user)
{
    CHECK(set3(KEEP, user, KEEP) == 0);
}

static void be_root(void)
{
    CHECK(set3(KEEP, 0, KEEP) == 0);
}

// --- Numbers ---

static void test_users(void)
{
    CHECK(is_now(0, 0, 0));
    CHECK_ERRNO(syscall(SYS_setuid, KEEP), EINVAL);
    CHECK(set3(OTHER, THIRD, 0) == 0 && is_now(OTHER, THIRD, 0));
    CHECK_ERRNO(set3(NOBODY, KEEP, KEEP), EPERM);
    CHECK_ERRNO(set3(KEEP, KEEP, NOBODY), EPERM);
    CHECK(is_now(OTHER, THIRD, 0));
    CHECK(syscall(SYS_setuid, OTHER) == 0 && is_now(OTHER, OTHER, 0)); // to the real one
    CHECK_ERRNO(syscall(SYS_setuid, THIRD), EPERM);
    CHECK(syscall(SYS_setuid, 0) == 0 && is_now(OTHER, 0, 0)); // to the saved one
    CHECK(syscall(SYS_setreuid, KEEP, THIRD) == 0 && is_now(OTHER, THIRD, THIRD));
    CHECK_ERRNO(syscall(SYS_setreuid, NOBODY, KEEP), EPERM);
    CHECK_ERRNO(syscall(SYS_setreuid, KEEP, 0), EPERM); // no way back
    CHECK(syscall(SYS_setreuid, THIRD, OTHER) == 0 && is_now(THIRD, OTHER, OTHER));
}

static void test_groups(void)
{
    gid_t groups[4];
    CHECK(setgroups(0, NULL) == 0 && getgroups(0, NULL) == 0);
    CHECK(setgroups(3, (gid_t[]){5, 7, 9}) == 0 && getgroups(0, NULL) == 3);
    CHECK(getgroups(4, groups) == 3 && groups[0] == 5 && groups[1] == 7 && groups[2] == 9);
    CHECK_ERRNO(getgroups(2, groups), EINVAL);
    CHECK_ERRNO(getgroups(-1, groups), EINVAL);
    CHECK_ERRNO(syscall(SYS_getgroups, 4, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_setgroups, 65537, groups), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgroups, -1, groups), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgroups, 2, (gid_t[]){1, KEEP}), EINVAL);
    CHECK(getgroups(0, NULL) == 3);
    CHECK(syscall(SYS_setresgid, OTHER, THIRD, 0) == 0 && is_group_now(OTHER, THIRD, 0));
    be(NOBODY);
    CHECK_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
    CHECK_ERRNO(syscall(SYS_setgid, 5), EPERM); // a supplementary one is none of the three
    CHECK_ERRNO(syscall(SYS_setregid, NOBODY, KEEP), EPERM);
    CHECK_ERRNO(syscall(SYS_setresgid, KEEP, KEEP, NOBODY), EPERM);
    CHECK(syscall(SYS_setregid, KEEP, 0) == 0 && is_group_now(OTHER, 0, 0));
    CHECK(syscall(SYS_setgid, OTHER) == 0 && is_group_now(OTHER, OTHER, 0));
    be_root();
    CHECK(syscall(SYS_setgid, 0) == 0 && is_group_now(0, 0, 0) && setgroups(0, NULL) == 0);
}

static void test_files_user(void)
{
    CHECK(setfsuid(KEEP) == 0 && setfsuid(OTHER) == 0 && setfsuid(KEEP) == OTHER);
    CHECK(is_now(0, 0, 0));
    CHECK_ERRNO(open("/tmp/secret", O_RDONLY), EACCES);
    CHECK(setfsuid(0) == OTHER && setfsgid(OTHER) == 0 && setfsgid(0) == OTHER);
    int file = open("/tmp/secret", O_RDONLY);
    CHECK(file >= 0 && close(file) == 0);
    be(NOBODY);
    CHECK(setfsuid(OTHER) == NOBODY && setfsuid(0) == NOBODY && setfsuid(NOBODY) == 0);
    be_root();
    CHECK(setfsuid(KEEP) == 0);
}

// --- Capabilities ---

struct header {
    uint32_t version;
    int process;
};

struct words {
    uint32_t effective, permitted, inheritable;
};

static struct words capabilities(void)
{
    struct header header = {0x20080522, 0};
    struct words data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    return data[0];
}

static void test_capabilities(void)
{
    enum { CHOWN = 1, OVERRIDE = 2, READ_SEARCH = 4 };
    struct header header = {0x20080522, 0}, other = {0x20080522, 4711};
    struct words data[2], less[2];
    CHECK(syscall(SYS_capget, &header, data) == 0 && data[0].effective == data[0].permitted);
    be(NOBODY);
    CHECK(capabilities().effective == 0 && capabilities().permitted == data[0].permitted);
    be_root();
    CHECK(capabilities().effective == data[0].effective);
    memcpy(less, data, sizeof less);
    less[0].effective &= ~(uint32_t)(CHOWN | OVERRIDE | READ_SEARCH);
    CHECK(syscall(SYS_capset, &header, less) == 0 && capabilities().effective == less[0].effective);
    CHECK_ERRNO(chown("/tmp/theirs", 0, 0), EPERM);
    CHECK_ERRNO(open("/tmp/theirs", O_RDONLY), EACCES);
    less[0].permitted &= ~(uint32_t)CHOWN;
    less[0].effective |= CHOWN; // effective without being permitted
    CHECK_ERRNO(syscall(SYS_capset, &header, less), EPERM);
    CHECK(syscall(SYS_capset, &header, data) == 0 && capabilities().effective == data[0].effective);
    CHECK_ERRNO(syscall(SYS_capset, &other, data), EPERM);
    CHECK(syscall(SYS_capset, &header, NULL) < 0 && errno == EFAULT);
    CHECK(prctl(PR_CAPBSET_READ, 5) == 1 && prctl(PR_CAPBSET_DROP, 5) == 0 && prctl(PR_CAPBSET_READ, 5) == 0);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 64), EINVAL);
    memcpy(less, data, sizeof less);
    less[0].inheritable = 1 << 5; // which nobody may inherit any more
    CHECK_ERRNO(syscall(SYS_capset, &header, less), EPERM);
    be(NOBODY);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 6), EPERM);
    be_root();
}

// --- Files ---

static void make(const char *path, unsigned mode, unsigned user, unsigned group)
{
    int file = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
    CHECK(file >= 0 && close(file) == 0 && chown(path, user, group) == 0 && chmod(path, mode) == 0);
}

static void make_directory(const char *path, unsigned mode, unsigned user)
{
    CHECK(mkdir(path, 0700) == 0 && chown(path, user, user) == 0 && chmod(path, mode) == 0);
}

static bool opens(const char *path, int flags)
{
    errno = 0;
    int file = open(path, flags, 0600);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static void test_open(void)
{
    make("mine", 0400, OTHER, OTHER);
    make("group", 0040, 0, THIRD);
    make("others", 0006, 0, 0);
    make("none", 0066, OTHER, OTHER); // the first class that fits alone counts
    CHECK(setgroups(1, (gid_t[]){THIRD}) == 0 && opens("none", O_RDWR));
    be(OTHER);
    CHECK(opens("mine", O_RDONLY) && opens("mine", O_PATH));
    CHECK(!opens("mine", O_WRONLY) && errno == EACCES);
    CHECK(!opens("mine", O_RDONLY | O_TRUNC) && errno == EACCES);
    CHECK(opens("group", O_RDONLY) && !opens("group", O_RDWR) && errno == EACCES);
    CHECK(opens("others", O_RDWR) && !opens("none", O_RDONLY) && errno == EACCES);
    CHECK(!opens("others", O_RDONLY | O_NOATIME) && errno == EPERM);
    CHECK(!opens("new", O_CREAT | O_WRONLY) && errno == EACCES);
    CHECK(!opens(".", O_TMPFILE | O_RDWR) && errno == EACCES);
    CHECK_ERRNO(truncate("mine", 0), EACCES);
    be_root();
    CHECK(setgroups(0, NULL) == 0);
}

static void test_search(void)
{
    make_directory("closed", 0744, 0);
    make("closed/file", 0666, 0, 0);
    make_directory("passage", 0711, 0);
    make("passage/file", 0666, 0, 0);
    struct stat status;
    be(OTHER);
    CHECK_ERRNO(stat("closed/file", &status), EACCES);
    CHECK_ERRNO(stat("closed/missing", &status), EACCES);
    CHECK_ERRNO(stat("closed/..", &status), EACCES);
    CHECK_ERRNO(chdir("closed"), EACCES);
    CHECK(opens("closed", O_RDONLY | O_DIRECTORY) && !opens("closed/file", O_RDONLY) && errno == EACCES);
    CHECK(opens("passage/file", O_RDWR) && !opens("passage", O_RDONLY) && errno == EACCES);
    CHECK(chdir("passage") == 0 && chdir("..") == 0);
    be_root();
}

static void test_access(void)
{
    make("run", 0644, 0, 0);
    CHECK(access("run", R_OK | W_OK) == 0); // root executes what somebody may
    CHECK_ERRNO(access("run", X_OK), EACCES);
    be(OTHER);
    CHECK(access("run", W_OK) == 0); // the real user is root yet
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "run", W_OK, AT_EACCESS), EACCES);
    CHECK(access("closed/file", R_OK) == 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "closed/file", F_OK, AT_EACCESS), EACCES);
    be_root();
    CHECK(set3(OTHER, KEEP, KEEP) == 0);
    CHECK(access("run", R_OK) == 0 && syscall(SYS_faccessat2, AT_FDCWD, "run", W_OK, AT_EACCESS) == 0);
    CHECK_ERRNO(access("run", W_OK), EACCES);
    CHECK_ERRNO(access("closed/file", F_OK), EACCES);
    CHECK(set3(0, KEEP, KEEP) == 0);
}

static void test_names(void)
{
    make_directory("sticky", 01777, 0);
    make("sticky/theirs", 0666, THIRD, THIRD);
    make("sticky/mine", 0600, OTHER, OTHER);
    make_directory("sticky/moved", 0755, OTHER);
    make_directory("sticky/fixed", 0555, OTHER);
    make_directory("own", 0755, OTHER);
    be(OTHER);
    CHECK_ERRNO(mkdir("new", 0700), EACCES);
    CHECK_ERRNO(symlink("x", "new"), EACCES);
    CHECK_ERRNO(mkfifo("new", 0600), EACCES);
    CHECK_ERRNO(link("sticky/mine", "new"), EACCES);
    CHECK_ERRNO(unlink("run"), EACCES);
    CHECK_ERRNO(rmdir("own"), EACCES);
    CHECK_ERRNO(rename("run", "new"), EACCES);
    CHECK_ERRNO(mknod("own/device", S_IFCHR | 0600, 259), EPERM);
    CHECK_ERRNO(unlink("sticky/theirs"), EPERM);
    CHECK_ERRNO(rename("sticky/theirs", "sticky/other"), EPERM);
    CHECK_ERRNO(rename("sticky/mine", "sticky/theirs"), EPERM);
    CHECK(rename("sticky/mine", "own/mine") == 0 && unlink("own/mine") == 0);
    CHECK(rename("sticky/moved", "own/moved") == 0 && rmdir("own/moved") == 0);
    CHECK_ERRNO(rename("sticky/fixed", "own/fixed"), EACCES); // its .. would change
    CHECK(rename("sticky/fixed", "sticky/fixed2") == 0 && rmdir("sticky/fixed2") == 0);
    be_root();
    CHECK(unlink("sticky/theirs") == 0);
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    CHECK(stat(path, &status) == 0);
    return status.st_mode & 07777;
}

static bool belongs(const char *path, unsigned user, unsigned group)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_uid == user && status.st_gid == group;
}

static void test_changes(void)
{
    const struct timeval times[2] = {{1, 0}, {2, 0}};
    make("all", 0666, 0, 0);
    make("set", 06755, OTHER, OTHER);
    CHECK(chown("set", OTHER, THIRD) == 0 && mode_of("set") == 0755);
    CHECK(setgroups(1, (gid_t[]){THIRD}) == 0);
    be(OTHER);
    CHECK_ERRNO(chmod("all", 0600), EPERM);
    CHECK_ERRNO(chown("all", OTHER, KEEP), EPERM);
    CHECK_ERRNO(chown("set", NOBODY, KEEP), EPERM);
    CHECK_ERRNO(chown("set", KEEP, NOBODY), EPERM);
    CHECK(chown("set", OTHER, THIRD) == 0 && chmod("set", 02755) == 0 && mode_of("set") == 02755);
    CHECK_ERRNO(utimes("all", times), EPERM);
    CHECK(utimes("all", NULL) == 0 && utimes("set", times) == 0);
    CHECK_ERRNO(utimes("run", NULL), EACCES);
    int file = open("all", O_RDWR);
    CHECK(file >= 0 && ftruncate(file, 10) == 0);
    CHECK_ERRNO(fchmod(file, 0600), EPERM);
    CHECK_ERRNO(fchown(file, OTHER, KEEP), EPERM);
    CHECK(close(file) == 0);
    be_root();
    CHECK(setgroups(0, NULL) == 0);
    be(OTHER);
    CHECK(chmod("set", 02755) == 0 && mode_of("set") == 0755); // of a group that is not one's own
    be_root();
}

static void test_owners(void)
{
    make_directory("shared", 02777, THIRD);
    be(OTHER);
    CHECK(mkdir("own/folder", 0755) == 0 && belongs("own/folder", OTHER, OTHER));
    CHECK(opens("own/file", O_CREAT | O_RDWR) && belongs("own/file", OTHER, OTHER));
    CHECK(mkfifo("own/pipe", 0600) == 0 && belongs("own/pipe", OTHER, OTHER));
    CHECK(opens("shared/file", O_CREAT | O_RDWR) && belongs("shared/file", OTHER, THIRD));
    CHECK(mkdir("shared/folder", 0755) == 0 && belongs("shared/folder", OTHER, THIRD));
    CHECK(mode_of("shared/folder") == 02755);
    be_root();
}

static void begin(void)
{
    char folder[] = "/tmp/bm-who-XXXXXX";
    umask(022);
    CHECK(unlink("/tmp/secret") == 0 || errno == ENOENT);
    CHECK(unlink("/tmp/theirs") == 0 || errno == ENOENT);
    make("/tmp/secret", 0600, 0, 0);
    make("/tmp/theirs", 0600, NOBODY, NOBODY);
    CHECK(mkdtemp(folder) && chmod(folder, 0755) == 0 && chdir(folder) == 0);
}

int main(void)
{
    if (geteuid() != 0) // nobody but root can do it on Linux
        return passed();
    begin();
    test_groups();
    test_files_user();
    test_capabilities();
    CHECK(syscall(SYS_setresgid, KEEP, OTHER, KEEP) == 0);
    test_open();
    test_search();
    test_access();
    test_names();
    test_changes();
    test_owners();
    test_users(); // there is no way back
    CHECK(prctl(PR_GET_KEEPCAPS) == 0 && capabilities().permitted == 0);
    return passed();
}
