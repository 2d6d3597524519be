// What the engine says of connections becomes the callbacks of the raw API.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "../../lwip/memory.h"

#include <baremetal/compiler.h>

#include "arch/bm_assert.h"

void own_leave_last(struct own_tcp *own)
{
    if (own->dead)
        own_free(own);
    else if (own->written && !(own->pcb.flags & TF_CORKED))
        tcp_output(&own->pcb);
}

void own_fail(struct own_tcp *own, err_t why)
{
    tcp_err_fn told = own->pcb.errf;
    void *arg = own->pcb.callback_arg;
    own_free(own);
    if (told)
        told(arg, why);
}

struct part {
    struct pbuf_custom custom; // first
    struct pbuf *whole;
};

static BM_COLD void part_free(struct pbuf *buffer)
{
    struct part *part = (struct part *)(void *)buffer;
    pbuf_free(part->whole);
    bm_net_free(part);
}

static BM_COLD struct pbuf *part_of(struct pbuf *packet, const uint8_t *data, size_t length)
{
    struct part *part = bm_net_allocate(sizeof *part);
    if (!part) {
        pbuf_free(packet);
        return NULL;
    }
    part->whole = packet;
    part->custom.custom_free_function = part_free;
    return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_REF, &part->custom, (void *)(uintptr_t)data,
                               (u16_t)length);
}

// A buffer of the data alone. The packet's own becomes it where nobody else holds that.
static struct pbuf *buffer_of(struct pbuf *packet, const uint8_t *data, size_t length)
{
    unsigned others = 0;
    if (packet == own_gift) { // express.c lets go of it
        own_gift = NULL;
    } else {
        pbuf_ref(packet);
        others = 1; // the caller
    }
    if (packet->ref != 1 + others)
        return part_of(packet, data, length);
    packet->payload = (void *)(uintptr_t)data;
    packet->len = packet->tot_len = (u16_t)length;
    return packet;
}

static BM_COLD void connected(struct bm_tcp_connection *connection)
{
    struct own_tcp *own = connection->user;
    if (!own)
        return;
    own_enter(own);
    if (own->pcb.connected)
        own->pcb.connected(own->pcb.callback_arg, &own->pcb, ERR_OK);
    if (!own->dead)
        own_options(own);
    own_leave(own);
}

static void received(struct bm_tcp_connection *connection, const uint8_t *data, size_t length, void *owner)
{
    struct own_tcp *own = connection->user;
    if (!own)
        return;
    struct pbuf *buffer = buffer_of(owner, data, length);
    own->calls++;                                  // nothing that it shows has changed since the last event
    if (!buffer || own->pcb.flags & TF_RXCLOSED) { // nobody will read it: the peer is to know
        if (buffer)
            pbuf_free(buffer);
        tcp_abort(&own->pcb);
    } else if (own->pcb.refused_data || !own_give(own, buffer)) {
        own_refuse(own, buffer);
    }
    own_leave(own);
}

static BM_COLD void finished(struct bm_tcp_connection *connection)
{
    struct own_tcp *own = connection->user;
    if (!own)
        return;
    own_enter(own);
    if (own->pcb.state == FIN_WAIT_2)
        own->pcb.state = TIME_WAIT;
    own->end_waits = true;
    if (!own->pcb.refused_data)
        own_offer(own);
    own_leave(own);
}

static void acknowledged(struct bm_tcp_connection *connection, size_t length)
{
    struct own_tcp *own = connection->user;
    if (!own)
        return;
    own->pcb.polltmr = 0;
    own->calls++;
    own->pcb.snd_buf = tcp_writable(connection);
    own->pcb.snd_wnd_max = connection->peer_window_max;
    own_show_data(own);
    while (length && !own->dead && own->pcb.sent) {
        u16_t part = (u16_t)LWIP_MIN(length, 0xffff);
        if (own->pcb.sent(own->pcb.callback_arg, &own->pcb, part) == ERR_ABRT)
            break;
        length -= part;
    }
    own_leave(own);
}

// Both sides have said all, and the program has the block still: one that was the first to end sees
// TIME_WAIT, as long as it lasts.
static BM_COLD void ended(struct bm_tcp_connection *connection, enum bm_tcp_end why)
{
    struct own_tcp *own = connection->user;
    if (!own)
        return;
    enum tcp_state state = own->pcb.state;
    bool orderly = why == BM_TCP_ENDED;
    own->calls++;
    own_part(own);
    if (orderly && (state == TIME_WAIT || state == CLOSING || own->pcb.refused_data || own->end_waits)) {
        own->pcb.state = TIME_WAIT;
        own->pcb.tmr = 0;
        own_list_add(&tcp_tw_pcbs, &own->pcb);
    } else {
        own_fail(own, orderly ? ERR_CLSD : why == BM_TCP_RESET || why == BM_TCP_REFUSED ? ERR_RST : ERR_ABRT);
    }
    own_leave(own);
}

const struct bm_tcp_events own_events = {.connected = connected,
                                         .received = received,
                                         .finished = finished,
                                         .acknowledged = acknowledged,
                                         .ended = ended};
