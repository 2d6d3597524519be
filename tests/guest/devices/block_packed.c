// The tests of block.c with packed rings.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link virtio_blk virtio_packed virtio_line
// @script block.py
#include <baremetal/virtio.h>

#define main block_main
#include "block.c"
#undef main

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (const struct bm_device *device = bm_device_first(); device; device = device->next)
        if (device->bus == BM_BUS_VIRTIO)
            count += (((const struct bm_virtio_device *)device)->features & BM_VIRTIO_F_RING_PACKED) != 0;
    CHECK(count == 2); // and a split one
    return block_main(argc, argv);
}
