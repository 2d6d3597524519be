// A block device's queue for one core: only images that want it have it.
// SPDX-License-Identifier: MIT
#include <baremetal/block.h>

#include <stddef.h>

int bm_blockqueue_bind(struct bm_blockqueue *queue, unsigned core)
{
    const struct bm_blockdev_ops *ops = queue->device->ops;
    int error = ops->aim ? ops->aim(queue, core) : 0;
    if (!error)
        bm_poller_bind(&queue->poller, core);
    return error;
}
