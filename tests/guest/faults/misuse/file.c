// Rules of path.h, inode.h, mount.h, file_watch.h and of file.h's pipes.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/mount.h>
#include <baremetal/path.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;

// @misuse handler_opens bm_path_open: it must not be called in an interrupt handler
MISUSE(handler_opens)
{
    bm_path_open(BM_AT_FDCWD, "/file", BM_O_RDONLY, 0);
}

MISUSE(open_in_handler)
{
    misuse_in_handler(handler_opens);
}

// @misuse poller_removes bm_path_unlink: it must not be called in a poller
MISUSE(poller_removes)
{
    bm_path_unlink(BM_AT_FDCWD, "/file", 0);
}

MISUSE(remove_in_poller)
{
    misuse_in_poller(poller_removes);
}

// @misuse directory_with_lock bm_path_mkdir: it must not be called with a spinlock held
MISUSE(directory_with_lock)
{
    bm_spinlock_acquire(&lock);
    bm_path_mkdir(BM_AT_FDCWD, "/directory", 0777);
}

static const struct bm_inode_ops no_ops;

// @misuse inode_given_back_twice bm_inode_put: a reference to an inode must be given back once
MISUSE(inode_given_back_twice)
{
    static struct bm_inode inode = {.ops = &no_ops};
    bm_inode_put(&inode);
}

// @misuse mount_without_root bm_mount_add: a file system must have a root with operations
MISUSE(mount_without_root)
{
    static struct bm_mount mount = {.kind = "none"};
    bm_mount_add(&mount, "/tmp");
}

// @misuse handler_makes_pipe bm_pipe_open: it must not be called in an interrupt handler
MISUSE(handler_makes_pipe)
{
    int ends[2];
    bm_pipe_open(ends, 0);
}

MISUSE(pipe_in_handler)
{
    misuse_in_handler(handler_makes_pipe);
}

static bool changed(struct bm_file_watcher *watcher, int events)
{
    (void)watcher, (void)events;
    return true;
}

static bool ask(struct bm_file_wait *wait)
{
    return wait->told;
}

static struct bm_file_watchers list, second_list;

// @misuse watcher_without_function bm_file_watch: a watcher must have a function `changed`
MISUSE(watcher_without_function)
{
    static struct bm_file_watcher watcher;
    bm_file_watch(&list, &watcher);
}

// @misuse watcher_of_two bm_file_watch: a watcher must not watch two files
MISUSE(watcher_of_two)
{
    static struct bm_file_watcher watcher = {.changed = changed};
    bm_file_watch(&list, &watcher);
    bm_file_watch(&second_list, &watcher);
}

// @misuse watcher_of_none bm_file_unwatch: a watcher must be in a list
MISUSE(watcher_of_none)
{
    static struct bm_file_watcher watcher = {.changed = changed};
    bm_file_watch(&list, &watcher);
    bm_file_unwatch(&watcher);
    bm_file_unwatch(&watcher);
}

// @misuse handler_tells bm_file_changed: it must not be called in an interrupt handler
MISUSE(handler_tells)
{
    bm_file_changed(&list, BM_POLLIN);
}

MISUSE(change_in_handler)
{
    misuse_in_handler(handler_tells);
}

// @misuse handler_ends bm_file_gone: it must not be called in an interrupt handler
MISUSE(handler_ends)
{
    bm_file_gone(&list);
}

MISUSE(end_in_handler)
{
    misuse_in_handler(handler_ends);
}

// @misuse files_with_lock bm_file_wait: it must not be called with a spinlock held
MISUSE(files_with_lock)
{
    struct bm_file_wait wait = {.ask = ask};
    bm_spinlock_acquire(&lock);
    bm_file_wait(&wait, 0);
}

// @misuse poller_awaits_files bm_file_wait: it must not be called in a poller
MISUSE(poller_awaits_files)
{
    struct bm_file_wait wait = {.ask = ask};
    bm_file_wait(&wait, 0);
}

MISUSE(wait_in_poller)
{
    misuse_in_poller(poller_awaits_files);
}

const struct misuse misuse_file[] = {
    {"handler_opens", open_in_handler},
    {"poller_removes", remove_in_poller},
    MISUSE_CASE(directory_with_lock),
    MISUSE_CASE(inode_given_back_twice),
    MISUSE_CASE(mount_without_root),
    {"handler_makes_pipe", pipe_in_handler},
    MISUSE_CASE(watcher_without_function),
    MISUSE_CASE(watcher_of_two),
    MISUSE_CASE(watcher_of_none),
    {"handler_tells", change_in_handler},
    {"handler_ends", end_in_handler},
    MISUSE_CASE(files_with_lock),
    {"poller_awaits_files", wait_in_poller},
    MISUSE_END,
};
