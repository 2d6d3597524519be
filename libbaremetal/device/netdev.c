// The list of network devices.
// SPDX-License-Identifier: MIT
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
