// Commits in the background: what nobody has called fsync for is safe some seconds later.
// SPDX-License-Identifier: MIT
//
// There may be no threads, so a poller does it, which any core serves that waits. A poller cannot wait for
// the disk. So it takes the file system's lock if that is free, has the core commit into memory - where the
// places of the log and all that is changed are, so nothing is read -, and lets the lock go; then it sends to
// the disk what was to be written, step by step between the flushes. Whoever writes to the disk meanwhile
// waits for its end, since what is committed in memory is not safe until then.
#include "ext4_writing.h"

#include <baremetal/core.h>
#include <baremetal/lock.h>
#include <baremetal/time.h>

enum { CHUNK = 65536, CHUNKS = 64, AT_ONCE = 8, SEGMENTS = 16 };

static const uint64_t COMMIT_AFTER = 5000000000, AGAIN_AFTER = 10000000; // nanoseconds

// A write, or with the size 0 a flush.
struct record {
    uint64_t sector;
    uint8_t *bytes;
    size_t size;
};

struct ext4_background {
    struct ext4_background *next;
    struct ext4_mounted *fs;
    int (*write)(void *arg, uint64_t at, const void *from, size_t size); // with waiting
    int (*flush)(void *arg);
    struct bm_file_mutex busy; // from the commit in memory until the disk has it
    bool deferring;            // writes of the core are put off; under the file system's lock
    BM_ATOMIC(int) error;      // of the disk, which nobody has seen yet
    BM_ATOMIC(unsigned) left;  // requests that are under way
    uint64_t since;            // the running transaction's first change; under the file system's lock
    uint32_t sequence;         // of the transaction that this is about
    // Under the lock below.
    uint64_t due;
    bool active;
    size_t count, at, max; // of records
    struct record *records;
    size_t used; // bytes of the chunks
    uint8_t *chunks[CHUNKS];
    struct bm_block_request requests[AT_ONCE];
    struct bm_dma_segment segments[AT_ONCE][SEGMENTS];
};

static struct bm_spinlock lock;
static struct ext4_background *first;
static BM_ATOMIC(uint64_t) earliest = UINT64_MAX; // when there is something to do
static BM_ATOMIC(unsigned) actives;

static bool try_acquire(struct bm_file_mutex *mutex)
{
    return !atomic_exchange(&mutex->held, 1);
}

// --- The disk, as the core has it ---

static void record(struct ext4_background *background, uint64_t at, const uint8_t *from, size_t size)
{
    BM_ASSERT(background->count < background->max, "a commit must not be larger than it says");
    background->records[background->count++] = (struct record){
        .sector = at / background->fs->device->sector_size,
        .bytes = size ? background->chunks[background->used / CHUNK] + background->used % CHUNK : NULL,
        .size = size};
    if (size)
        __builtin_memcpy(background->records[background->count - 1].bytes, from, size);
    background->used += size;
}

static int await(struct ext4_background *background)
{
    bm_file_mutex_acquire(&background->busy);
    bm_file_mutex_release(&background->busy);
    return atomic_load(&background->error);
}

static int disk_write(void *arg, uint64_t at, const void *from, size_t size)
{
    struct ext4_background *background = ((struct ext4_mounted *)arg)->background;
    if (!background->deferring) {
        int error = await(background);
        return error ? error : background->write(arg, at, from, size);
    }
    for (size_t done = 0, part; done < size; done += part) {
        part = CHUNK - background->used % CHUNK;
        if (part > size - done)
            part = size - done;
        record(background, at + done, (const uint8_t *)from + done, part);
    }
    return 0;
}

static int disk_flush(void *arg)
{
    struct ext4_background *background = ((struct ext4_mounted *)arg)->background;
    if (!background->deferring) {
        int error = await(background);
        return error ? error : background->flush(arg);
    }
    record(background, 0, NULL, 0);
    return 0;
}

// --- Sending ---

static void release(struct ext4_background *background)
{
    for (unsigned i = 0; i < CHUNKS; i++) {
        bm_inode_memory_free(background->chunks[i], CHUNK);
        background->chunks[i] = NULL;
    }
    bm_inode_memory_free(background->records, background->max * sizeof *background->records);
    background->records = NULL;
    background->count = background->at = background->max = background->used = 0;
}

// Memory for a commit of that many blocks of the log; records may be as many blocks, cut by chunks.
static bool prepare(struct ext4_background *background, size_t blocks)
{
    size_t chunks = (blocks * background->fs->fs.super.block_size + CHUNK - 1) / CHUNK;
    if (chunks > CHUNKS)
        return false;
    background->max = blocks + chunks + 4;
    background->records = bm_inode_memory_allocate(background->max * sizeof *background->records);
    bool there = background->records;
    for (size_t i = 0; i < chunks && there; i++) {
        background->chunks[i] = bm_inode_memory_allocate(CHUNK);
        there = background->chunks[i];
    }
    if (!there)
        release(background);
    return there;
}

static void done(struct bm_block_request *request)
{
    struct ext4_background *background = request->arg;
    if (request->result)
        atomic_store(&background->error, request->result);
    atomic_fetch_sub(&background->left, 1);
}

// Makes a request of the record, or of its beginning, which it then no longer has.
static void request_make(struct ext4_background *background, struct record *of, unsigned slot)
{
    const struct bm_blockdev *device = background->fs->device;
    struct bm_block_request *request = &background->requests[slot];
    size_t size = 0, max = device->transfer_max;
    unsigned count = 0;
    while (size < of->size && count < SEGMENTS && count < device->segments_max) {
        size_t part = BM_PAGE_SIZE - (uintptr_t)(of->bytes + size) % BM_PAGE_SIZE;
        if (part > of->size - size)
            part = of->size - size;
        if (size + part > max)
            break;
        background->segments[slot][count++] =
            (struct bm_dma_segment){.address = bm_dma_address(of->bytes + size), .length = (uint32_t)part};
        size += part;
    }
    *request = (struct bm_block_request){.operation = of->size ? BM_BLOCK_WRITE : BM_BLOCK_FLUSH,
                                         .segment_count = (uint16_t)count,
                                         .count = (uint32_t)(size / device->sector_size),
                                         .sector = of->sector,
                                         .segments = background->segments[slot],
                                         .done = done,
                                         .arg = background};
    of->sector += size / device->sector_size;
    of->bytes += size;
    of->size -= size;
}

// Sends some writes, or a flush; the next ones when these are done. Returns whether it sent any.
static bool send(struct ext4_background *background)
{
    struct bm_blockqueue *queue = bm_blockdev_queue(background->fs->device, 0);
    unsigned sent = 0;
    while (sent < AT_ONCE && background->at < background->count) {
        struct record *next = &background->records[background->at], before = *next;
        if (sent && !next->size)
            break;
        request_make(background, next, sent);
        atomic_fetch_add(&background->left, 1);
        int error = bm_block_submit(background->fs->device, queue, &background->requests[sent]);
        if (error) {
            atomic_fetch_sub(&background->left, 1);
            *next = before;
            if (error != -BM_EAGAIN)
                atomic_store(&background->error, error);
            break;
        }
        background->at += next->size == 0;
        sent++;
        if (!before.size)
            break;
    }
    bm_block_kick(queue);
    return sent;
}

static bool go_on(struct ext4_background *background)
{
    if (atomic_load(&background->left))
        return false;
    if (!atomic_load(&background->error) && background->at < background->count) {
        bool sent = send(background);
        background->due = sent ? UINT64_MAX : bm_time_monotonic() + AGAIN_AFTER;
        return sent;
    }
    background->active = false;
    background->due = bm_time_monotonic() + COMMIT_AFTER; // for what was changed meanwhile
    atomic_fetch_sub(&actives, 1);
    release(background);
    bm_file_mutex_release(&background->busy);
    return true;
}

// --- Beginning ---

// Commits into memory. Under the file system's lock.
static uint64_t commit(struct ext4_background *background)
{
    struct ext4_fs *fs = &background->fs->fs;
    if (!fs->transactions || fs->transactions->error || !fs->transactions->joined)
        return UINT64_MAX;
    // And the log's superblock.
    if (!prepare(background, bm_ext4_commit_size(fs, fs->transactions->joined) + 1))
        return bm_time_monotonic() + COMMIT_AFTER;
    if (!try_acquire(&background->busy)) {
        release(background);
        return bm_time_monotonic() + AGAIN_AFTER;
    }
    background->deferring = true;
    int error = bm_ext4_commit(fs);
    background->deferring = false;
    BM_ASSERT(!error, "a commit into memory must not fail");
    (void)error;
    background->active = true;
    atomic_fetch_add(&actives, 1);
    return UINT64_MAX;
}

static bool begin(struct ext4_background *background)
{
    struct ext4_mounted *fs = background->fs;
    if (!try_acquire(&fs->lock)) {
        background->due = bm_time_monotonic() + AGAIN_AFTER;
        return false;
    }
    background->due = commit(background);
    bm_file_mutex_release(&fs->lock);
    return background->active && go_on(background);
}

static bool poll(void *arg)
{
    uint64_t now = 0, next = UINT64_MAX;
    bool worked = false;
    (void)arg;
    if (!atomic_load_explicit(&actives, memory_order_relaxed) &&
        (atomic_load_explicit(&earliest, memory_order_relaxed) == UINT64_MAX ||
         (now = bm_time_monotonic()) < atomic_load_explicit(&earliest, memory_order_relaxed)))
        return false;
    bm_spinlock_acquire(&lock);
    now = bm_time_monotonic();
    for (struct ext4_background *background = first; background; background = background->next) {
        if (background->active)
            worked |= go_on(background);
        else if (background->due <= now)
            worked |= begin(background);
        if (background->due < next)
            next = background->due;
    }
    atomic_store(&earliest, next);
    bm_spinlock_release(&lock);
    return worked;
}

static uint64_t deadline(void *arg)
{
    (void)arg;
    return atomic_load(&earliest);
}

static struct bm_poller poller = {.name = "ext4", .poll = poll, .deadline = deadline};
static atomic_bool added;

int bm_ext4_background_begin(struct ext4_mounted *fs)
{
    struct ext4_background *background = bm_inode_memory_allocate(sizeof *background);
    if (!background)
        return -BM_ENOMEM;
    background->fs = fs;
    background->due = UINT64_MAX;
    background->write = fs->disk.write;
    background->flush = fs->disk.flush;
    fs->background = background;
    fs->disk.write = disk_write;
    fs->disk.flush = disk_flush;
    if (!atomic_exchange(&added, true))
        bm_poller_add(&poller);
    bm_spinlock_acquire(&lock);
    background->next = first;
    first = background;
    bm_spinlock_release(&lock);
    return 0;
}

int bm_ext4_background_end(struct ext4_mounted *fs)
{
    struct ext4_background *background = fs->background, **link = &first;
    if (!background)
        return 0;
    int error = await(background);
    bm_spinlock_acquire(&lock);
    while (*link != background)
        link = &(*link)->next;
    *link = background->next;
    bm_spinlock_release(&lock);
    fs->disk.write = background->write;
    fs->disk.flush = background->flush;
    fs->background = NULL;
    bm_inode_memory_free(background, sizeof *background);
    return error;
}

void bm_ext4_background_changed(struct ext4_mounted *fs)
{
    struct ext4_background *background = fs->background;
    if (!background || !fs->fs.transactions)
        return;
    uint64_t now = bm_time_monotonic(), due = fs->fs.transactions->joined ? now + COMMIT_AFTER : UINT64_MAX;
    if (due == UINT64_MAX || background->sequence != fs->fs.transactions->sequence)
        background->since = now;
    background->sequence = fs->fs.transactions->sequence;
    bool sets = false;
    bm_spinlock_acquire(&lock);
    if (!background->active && (background->due == UINT64_MAX || due == UINT64_MAX)) {
        sets = due < atomic_load(&earliest);
        background->due = due;
        if (sets)
            atomic_store(&earliest, due);
    }
    bm_spinlock_release(&lock);
    for (unsigned core = 0; sets && core < bm_core_count(); core++) // that halts until a later time
        if (core != bm_core_id())
            bm_core_wake(core);
}

bool bm_ext4_background_is_late(const struct ext4_mounted *fs)
{
    const struct ext4_background *background = fs->background;
    const struct ext4_transactions *all = fs->fs.transactions;
    if (!background || !all || !all->joined)
        return false;
    // No more than the background has room for, since it would never get an idle machine's to the disk.
    if ((uint64_t)bm_ext4_commit_size(&fs->fs, all->joined) * fs->fs.super.block_size > CHUNKS * CHUNK / 2)
        return true;
    return background->sequence == all->sequence &&
           bm_time_monotonic() > background->since + COMMIT_AFTER + COMMIT_AFTER / 4;
}

int bm_ext4_background_error(struct ext4_mounted *fs)
{
    return fs->background ? atomic_exchange(&fs->background->error, 0) : 0;
}
