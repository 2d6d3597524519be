// The queues of the virtio network driver once more, for packed rings, too: in images that link
// baremetal::virtio_packed, whose linker options lead here.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// QEMU: -netdev user,id=n -device virtio-net-pci,netdev=n,packed=on
#include "../virtio/virtqueue_both.h"

#define bm_virtio_net_ops       __wrap_bm_virtio_net_ops
#define bm_virtio_net_pair_fill __wrap_bm_virtio_net_pair_fill
#define bm_virtio_net_pair_poll __wrap_bm_virtio_net_pair_poll
#include "virtio_net_queue.c"

// ld (2.40) ends with a fault when nothing defines a name that it wraps: this brings the first copy, of which
// it keeps nothing.
extern const struct bm_netdev_ops __real_bm_virtio_net_ops;
static const struct bm_netdev_ops *const first_copy __attribute__((used)) = &__real_bm_virtio_net_ops;
