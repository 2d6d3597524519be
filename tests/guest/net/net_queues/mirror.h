// A neighbour for lwIP at the other end of a wire: a mirror with the address 10.7.0.2. It answers ARP, and
// what is sent to it comes back from it, so that a program which connects to it meets itself.
// SPDX-License-Identifier: MIT
#pragma once

#include "wire.h"

enum { MIRROR_HELD = 64 };
static struct mirrored {
    unsigned char headroom[BM_NETDEV_HEADROOM];
    unsigned char frame[1514];
    bool out;
} mirrored[MIRROR_HELD];
static unsigned mirror_next;

static void swap(unsigned char *a, unsigned char *b, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

// Sums stay right when source and destination change places.
static bool reflect(unsigned char *frame, unsigned length)
{
    static const unsigned char own[4] = {10, 7, 0, 2};
    if (length >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1 && !memcmp(frame + 38, own, 4)) {
        frame[21] = 2; // the answer
        swap(frame + 22, frame + 32, 10);
        memcpy(frame + 22, wires[1].netdev.mac, 6);
    } else if (length >= 34 && frame[12] == 8 && frame[13] == 0 && !memcmp(frame + 30, own, 4)) {
        swap(frame + 26, frame + 30, 4);
    } else {
        return false;
    }
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, wires[1].netdev.mac, 6);
    return true;
}

static void mirror_input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    while (batch) {
        struct bm_packet *next = batch->next;
        struct mirrored *copy = &mirrored[mirror_next % MIRROR_HELD];
        const struct bm_netdev_segment segment = {copy->frame, batch->length};
        const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = copy};
        CHECK(batch->length <= sizeof copy->frame);
        if (!copy->out && reflect(memcpy(copy->frame, batch->data, batch->length), batch->length) &&
            queue->ops->send(queue, &frame) == 0) {
            copy->out = true;
            mirror_next++;
        }
        bm_packet_free(batch);
        batch = next;
    }
    queue->ops->flush(queue);
}

static void mirror_sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue;
    ((struct mirrored *)cookie)->out = false;
}

static void mirror_link(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack mirror_stack = {
    .input = mirror_input, .sent = mirror_sent, .link_changed = mirror_link};
