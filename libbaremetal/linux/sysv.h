// What message queues, semaphores and memory of System V share: identifiers, keys, and whom they belong to.
// SPDX-License-Identifier: MIT
#pragma once

#include "../wait/hooks.h"
#include "linux.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/waitqueue.h>

enum {
    SYSV_CREATE = 01000,
    SYSV_EXCLUSIVE = 02000,
    SYSV_NO_WAIT = 04000,
    SYSV_REMOVE = 0,
    SYSV_SET = 1,
    SYSV_STATUS = 2,
    SYSV_INFORMATION = 3,
    SYSV_64 = 0x100, // in a command: the layouts of today, of which x86-64 has no others
    SYSV_MAX = 32768 // objects of a kind
};

// struct ipc64_perm.
struct sysv_permissions {
    int32_t key;
    uint32_t user, group, maker, maker_group, mode;
    uint16_t sequence, pad;
    uint64_t unused[2];
};
_Static_assert(sizeof(struct sysv_permissions) == 48, "struct ipc64_perm of x86-64");

// What every object begins with. Under its table's lock.
struct sysv_object {
    struct sysv_permissions permissions;
    int64_t changed;     // seconds
    int number;          // the identifier
    unsigned references; // the table's, and of calls that wait
    bool removed;
};

enum { SYSV_CHUNK = BM_PAGE_SIZE / sizeof(void *), SYSV_CHUNKS = SYSV_MAX / SYSV_CHUNK };

// The objects of a kind.
struct sysv_table {
    struct bm_spinlock lock;
    struct sysv_object **chunks[SYSV_CHUNKS];
    int count, highest;                      // objects; the highest place in use, -1: none
    unsigned sequence;                       // of the next one
    int max;                                 // objects
    void (*end)(struct sysv_object *object); // the last reference is gone; under the lock
};

// The object of a key, or a new one that `make(arg)` makes (NULL: -BM_ENOSPC) with all zeros but its own.
// `check`, or NULL, says what is wrong with one that is there. Returns its identifier or a negative error.
long bm_linux_sysv_get(struct sysv_table *table, int key, int flags, struct sysv_object *(*make)(long arg),
                       long (*check)(const struct sysv_object *object, long arg), long arg);

// Finds the object of an identifier; NULL. Under the lock, as those below.
struct sysv_object *bm_linux_sysv_find(struct sysv_table *table, int number);
// … of a place in the table.
struct sysv_object *bm_linux_sysv_at(struct sysv_table *table, int place);

// Takes the object out of the table; who waits finds it removed. The reference of the table goes.
void bm_linux_sysv_remove(struct sysv_table *table, struct sysv_object *object);

// Whether the program may read (4), write (2) or both of an object, and whether it may set or remove it: 0,
// -BM_EACCES, -BM_EPERM.
int bm_linux_sysv_permit(const struct sysv_object *object, unsigned wanted);
int bm_linux_sysv_permit_change(const struct sysv_object *object);

// Gives a reference back.
void bm_linux_sysv_release(struct sysv_table *table, struct sysv_object *object);

// Takes over what IPC_SET may set.
void bm_linux_sysv_set(struct sysv_object *object, const struct sysv_permissions *wanted);

// sysv_sem.c: the semaphores of a set; 0: there is none.
int bm_linux_sysv_semaphores(int number);

// The time of day in seconds.
int64_t bm_linux_sysv_now(void);
