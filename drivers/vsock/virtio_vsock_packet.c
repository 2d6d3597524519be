// Packets of the virtio socket device on their way out: pages of bytes, and what sockets owe.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Packets without bytes are owed by their socket until there is room for them, so that none is lost, however
// slowly the device takes them (section 5.10.6.1.2 of VIRTIO 1.2 lets a driver stop receiving then).
#include "virtio_vsock.h"

static bool is_control(const void *cookie)
{
    const struct vsock_header *at = cookie;
    return at >= bm_vsock.controls && at < bm_vsock.controls + VSOCK_CONTROLS;
}

// Who waits for a page hears of it.
static void pages_tell(void)
{
    if (!bm_vsock.sends_wanted)
        return;
    bm_vsock.sends_wanted = false;
    for (struct vsock *at = bm_vsock.all; at; at = at->next)
        if (at->state == VSOCK_CONNECTED)
            bm_vsock_changed(at, BM_POLLOUT);
}

void bm_vsock_reclaim(void)
{
    struct bm_virtqueue_done done[VSOCK_BATCH];
    unsigned count;
    bool freed = false;
    while ((count = bm_virtqueue_take(&bm_vsock.send, done, VSOCK_BATCH)))
        for (unsigned i = 0; i < count; i++)
            if (is_control(done[i].cookie)) {
                bm_vsock.controls_free |= 1ull << ((struct vsock_header *)done[i].cookie - bm_vsock.controls);
            } else {
                struct vsock_send *page = done[i].cookie;
                page->next = bm_vsock.sends_free;
                bm_vsock.sends_free = page;
                freed = true;
            }
    if (freed)
        pages_tell();
}

void bm_vsock_ring(void)
{
    if (bm_vsock.device && !bm_vsock.device->broken) // sockets are there without one, too
        bm_virtqueue_kick(&bm_vsock.send);
}

static bool control_send(const struct vsock_header *header)
{
    if (!bm_vsock.controls_free)
        bm_vsock_reclaim();
    if (!bm_vsock.controls_free || bm_vsock.device->broken)
        return false;
    struct vsock_header *place = &bm_vsock.controls[__builtin_ctzll(bm_vsock.controls_free)];
    const struct bm_dma_segment segment = {bm_dma_address(place), VSOCK_HEADER};
    *place = *header;
    if (bm_virtqueue_add(&bm_vsock.send, &segment, 1, 0, place))
        return false;
    bm_vsock.controls_free &= bm_vsock.controls_free - 1;
    return true;
}

static void header_fill(struct vsock *socket, struct vsock_header *header, unsigned operation,
                        uint32_t length)
{
    *header = (struct vsock_header){.source = atomic_load(&bm_vsock.cid),
                                    .destination = socket->peer_cid,
                                    .source_port = socket->port,
                                    .destination_port = socket->peer_port,
                                    .length = length,
                                    .type = VSOCK_STREAM,
                                    .operation = (uint16_t)operation,
                                    .flags = operation == VSOCK_SHUTDOWN ? socket->shut : 0,
                                    .room = socket->room,
                                    .taken = socket->taken};
    socket->taken_told = socket->taken;
}

// Whether nothing is owed any more.
static bool pay(struct vsock *socket)
{
    // What a peer has to hear first comes first.
    static const uint8_t order[] = {VSOCK_REQUEST,    VSOCK_RESPONSE, VSOCK_CREDIT,
                                    VSOCK_CREDIT_ASK, VSOCK_SHUTDOWN, VSOCK_RESET};
    for (unsigned i = 0; i < sizeof order && socket->owes; i++) {
        struct vsock_header header;
        if (!(socket->owes & 1u << order[i]))
            continue;
        header_fill(socket, &header, order[i], 0);
        if (!control_send(&header))
            return false;
        socket->owes &= ~(1u << order[i]);
        if (!socket->owes)
            bm_vsock.owing--;
    }
    if (socket->closed && socket->state == VSOCK_ENDED)
        bm_vsock_deadline_set(socket, 0); // it was kept for this
    return true;
}

// Unpaid packets wait for the device, whose interrupt is asked for at once: every core may be idle.
static bool room_wait(void)
{
    return bm_vsock.device->broken || !bm_virtqueue_arm(&bm_vsock.send, 1);
}

void bm_vsock_owe(struct vsock *socket, unsigned operation)
{
    if (bm_vsock.device->broken)
        return;
    if (!socket->owes)
        bm_vsock.owing++;
    socket->owes |= 1u << operation;
    while (!pay(socket) && !room_wait())
        bm_vsock_reclaim();
    bm_vsock_ring();
}

void bm_vsock_pay(void)
{
    for (struct vsock *at = bm_vsock.all; at && bm_vsock.owing; at = at->next)
        if (at->owes && !pay(at))
            break;
    bm_vsock_ring();
}

// Without room for it the answer is left out, and the peer's time runs out.
void bm_vsock_refuse(const struct vsock_header *header)
{
    const struct vsock_header answer = {.source = header->destination,
                                        .destination = header->source,
                                        .source_port = header->destination_port,
                                        .destination_port = header->source_port,
                                        .type = header->type,
                                        .operation = VSOCK_RESET};
    control_send(&answer);
    bm_vsock_ring();
}

uint32_t bm_vsock_credit(const struct vsock *socket)
{
    uint32_t on_the_way = socket->sent - socket->peer_taken; // or anything: the peer says so
    return on_the_way < socket->peer_room ? socket->peer_room - on_the_way : 0;
}

void bm_vsock_send(struct vsock *socket, struct vsock_send *page, uint32_t length)
{
    const struct bm_dma_segment segment = {bm_dma_address(page->page), VSOCK_HEADER + length};
    header_fill(socket, page->page, VSOCK_BYTES, length);
    bool ended = socket->state != VSOCK_CONNECTED || socket->shut & VSOCK_SHUT_SEND; // meanwhile
    if (ended || bm_vsock.device->broken || bm_virtqueue_add(&bm_vsock.send, &segment, 1, 0, page)) {
        page->next = bm_vsock.sends_free;
        bm_vsock.sends_free = page;
        pages_tell();
    }
}
