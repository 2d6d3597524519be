// Why a call of lwIP's sockets failed: what other systems have errno for, without a C library and its
// threads.
// SPDX-License-Identifier: MIT
//
// lwIP sets it last, behind everything that waits, and the caller asks for it first: a core's cell is enough.
#include "error.h"

#include <baremetal/assert.h>
#include <baremetal/core.h>
#include <baremetal/wait.h>
#include <stdint.h>

static struct {
    int error;
    unsigned context; // whose it is; of the checked build alone
} cells[BM_CORES_MAX];

void bm_net_error_set(int error)
{
    unsigned core = bm_core_id();
    cells[core].error = error;
    BM_CHECK(cells[core].context = bm_context_id());
}

int bm_net_error(void)
{
    unsigned core = bm_core_id();
    BM_ASSERT(cells[core].context == bm_context_id(),
              "an error of lwIP must be asked for before anything waits");
    return cells[core].error;
}
