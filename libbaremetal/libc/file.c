// The descriptor table.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/assert.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <stdatomic.h>
#include <string.h>

enum { PART = BM_PAGE_SIZE / sizeof(struct bm_file *), PARTS = BM_FILES_MAX / PART, STATIC_PART = 16 };

// Most programs have a handful of descriptors, so the first part is small and static; the others are pages
// that come when needed.
static struct {
    struct bm_spinlock lock;
    int lowest; // no descriptor below is free
    struct bm_file *few[STATIC_PART];
    struct bm_file **parts[PARTS];
} table = {.lowest = 3, .few = {&bm_terminal_file, &bm_terminal_file, &bm_terminal_file}};

// The place of a descriptor, NULL when its part does not exist (and was not to be, or cannot be, created).
static struct bm_file **place(int descriptor, bool create)
{
    if (descriptor < 0 || descriptor >= BM_FILES_MAX)
        return NULL;
    if (descriptor < STATIC_PART)
        return &table.few[descriptor];
    struct bm_file ***part = &table.parts[(unsigned)descriptor / PART];
    BM_ASSERT_HERE((unsigned)descriptor / PART < PARTS, "a descriptor lies in the table");
    if (!*part && create) {
        *part = bm_frame_allocate(0);
        if (*part)
            memset(*part, 0, BM_PAGE_SIZE);
    }
    return *part ? &(*part)[(unsigned)descriptor % PART] : NULL;
}

static int install_locked(struct bm_file *file, int min)
{
    int descriptor = min > table.lowest ? min : table.lowest;
    struct bm_file **at;
    while ((at = place(descriptor, true)) && *at)
        descriptor++;
    if (!at)
        return descriptor < BM_FILES_MAX ? -ENOMEM : -EMFILE;
    *at = file;
    atomic_fetch_add(&file->references, 1);
    if (min <= table.lowest)
        table.lowest = descriptor + 1;
    return descriptor;
}

int bm_file_install(struct bm_file *file, int min)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(file && file->ops, "a file must have operations");
    if (min < 0 || min >= BM_FILES_MAX)
        return -EINVAL;
    bm_spinlock_acquire(&table.lock);
    int descriptor = install_locked(file, min);
    bm_spinlock_release(&table.lock);
    return descriptor;
}

// Puts a file (or NULL) into that very descriptor and returns what was there.
static int replace(int descriptor, struct bm_file *file, struct bm_file **old)
{
    bm_spinlock_acquire(&table.lock);
    struct bm_file **at = place(descriptor, file != NULL);
    if (at) {
        *old = *at;
        *at = file;
        if (file)
            atomic_fetch_add(&file->references, 1);
        else if (descriptor < table.lowest)
            table.lowest = descriptor;
    }
    bm_spinlock_release(&table.lock);
    return at ? 0 : -EBADF;
}

struct bm_file *bm_file_acquire(int descriptor)
{
    bm_spinlock_acquire(&table.lock);
    struct bm_file **at = place(descriptor, false);
    struct bm_file *file = at ? *at : NULL;
    if (file)
        atomic_fetch_add(&file->references, 1);
    bm_spinlock_release(&table.lock);
    return file;
}

static int release(struct bm_file *file)
{
    BM_ASSERT_OF("bm_file_release", atomic_load(&file->references) > 0,
                 "a file must not be released more often than it was acquired", __builtin_return_address(0));
    if (atomic_fetch_sub(&file->references, 1) == 1 && file->ops->close)
        return file->ops->close(file);
    return 0;
}

void bm_file_release(struct bm_file *file)
{
    release(file);
}

int bm_file_close(int descriptor)
{
    struct bm_file *old = NULL;
    if (replace(descriptor, NULL, &old) || !old)
        return -EBADF;
    return release(old);
}

int bm_file_duplicate(int from, int to)
{
    struct bm_file *file = bm_file_acquire(from), *old = NULL;
    if (!file)
        return -EBADF;
    int result = to;
    if (from != to && (result = replace(to, file, &old)) == 0)
        result = to;
    if (old)
        release(old);
    release(file);
    return result;
}
