// Data that the program has refused, and the end behind it: kept, and offered again.
// SPDX-License-Identifier: MIT
#include "own.h"

#include <string.h>

void own_refused_free(struct own_tcp *own)
{
    while (own->pcb.refused_data) {
        struct pbuf *buffer = own->pcb.refused_data;
        own->pcb.refused_data = buffer->next;
        buffer->next = NULL;
        pbuf_free(buffer);
    }
    own->refused_last = NULL;
    own->refused_room = 0;
}

enum { GATHERED = 1984, SMALL = 512 }; // bytes of data

static struct pbuf *gather_begin(struct own_tcp *own, struct pbuf *buffer)
{
    struct pbuf *gathered = pbuf_alloc(PBUF_RAW, GATHERED, PBUF_RAM);
    if (!gathered)
        return buffer;
    memcpy(gathered->payload, buffer->payload, buffer->len);
    gathered->len = gathered->tot_len = buffer->len;
    own->refused_room = GATHERED - buffer->len;
    pbuf_free(buffer);
    return gathered;
}

// Pieces, which may be of one byte each, are put together: a packet's memory is large whatever is in it, and
// the window counts bytes.
void own_refuse(struct own_tcp *own, struct pbuf *buffer)
{
    struct pbuf *last = own->refused_last;
    if (last && buffer->len <= own->refused_room) {
        memcpy((u8_t *)last->payload + last->len, buffer->payload, buffer->len);
        last->len = last->tot_len = (u16_t)(last->len + buffer->len);
        own->refused_room -= buffer->len;
        pbuf_free(buffer);
        return;
    }
    own->refused_room = 0;
    if (buffer->len <= SMALL)
        buffer = gather_begin(own, buffer);
    *(last ? &last->next : &own->pcb.refused_data) = buffer;
    own->refused_last = buffer;
}

bool own_offer(struct own_tcp *own)
{
    struct pbuf *buffer;
    while (!own->dead && (buffer = own->pcb.refused_data)) {
        struct pbuf *next = buffer->next;
        own->pcb.refused_data = buffer->next = NULL; // the program may end the connection meanwhile
        struct pbuf *last = own->refused_last;
        own->refused_last = NULL;
        own->refused_room = 0;
        bool taken = own_give(own, buffer);
        if (own->dead) {
            while ((buffer = next)) {
                next = buffer->next;
                buffer->next = NULL;
                pbuf_free(buffer);
            }
            return false;
        }
        own->pcb.refused_data = taken ? next : buffer;
        own->refused_last = own->pcb.refused_data ? last : NULL;
        if (!taken) {
            buffer->next = next;
            return false;
        }
    }
    if (own->dead || !own->end_waits)
        return !own->dead;
    own->end_waits = false;
    own->end_waits = !own_give(own, NULL) && !own->dead;
    return !own->end_waits && !own->dead;
}
