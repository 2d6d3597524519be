// The list of block devices: disks with their names, and the partitions behind each.
// SPDX-License-Identifier: MIT
#include "partition.h"

#include <baremetal/assert.h>
#include <baremetal/block.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>

#include <stddef.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_blockdev *first_device;

// Of the checked build.
static inline bool is_added(const struct bm_blockdev *device)
{
    const struct bm_blockdev *added = bm_blockdev_first();
    while (added && added != device)
        added = __atomic_load_n(&added->next, __ATOMIC_ACQUIRE);
    return added != NULL;
}

void bm_blockqueue_add(struct bm_blockdev *device, struct bm_blockqueue *queue)
{
    struct bm_blockqueue **tail = &device->queues;
    BM_ASSERT(!is_added(device), "queues must be added before bm_blockdev_add");
    while (*tail) {
        BM_ASSERT(*tail != queue, "a queue must not be added twice");
        tail = &(*tail)->next;
    }
    queue->device = device;
    queue->number = device->queue_count++;
    *tail = queue;
}

void bm_blockdev_insert(struct bm_blockdev *device, struct bm_blockdev *before)
{
    bm_spinlock_acquire(&lock);
    struct bm_blockdev **link = before ? &before->next : &first_device;
    while (!before && *link)
        link = &(*link)->next;
    device->next = *link;
    __atomic_store_n(link, device, __ATOMIC_RELEASE); // readers take no lock
    bm_spinlock_release(&lock);
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

// "vd" and 0, 25, 26: vda, vdz, vdaa.
static void name_make(char name[BM_BLOCK_NAME_MAX], const char *prefix, unsigned number)
{
    enum { LETTERS = 26, LETTERS_MAX = 7 };
    char letters[LETTERS_MAX];
    unsigned length = 0, count = 0;
    for (number++; number; number = (number - 1) / LETTERS)
        letters[count++] = (char)('a' + (number - 1) % LETTERS);
    while (*prefix && length < BM_BLOCK_NAME_MAX - LETTERS_MAX - 1)
        name[length++] = *prefix++;
    while (count)
        name[length++] = letters[--count];
    name[length] = 0;
}

static bool is_power_of_two(uint32_t value)
{
    return value && !(value & (value - 1));
}

// A driver may have believed its device.
static bool is_possible(const struct bm_blockdev *device)
{
    return device->queues && is_power_of_two(device->sector_size) && device->sector_size >= 512 &&
           device->sector_size <= BM_BLOCK_SECTOR_MAX && device->sectors <= INT64_MAX / device->sector_size &&
           is_power_of_two(device->alignment) && device->alignment <= device->sector_size &&
           !(device->boundary & (device->boundary - 1)) && device->segments_max >= 2 &&
           device->segment_max >= device->sector_size && device->transfer_max >= device->sector_size;
}

int bm_blockdev_add(struct bm_blockdev *device, const char *prefix)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(device->ops && device->ops->submit && device->ops->kick, "a disk must have submit and kick");
    BM_ASSERT(!is_added(device), "a disk must not be added twice");
    if (!is_possible(device))
        return -BM_EINVAL;
    for (unsigned number = 0; prefix; number++) {
        name_make(device->name, prefix, number);
        if (!bm_blockdev_find(device->name))
            break;
    }
    bm_blockdev_insert(device, NULL);
    for (struct bm_blockqueue *queue = device->queues; queue; queue = queue->next)
        bm_poller_add(&queue->poller);
    if (!device->whole)
        bm_partition_add_all(device);
    return 0;
}

struct bm_blockdev *bm_blockdev_first(void)
{
    return __atomic_load_n(&first_device, __ATOMIC_ACQUIRE);
}

struct bm_blockdev *bm_blockdev_find(const char *name)
{
    struct bm_blockdev *device = bm_blockdev_first();
    while (device && !equal(device->name, name))
        device = __atomic_load_n(&device->next, __ATOMIC_ACQUIRE);
    return device;
}

struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number)
{
    struct bm_blockqueue *queue = device->disk ? device->disk->queues : device->queues;
    while (queue && number--)
        queue = queue->next;
    return queue;
}
