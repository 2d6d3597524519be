// Network devices: the list of them, and what they have queues for.
// SPDX-License-Identifier: MIT
#include "../check/queue.h"
#include "../cpu/core.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/netdev.h>

static struct bm_spinlock bm_netdev_lock = BM_SPINLOCK_INIT;
static struct bm_netdev *bm_netdev_list;

int bm_netdev_add(struct bm_netdev *device)
{
    unsigned count = 0;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(device->ops && device->ops->send && device->ops->flush,
              "a network device must have send and flush");
    BM_ASSERT(device->mtu >= 576, "a network device's MTU must be at least 576");
    bm_spinlock_acquire(&bm_netdev_lock);
    struct bm_netdev **tail = &bm_netdev_list;
    while (*tail) {
        BM_ASSERT(*tail != device, "a network device must not be added twice");
        tail = &(*tail)->next;
        count++;
    }
    if (count < BM_NETDEV_MAX) {
        device->next = NULL;
        *tail = device;
    }
    bm_spinlock_release(&bm_netdev_lock);
    return count < BM_NETDEV_MAX ? 0 : -BM_ENOSPC;
}

struct bm_netdev *bm_netdev_first(void)
{
    return bm_netdev_list;
}

void bm_netqueue_add(struct bm_netdev *device, struct bm_netqueue *queue)
{
    struct bm_netqueue **tail = &device->queues;
    BM_ASSERT(queue->poller.poll && queue->pool, "a queue must have a poller and a pool");
    while (*tail) {
        BM_ASSERT(*tail != queue, "a queue must not be added twice");
        tail = &(*tail)->next;
    }
    queue->device = device;
    queue->ops = BM_CHECKED ? bm_check_netqueue_ops(device->ops) : device->ops;
    queue->number = device->queue_count++;
    *tail = queue;
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

int bm_netdev_start(struct bm_netdev *device, unsigned wanted)
{
    BM_ASSERT(bm_core_id() == 0, "devices must be started by core 0");
    BM_ASSERT(device->ops->start, "a network device must have start");
    if (device->queue_count)
        return device->queue_count;
    unsigned count = min(wanted, min(device->queue_max, bm_core_called()));
    int error = device->ops->start(device, count ? count : 1);
    if (error) {
        device->queues = NULL;
        device->queue_count = 0;
        return error;
    }
    for (struct bm_netqueue *queue = device->queues; queue; queue = queue->next)
        bm_poller_add(&queue->poller);
    return device->queue_count;
}

struct bm_netqueue *bm_netdev_queue(const struct bm_netdev *device, unsigned number)
{
    struct bm_netqueue *queue = device->queues;
    while (queue && number--)
        queue = queue->next;
    return queue;
}

int bm_netqueue_take(struct bm_netqueue *queue, const struct bm_netdev_stack *stack, void *state)
{
    BM_ASSERT(stack && stack->input && stack->sent && stack->link_changed,
              "a stack must have input, sent and link_changed");
    if (queue->stack)
        return -BM_EBUSY;
    queue->stack_state = state;
    __atomic_store_n(&queue->stack, stack, __ATOMIC_RELEASE);
    return 0;
}

void bm_netdev_link_set(struct bm_netdev *device, bool up)
{
    if (device->link_up == up)
        return;
    device->link_up = up;
    for (struct bm_netqueue *queue = device->queues; queue; queue = queue->next) {
        const struct bm_netdev_stack *stack = __atomic_load_n(&queue->stack, __ATOMIC_ACQUIRE);
        if (stack)
            stack->link_changed(queue);
    }
}

struct bm_netdev_statistics bm_netdev_statistics_get(const struct bm_netdev *device)
{
    struct bm_netdev_statistics sum = {0};
    for (const struct bm_netqueue *queue = device->queues; queue; queue = queue->next) {
        sum.received += queue->received;
        sum.received_bytes += queue->received_bytes;
        sum.receive_dropped += queue->receive_dropped;
        sum.transmitted += queue->transmitted;
        sum.transmitted_bytes += queue->transmitted_bytes;
        sum.transmit_errors += queue->transmit_errors;
    }
    return sum;
}
