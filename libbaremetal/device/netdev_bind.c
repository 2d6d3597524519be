// A network device's queue for one core: only images that want it have it.
// SPDX-License-Identifier: MIT
#include "../cpu/core.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/netdev.h>

int bm_netqueue_bind(struct bm_netqueue *queue, unsigned core)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(queue->device, "a queue must be added to its device before it is bound");
    int error = core < bm_core_arrived() ? 0 : -BM_EINVAL;
    if (!error && queue->ops->aim)
        error = queue->ops->aim(queue, core);
    if (!error)
        bm_poller_bind(&queue->poller, core);
    return error;
}
