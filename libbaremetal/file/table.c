// The descriptor table. The lowest bit of a place is its FD_CLOEXEC.
// SPDX-License-Identifier: MIT
#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/file.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>

enum { PART = BM_PAGE_SIZE / sizeof(struct bm_file *), PARTS = BM_FILES_MAX / PART, STATIC_PART = 16 };

_Static_assert(_Alignof(struct bm_file) > 1, "the lowest bit of a file's address is free");

// Most programs have a handful of descriptors, so the first part is small and static; the others are pages
// that come when needed.
static struct {
    struct bm_spinlock lock;
    int lowest; // no descriptor below is free
    int limit;  // new ones are below
    struct bm_file *few[STATIC_PART];
} table = {
    .lowest = 3, .limit = BM_FILES_DEFAULT, .few = {&bm_terminal_file, &bm_terminal_file, &bm_terminal_file}};

static struct bm_file **parts[PARTS];

// The file in a place.
static struct bm_file *file_in(struct bm_file *place)
{
    return (struct bm_file *)((uintptr_t)place & ~(uintptr_t)1);
}

// The place of a descriptor, NULL when its part does not exist. (Apart from the next function, so that a
// program that only writes has no frames here.)
static struct bm_file **place(int descriptor)
{
    if ((unsigned)descriptor < STATIC_PART)
        return &table.few[descriptor];
    if ((unsigned)descriptor >= BM_FILES_MAX)
        return NULL;
    BM_ASSERT_HERE((unsigned)descriptor / PART < PARTS, "a descriptor lies in the table");
    struct bm_file **part = parts[(unsigned)descriptor / PART];
    return part ? &part[(unsigned)descriptor % PART] : NULL;
}

// The same, with its part made when there is memory for it.
static struct bm_file **place_make(int descriptor)
{
    struct bm_file **at = place(descriptor);
    if (at || (unsigned)descriptor >= BM_FILES_MAX)
        return at;
    struct bm_file **part = bm_frame_allocate(0);
    if (part)
        __builtin_memset(part, 0, BM_PAGE_SIZE);
    parts[(unsigned)descriptor / PART] = part;
    return place(descriptor);
}

// Calls find no file that can do what they are to do. (BM_O_PATH is what no call but those by path takes.)
static const struct bm_file_ops reserved_ops = {0};
static struct bm_file reserved = {.ops = &reserved_ops, .flags = BM_O_PATH};

static int install_locked(struct bm_file *file, int min)
{
    int descriptor = min > table.lowest ? min : table.lowest;
    struct bm_file **at = NULL;
    while (descriptor < table.limit && (at = place_make(descriptor)) && *at)
        descriptor++;
    if (descriptor >= table.limit)
        return -BM_EMFILE;
    if (!at)
        return -BM_ENOMEM;
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
    if ((unsigned)min >= (unsigned)table.limit)
        return -BM_EINVAL;
    if (file == &reserved)
        return -BM_EBADF;
    bm_spinlock_acquire(&table.lock);
    int descriptor = install_locked(file, min);
    bm_spinlock_release(&table.lock);
    return descriptor;
}

// Puts a file (or NULL) into that very descriptor and returns what was there. -BM_EBADF: there is no such
// one; -BM_EBUSY: it is reserved, for others than who `fills` it.
static int replace(int descriptor, struct bm_file *file, struct bm_file **old, bool fills)
{
    bm_spinlock_acquire(&table.lock);
    struct bm_file **at = file ? place_make(descriptor) : place(descriptor);
    int error = !at ? -BM_EBADF : !fills && file_in(*at) == &reserved ? -BM_EBUSY : 0;
    if (!error) {
        *old = file_in(*at);
        *at = file;
        if (file)
            atomic_fetch_add(&file->references, 1);
        else if (descriptor < table.lowest)
            table.lowest = descriptor;
    }
    bm_spinlock_release(&table.lock);
    return error;
}

void bm_file_limit_set(int limit)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(limit >= 0 && limit <= BM_FILES_MAX, "a limit must be within the table");
    bm_spinlock_acquire(&table.lock);
    table.limit = limit;
    bm_spinlock_release(&table.lock);
}

int bm_file_reserve(void)
{
    bm_spinlock_acquire(&table.lock);
    int descriptor = install_locked(&reserved, 0);
    bm_spinlock_release(&table.lock);
    return descriptor;
}

void bm_file_fill(int descriptor, struct bm_file *file)
{
    struct bm_file *old = NULL;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(!file || file->ops, "a file must have operations");
    if (replace(descriptor, file, &old, true) == 0 && old)
        bm_file_release(old);
}

struct bm_file *bm_file_acquire(int descriptor)
{
    bm_spinlock_acquire(&table.lock);
    struct bm_file **at = place(descriptor);
    struct bm_file *file = at ? file_in(*at) : NULL;
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
    if (replace(descriptor, NULL, &old, false) || !old)
        return -BM_EBADF;
    return release(old);
}

int bm_file_duplicate(int from, int to)
{
    struct bm_file *file = bm_file_acquire(from), *old = NULL;
    if (!file)
        return -BM_EBADF;
    bool wrong = file == &reserved || (from != to && (unsigned)to >= (unsigned)table.limit);
    int result = wrong ? -BM_EBADF : to;
    if (result >= 0 && from != to && (result = replace(to, file, &old, false)) == 0)
        result = to;
    if (old)
        release(old);
    release(file);
    return result;
}

// Changes FD_CLOEXEC when `set` is 0 or 1; the old one.
static int cloexec(int descriptor, int set)
{
    bm_spinlock_acquire(&table.lock);
    struct bm_file **at = place(descriptor);
    int old = at && *at ? (int)((uintptr_t)*at & 1) : -BM_EBADF;
    if (old >= 0 && set >= 0)
        *at = (struct bm_file *)((uintptr_t)file_in(*at) | (uintptr_t)set);
    bm_spinlock_release(&table.lock);
    return old;
}

int bm_file_cloexec(int descriptor)
{
    return cloexec(descriptor, -1);
}

int bm_file_set_cloexec(int descriptor, bool set)
{
    int old = cloexec(descriptor, set);
    return old < 0 ? old : 0;
}
