// The virtio network device of before virtio 1.0 without mergeable buffers: a shorter header.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device virtio-net-pci,disable-modern=on,disable-legacy=off,mrg_rxbuf=off,netdev=n
//
// Linked only with baremetal::virtio_legacy. Section numbers are those of the VIRTIO specification,
// version 1.2.
#include "virtio_net.h"

// The header, which says nothing of other buffers, has a descriptor of its own (section 5.1.6.6).
void bm_virtio_net_short_fill(struct virtio_net_pair *pair)
{
    struct bm_virtqueue *queue = &pair->receive;
    struct bm_packet *packet = bm_packet_allocate(pair->queue.pool, queue->free_count / 2);
    for (; packet; packet = packet->next) {
        struct bm_virtqueue_chain chain;
        ((struct virtio_net_header *)((unsigned char *)packet + HEADER_OFFSET))->buffer_count = 1;
        bm_virtqueue_chain_start(queue, &chain);
        bm_virtqueue_chain_put(queue, &chain, packet->dma + HEADER_OFFSET, HEADER_SHORT, BM_VIRTQUEUE_WRITE);
        bm_virtqueue_chain_put(queue, &chain, packet->dma + BM_PACKET_DATA_OFFSET, FRAME_MAX,
                               BM_VIRTQUEUE_WRITE);
        bm_virtqueue_chain_add(queue, &chain, packet);
    }
    bm_virtqueue_kick(queue);
}
