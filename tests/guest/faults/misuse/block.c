// Rules of block.h, broken by a driver and its users. Its disk keeps every request until it is polled.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/block.h>
#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <stdio.h>

static struct bm_blockqueue queue;
static struct bm_block_request *kept;

static int submit(struct bm_blockqueue *to, struct bm_block_request *request)
{
    (void)to;
    kept = request;
    return 0;
}

static void kick(struct bm_blockqueue *to)
{
    (void)to;
}

// Nobody waits for sectors of this disk but for its partition table, which is empty.
static bool poll(void *arg)
{
    (void)arg;
    struct bm_block_request *request = kept;
    kept = NULL;
    if (request)
        bm_block_done(&queue, request, -BM_EIO);
    return request;
}

static const struct bm_blockdev_ops operations = {.submit = submit, .kick = kick}, none;
static struct bm_blockdev disk = {.driver = "misuse",
                                  .ops = &operations,
                                  .sectors = 64,
                                  .sector_size = 512,
                                  .physical_size = 512,
                                  .capabilities = BM_BLOCK_CAN_FLUSH,
                                  .transfer_max = 65536,
                                  .segment_max = 65536,
                                  .segments_max = 16,
                                  .alignment = 1};
static struct bm_block_request request;

static void ignore(struct bm_block_request *done)
{
    (void)done;
}

static void disk_add(void)
{
    queue.poller = (struct bm_poller){.name = "misuse", .poll = poll};
    bm_blockqueue_add(&disk, &queue);
    bm_blockdev_add(&disk, "mis");
    request = (struct bm_block_request){.operation = BM_BLOCK_FLUSH, .done = ignore};
}

// @misuse disk_without_submit bm_blockdev_add: a disk must have submit and kick
MISUSE(disk_without_submit)
{
    disk.ops = &none;
    bm_blockdev_add(&disk, "mis");
}

// @misuse disk_twice bm_blockdev_add: a disk must not be added twice
MISUSE(disk_twice)
{
    disk_add();
    bm_blockdev_add(&disk, "mis");
}

// @misuse late_queue bm_blockqueue_add: queues must be added before bm_blockdev_add
MISUSE(late_queue)
{
    static struct bm_blockqueue second;
    disk_add();
    bm_blockqueue_add(&disk, &second);
}

// @misuse block_queue_twice bm_blockqueue_add: a queue must not be added twice
MISUSE(block_queue_twice)
{
    bm_blockqueue_add(&disk, &queue);
    bm_blockqueue_add(&disk, &queue);
}

// @misuse bind_without_disk bm_blockqueue_bind: a queue must be added to its disk before it is bound
MISUSE(bind_without_disk)
{
    bm_blockqueue_bind(&queue, 0);
}

// @misuse request_twice bm_block_submit: a request must not be submitted again before it is done
MISUSE(request_twice)
{
    disk_add();
    bm_block_submit(&disk, &queue, &request);
    bm_block_submit(&disk, &queue, &request);
}

// @misuse submit_of_other_core bm_block_submit: a queue that is bound to a core must be touched by that core
// alone
MISUSE(submit_of_other_core)
{
    disk_add();
    if (bm_core_count() != 2 || bm_blockqueue_bind(&queue, 1))
        puts("there is no other core");
    bm_block_submit(&disk, &queue, &request);
}

// @misuse kick_of_other_core bm_block_kick: a queue that is bound to a core must be touched by that core
// alone
MISUSE(kick_of_other_core)
{
    disk_add();
    if (bm_core_count() != 2 || bm_blockqueue_bind(&queue, 1))
        puts("there is no other core");
    bm_block_kick(&queue);
}

// @misuse handler_submits bm_block_submit: it must not be called in an interrupt handler
MISUSE(handler_submits)
{
    bm_block_submit(&disk, &queue, &request);
}

MISUSE(submit_in_handler)
{
    disk_add();
    misuse_in_handler(handler_submits);
}

// @misuse done_outside bm_block_done: requests must be done in the queue's poller
MISUSE(done_outside)
{
    disk_add();
    bm_block_submit(&disk, &queue, &request);
    bm_block_done(&queue, &request, 0);
}

// @misuse done_twice bm_block_done: a request must be done once, and after it was submitted
MISUSE(done_twice)
{
    bm_block_done(&queue, &request, 0);
}

static void twice(void)
{
    bm_block_done(&queue, &request, 0);
    done_twice();
}

MISUSE(done_again)
{
    disk_add();
    bm_block_submit(&disk, &queue, &request);
    kept = NULL;
    misuse_in_poller(twice);
}

static char sector[512];

// @misuse poller_reads bm_block_read: it must not be called in a poller
MISUSE(poller_reads)
{
    bm_block_read(&disk, 0, sector, 1);
}

MISUSE(read_in_poller)
{
    disk_add();
    misuse_in_poller(poller_reads);
}

// @misuse write_with_lock bm_block_write: it must not be called with a spinlock held
MISUSE(write_with_lock)
{
    static struct bm_spinlock lock = BM_SPINLOCK_INIT;
    disk_add();
    bm_spinlock_acquire(&lock);
    bm_block_write(&disk, 0, sector, 1, 0);
}

const struct misuse misuse_block[] = {MISUSE_CASE(disk_without_submit),
                                      MISUSE_CASE(disk_twice),
                                      MISUSE_CASE(late_queue),
                                      MISUSE_CASE(block_queue_twice),
                                      MISUSE_CASE(bind_without_disk),
                                      MISUSE_CASE(request_twice),
                                      MISUSE_CASE(submit_of_other_core),
                                      MISUSE_CASE(kick_of_other_core),
                                      {"handler_submits", submit_in_handler},
                                      MISUSE_CASE(done_outside),
                                      {"done_twice", done_again},
                                      {"poller_reads", read_in_poller},
                                      MISUSE_CASE(write_with_lock),
                                      MISUSE_END};
