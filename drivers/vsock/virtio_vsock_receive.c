// Packets of the virtio socket device that have come: what they mean for a connection (section 5.10.6).
// SPDX-License-Identifier: MIT
// @optimize size
//
// The peer may say anything: who sends more bytes than there is room for is reset, and a packet that fits no
// connection is answered with a reset or passed over.
#include "virtio_vsock.h"

static void unlink(struct vsock **place)
{
    *place = (*place)->next;
}

// A connection that has a packet comes to the front: those in use are found at once.
static struct vsock *find(uint32_t port, uint32_t peer_cid, uint32_t peer_port)
{
    for (struct vsock **place = &bm_vsock.all; *place; place = &(*place)->next) {
        struct vsock *at = *place;
        if (at->port != port || at->peer_port != peer_port || at->peer_cid != peer_cid ||
            (at->state != VSOCK_CONNECTING && at->state != VSOCK_CONNECTED))
            continue;
        unlink(place);
        at->next = bm_vsock.all;
        bm_vsock.all = at;
        return at;
    }
    return NULL;
}

struct vsock *bm_vsock_listener(uint32_t port)
{
    for (struct vsock *at = bm_vsock.all; at; at = at->next)
        if (at->state == VSOCK_LISTENING && at->port == port)
            return at;
    return NULL;
}

void bm_vsock_end(struct vsock *socket, int error)
{
    bool connected = socket->state == VSOCK_CONNECTED;
    socket->state = connected || socket->closed ? VSOCK_ENDED : VSOCK_FRESH; // it may connect again
    if (connected)
        socket->shut = socket->peer_shut = VSOCK_SHUT_BOTH;
    if (error)
        socket->error = error;
    bm_vsock_deadline_set(socket, socket->closed && !socket->owes ? 0 : UINT64_MAX);
    bm_vsock_changed(socket, 0);
}

static void reset(struct vsock *socket, int error)
{
    bm_vsock_owe(socket, VSOCK_RESET);
    bm_vsock_end(socket, error);
}

static bool bytes_take(struct vsock *socket, const unsigned char *bytes, uint32_t length)
{
    uint32_t waiting = socket->received - socket->taken;
    if (length > socket->room - waiting)
        return false;
    if (!socket->ring || socket->shut & VSOCK_SHUT_RECEIVE) { // nobody will read them
        socket->received += length;
        socket->taken += length;
        return true;
    }
    uint32_t size = BM_PAGE_SIZE << socket->order, at = socket->received & (size - 1);
    uint32_t first = length < size - at ? length : size - at;
    __builtin_memcpy(socket->ring + at, bytes, first);
    __builtin_memcpy(socket->ring, bytes + first, length - first);
    socket->received += length;
    bm_vsock_changed(socket, BM_POLLIN);
    return true;
}

static void shut(struct vsock *socket, unsigned flags)
{
    socket->peer_shut |= flags & VSOCK_SHUT_BOTH;
    bool read = socket->received == socket->taken || socket->shut & VSOCK_SHUT_RECEIVE; // or it never will be
    if (socket->peer_shut == VSOCK_SHUT_BOTH && read)
        reset(socket, 0); // the end of both ways is told by a reset (section 5.10.6.5)
    else
        bm_vsock_changed(socket, 0);
}

static void connecting_take(struct vsock *socket, const struct vsock_header *header)
{
    if (header->operation == VSOCK_RESPONSE) {
        socket->state = VSOCK_CONNECTED;
        bm_vsock_deadline_set(socket, UINT64_MAX);
        bm_vsock_changed(socket, BM_POLLOUT);
    } else if (header->operation == VSOCK_RESET) {
        bm_vsock_end(socket, BM_ECONNRESET);
    } else {
        reset(socket, BM_EPROTO);
    }
}

static void connected_take(struct vsock *socket, const struct vsock_header *header,
                           const unsigned char *bytes)
{
    switch (header->operation) {
    case VSOCK_BYTES:
        if (!bytes_take(socket, bytes, header->length))
            reset(socket, BM_ECONNRESET);
        break;
    case VSOCK_SHUTDOWN:
        shut(socket, header->flags);
        break;
    case VSOCK_RESET:
        bm_vsock_end(socket, 0);
        break;
    case VSOCK_CREDIT:
        break;
    case VSOCK_CREDIT_ASK:
        bm_vsock_owe(socket, VSOCK_CREDIT);
        break;
    default:
        reset(socket, BM_ECONNRESET);
        break;
    }
}

static void credit_take(struct vsock *socket, const struct vsock_header *header)
{
    uint32_t before = bm_vsock_credit(socket);
    socket->peer_room = header->room;
    socket->peer_taken = header->taken;
    uint32_t now = bm_vsock_credit(socket);
    if (now)
        socket->credit_asked = false;
    if (now > before)
        bm_vsock_changed(socket, BM_POLLOUT);
}

// A connection that somebody asks for is there at once, and waits to be accepted.
static void request_take(const struct vsock_header *header, struct vsock **made)
{
    struct vsock *listener = bm_vsock_listener(header->destination_port), *socket = *made;
    if (!listener || !socket || listener->pending_count > listener->backlog) {
        bm_vsock_refuse(header);
        return;
    }
    *made = NULL;
    socket->state = VSOCK_CONNECTED;
    socket->port = header->destination_port;
    socket->peer_cid = (uint32_t)header->source;
    socket->peer_port = header->source_port;
    socket->cid = listener->cid;
    socket->is_pending = true;
    struct vsock **end = &listener->pending;
    while (*end)
        end = &(*end)->next_pending;
    *end = socket;
    listener->pending_count++;
    credit_take(socket, header);
    bm_vsock_owe(socket, VSOCK_RESPONSE);
    bm_vsock_changed(listener, BM_POLLIN);
}

void bm_vsock_take(const struct vsock_header *header, const unsigned char *bytes, struct vsock **made)
{
    bool resets = header->operation == VSOCK_RESET;
    if (header->destination != atomic_load(&bm_vsock.cid) || header->source >= BM_VSOCK_ANY)
        return; // nobody could be answered
    if (header->type != VSOCK_STREAM) {
        if (!resets)
            bm_vsock_refuse(header);
        return;
    }
    struct vsock *socket = find(header->destination_port, (uint32_t)header->source, header->source_port);
    if (socket && socket->closed && header->operation == VSOCK_REQUEST) {
        bm_vsock_end(socket, 0); // the peer has forgotten it
        socket = NULL;
    }
    if (socket && socket->state == VSOCK_CONNECTING) {
        credit_take(socket, header);
        connecting_take(socket, header);
    } else if (socket) {
        credit_take(socket, header);
        connected_take(socket, header, bytes);
    } else if (header->operation == VSOCK_REQUEST) {
        request_take(header, made);
    } else if (!resets) {
        bm_vsock_refuse(header);
    }
}
