// The queues of the virtio block driver once more, for packed rings, too: in images that link
// baremetal::virtio_packed, whose linker options lead here.
// SPDX-License-Identifier: MIT
//
// QEMU: -drive file=disk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d,packed=on
#include "../../virtio/virtqueue_both.h"

#define bm_virtio_blk_ops          __wrap_bm_virtio_blk_ops
#define bm_virtio_blk_queue_create __wrap_bm_virtio_blk_queue_create
#define bm_virtio_blk_send         __wrap_bm_virtio_blk_send
#define bm_virtio_blk_request_send __wrap_bm_virtio_blk_request_send
#define bm_virtio_blk_slot_free    __wrap_bm_virtio_blk_slot_free
#include "virtio_blk_queue.c"

// ld (2.40) ends with a fault when nothing defines a name that it wraps: this brings the first copy, of which
// it keeps nothing.
extern const struct bm_blockdev_ops __real_bm_virtio_blk_ops;
static const struct bm_blockdev_ops *const first_copy __attribute__((used)) = &__real_bm_virtio_blk_ops;
