// Queues of devices in the checked build: who touches them, and which requests are with them.
// SPDX-License-Identifier: MIT
#pragma once

#include "check.h"

#include <baremetal/block.h>
#include <baremetal/netdev.h>

// What is said of a queue that another core touches than the one that it is bound to.
#define BM_CHECK_QUEUE_RULE "a queue that is bound to a core must be touched by that core alone"

// Whether this core may touch the queue that the poller serves.
bool bm_check_queue_mine(const struct bm_poller *poller);

// The functions of a queue with the checks of <baremetal/netdev.h> in front of the driver's.
const struct bm_netdev_ops *bm_check_netqueue_ops(const struct bm_netdev_ops *ops);

// A request goes to its driver, who refuses it, or says that it is done. `caller`: for the report.
void bm_check_request_submit(const struct bm_block_request *request, const void *caller);
void bm_check_request_refused(const struct bm_block_request *request);
void bm_check_request_done(const struct bm_block_request *request, const void *caller);
