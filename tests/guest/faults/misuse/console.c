// Rules of virtio_port.h.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/virtio_port.h>

// @misuse handler_opens_port bm_virtio_port_open: it must not be called in an interrupt handler
MISUSE(handler_opens_port)
{
    bm_virtio_port_open("none");
}

MISUSE(port_in_handler)
{
    misuse_in_handler(handler_opens_port);
}

const struct misuse misuse_console[] = {{"handler_opens_port", port_in_handler}, MISUSE_END};
