// A table of connections: guest, path and both ports lead to a slot.
// SPDX-License-Identifier: MIT
#include "flow.h"

static bool is_flow(const struct flow *flow, const struct flow *wanted)
{
    return flow->used && flow->six == wanted->six && flow->guest == wanted->guest &&
           flow->path == wanted->path && flow->guest_port == wanted->guest_port &&
           flow->peer_port == wanted->peer_port;
}

// The connection's slot. Clients' ports follow each other, so that of 1,024 hardly two share one.
static struct flow *find(struct flows *flows, const struct flow *wanted)
{
    const uint32_t mixed = wanted->peer_port + 257u * wanted->path + 65537u * wanted->guest_port +
                           31u * wanted->guest + wanted->six * 512u;
    return &flows->slots[(mixed ^ mixed >> 16) % FLOWS_MAX];
}

struct flow_place flow_note(struct flows *flows, const struct frame_view *view, uint8_t guest, uint8_t path,
                            bool out)
{
    const struct flow wanted = {.used = true,
                                .six = view->six,
                                .guest = guest,
                                .path = path,
                                .guest_port = out ? view->source_port : view->destination_port,
                                .peer_port = out ? view->destination_port : view->source_port};
    struct flow *flow = find(flows, &wanted);
    struct flow_place place = {0};
    if (!is_flow(flow, &wanted)) {
        if (!(view->flags & TCP_SYN))
            return place; // began before the wire did
        *flow = wanted;
    }
    struct flow_side *side = &flow->sides[out];
    if (view->flags & TCP_SYN && (!side->known || side->first != view->sequence))
        *side = (struct flow_side){.known = true, .first = view->sequence};
    if (!side->known)
        return place;
    place.known = true;
    place.at = view->sequence - side->first;
    // Places grow from 0; a connection of this bench stays below 2^31 of them.
    const int32_t ahead = (int32_t)(place.at + view->length - side->highest);
    if (ahead <= 0) {
        place.again = view->length;
    } else {
        place.again = view->length > (uint32_t)ahead ? view->length - (uint32_t)ahead : 0;
        side->highest = place.at + view->length;
    }
    return place;
}
