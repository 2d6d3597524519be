// A block device's queue for one core: only images that want it have it.
// SPDX-License-Identifier: MIT
#include "../base/core.h"

#include <baremetal/assert.h>
#include <baremetal/block.h>
#include <baremetal/error.h>

int bm_blockqueue_bind(struct bm_blockqueue *queue, unsigned core)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(queue->device, "a queue must be added to its disk before it is bound");
    const struct bm_blockdev_ops *ops = queue->device->ops;
    int error = core < bm_core_arrived() ? 0 : -BM_EINVAL;
    if (!error && ops->aim)
        error = ops->aim(queue, core);
    if (!error)
        bm_poller_bind(&queue->poller, core);
    return error;
}
