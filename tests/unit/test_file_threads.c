// The file service on many cores at once: names that several want, appends, a pipe, links that come and go.
// SPDX-License-Identifier: MIT
// @sanitize thread
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pipe.c libbaremetal/file/pool.c libbaremetal/file/table.c
// @sources libbaremetal/file/tmpfs.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_pages.c
// @sources libbaremetal/file/wait.c libbaremetal/file/walk.c libbaremetal/file/working.c
// @sources libbaremetal/file/writable.c
// @sources libbaremetal/file/watch.c libbaremetal/wait/interrupt.c libbaremetal/wait/waitqueue.c
// @sources libbaremetal/base/stack.c
#include "file_host/file_host.h"

#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { AT = BM_AT_FDCWD, THREADS = 4, ROUNDS = 1500 };

const struct bm_embedded_file bm_embedded_files[] = {{"/a/b", "text", 4, ""}};
const size_t bm_embedded_file_count = 1;

static _Atomic(int) made, removed, started;
static int ends[2];

static void together(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    atomic_store(&started, 0);
    for (long i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void begin(long number)
{
    own_core = (unsigned)number;
    atomic_fetch_add(&started, 1);
    while (atomic_load(&started) < THREADS)
        sched_yield();
}

// The root is made by whoever comes first; of all that make or remove a name, one succeeds each time.
static void *names(void *arg)
{
    char name[40];
    begin((long)arg);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "/a/%d", i % 7);
        int result = i & 8 ? bm_path_unlink(AT, name, 0)
                           : bm_path_open(AT, name, BM_O_RDWR | BM_O_CREAT | BM_O_EXCL, 0644);
        if (result >= 0) {
            atomic_fetch_add(i & 8 ? &removed : &made, 1);
            if (!(i & 8) && bm_file_close(result))
                abort();
        } else if (result != (i & 8 ? -BM_ENOENT : -BM_EEXIST)) {
            abort();
        }
    }
    return NULL;
}

static void names_are_single(void **state)
{
    (void)state;
    char name[40];
    int left = 0;
    together(names);
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "/a/%d", i);
        left += bm_path_unlink(AT, name, 0) == 0;
    }
    assert_int_equal(made - removed, left);
}

static void *appends(void *arg)
{
    int number = (int)(long)arg;
    begin(number);
    for (int i = 0; i < ROUNDS; i++) {
        int record[2] = {number, i};
        int descriptor = bm_path_open(AT, "/tmp/log", BM_O_WRONLY | BM_O_APPEND | BM_O_CREAT, 0644);
        struct bm_file *file = bm_file_acquire(descriptor);
        if (file->ops->write(file, record, sizeof record) != sizeof record)
            abort();
        bm_file_release(file);
        bm_file_close(descriptor);
    }
    return NULL;
}

static void appends_are_whole(void **state)
{
    (void)state;
    int record[2], next[THREADS] = {0}, count = 0;
    together(appends);
    int descriptor = bm_path_open(AT, "/tmp/log", BM_O_RDONLY, 0);
    struct bm_file *file = bm_file_acquire(descriptor);
    for (; file->ops->read(file, record, sizeof record) == sizeof record; count++)
        assert_int_equal(record[1], next[record[0]]++);
    assert_int_equal(count, THREADS * ROUNDS);
    bm_file_release(file);
    bm_file_close(descriptor);
}

// Directories are moved into each other and back, and files in them opened and removed while open.
static void *moves(void *arg)
{
    struct bm_file_status status;
    begin((long)arg);
    for (int i = 0; i < ROUNDS; i++) {
        switch ((i + (int)(long)arg) % 8) {
        case 0:
            bm_path_mkdir(AT, "/tmp/x", 0755);
            break;
        case 1:
            bm_path_rename(AT, "/tmp/x", AT, "/tmp/y/x", 0);
            break;
        case 2:
            bm_path_mkdir(AT, "/tmp/y", 0755);
            break;
        case 3:
            bm_path_rename(AT, "/tmp/y/x", AT, "/tmp/x", 0);
            break;
        case 4:
            bm_path_status(AT, "/tmp/y/x/../../x/..", 0, &status);
            break;
        case 5:
            bm_path_rename(AT, "/tmp/y", AT, "/tmp/x/y", 0);
            break;
        case 6:
            bm_path_unlink(AT, "/tmp/x/y", BM_AT_REMOVEDIR);
            break;
        default:
            bm_path_unlink(AT, "/tmp/x", BM_AT_REMOVEDIR);
        }
    }
    return NULL;
}

// Removes an x or y and what lies in it: a y with an x in it that itself goes into an x makes /tmp/x/y/x, and
// so on.
static void remove_tree(const char *path)
{
    char inner[1024];
    if (bm_path_unlink(AT, path, BM_AT_REMOVEDIR) != -BM_ENOTEMPTY)
        return;
    for (const char *name = "xy"; *name; name++) {
        assert_true((size_t)snprintf(inner, sizeof inner, "%s/%c", path, *name) < sizeof inner);
        remove_tree(inner);
    }
    assert_int_equal(bm_path_unlink(AT, path, BM_AT_REMOVEDIR), 0);
}

static void moves_keep_a_tree(void **state)
{
    (void)state;
    struct bm_file_status status;
    together(moves);
    remove_tree("/tmp/x");
    remove_tree("/tmp/y");
    assert_int_equal(bm_path_status(AT, "/tmp", 0, &status), 0);
    assert_int_equal(status.links, 2);
    // The root, /a, /a/b, /tmp, /tmp/log; what was removed while somebody stood in it is gone, too.
    assert_int_equal(((struct tmpfs *)bm_mount_first())->inodes, 5);
}

// Two write records of their own, two read them: none is torn or lost.
static void *pipes(void *arg)
{
    long number = (long)arg, sum = 0;
    begin(number);
    bool writing = number % 2;
    struct bm_file *end = bm_file_acquire(ends[writing]);
    for (long i = 0; i < 20 * ROUNDS; i++) {
        long record[2] = {i, ~i};
        if (writing ? end->ops->write(end, record, sizeof record) != sizeof record
                    : end->ops->read(end, record, sizeof record) != sizeof record || record[0] != ~record[1])
            abort();
        sum += record[0];
    }
    bm_file_release(end);
    return (void *)sum;
}

static void pipe_records_are_whole(void **state)
{
    (void)state;
    assert_int_equal(bm_pipe_open(ends, 0), 0);
    together(pipes);
    bm_file_close(ends[0]);
    bm_file_close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_single),
        cmocka_unit_test(appends_are_whole),
        cmocka_unit_test(moves_keep_a_tree),
        cmocka_unit_test(pipe_records_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
