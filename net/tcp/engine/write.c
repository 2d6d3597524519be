// What the program wants to be sent: pieces of memory, until they are acknowledged.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

static uint32_t queued(const struct bm_tcp_connection *c)
{
    return tcp_after(c->data_end, c->una) ? c->data_end - c->una : 0;
}

static bool open_for_writing(const struct bm_tcp_connection *c)
{
    return !c->gone && !c->fin_queued && (c->state == BM_TCP_ESTABLISHED || c->state == BM_TCP_CLOSE_WAIT);
}

size_t bm_tcp_writable(const struct bm_tcp_connection *c)
{
    uint32_t used = queued(c);
    if (!open_for_writing(c) || used >= c->send_limit)
        return 0;
    if (c->unsent_max && bm_tcp_unsent(c) >= c->unsent_max) // TCP_NOTSENT_LOWAT
        return 0;
    return c->send_limit - used;
}

void bm_tcp_piece_hold(struct bm_tcp_piece *piece)
{
    piece->references++;
}

void bm_tcp_piece_drop(struct bm_tcp_piece *piece)
{
    if (--piece->references)
        return;
    if (piece->done)
        piece->done(piece->argument);
    bm_tcp_free(piece->shard, piece, sizeof *piece + piece->room);
}

static struct bm_tcp_piece *append(struct bm_tcp_connection *c, uint32_t room)
{
    struct bm_tcp_piece *piece = bm_tcp_allocate(c->shard, sizeof *piece + room);
    if (!piece)
        return NULL;
    memset(piece, 0, sizeof *piece);
    piece->shard = c->shard;
    piece->data = (const uint8_t *)(piece + 1);
    piece->room = room;
    piece->references = 1;
    *(c->pieces_last ? &c->pieces_last->next : &c->pieces) = piece;
    c->pieces_last = piece;
    if (!c->unsent) {
        c->unsent = piece;
        c->unsent_offset = 0;
    }
    return piece;
}

static size_t copy(struct bm_tcp_connection *c, const uint8_t *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        struct bm_tcp_piece *piece = c->pieces_last;
        if (!piece || piece->length >= piece->room) {
            uint32_t left = (uint32_t)(length - done);
            piece = append(c, left < PIECE_SIZE / 4 ? (uint32_t)PIECE_SIZE / 4 : PIECE_SIZE);
            if (!piece)
                break;
        }
        size_t part = piece->room - piece->length;
        if (part > length - done)
            part = length - done;
        memcpy((uint8_t *)(piece + 1) + piece->length, data + done, part);
        piece->length += (uint32_t)part;
        done += part;
    }
    return done;
}

size_t bm_tcp_write(struct bm_tcp_connection *c, const void *data, size_t length, bool more)
{
    bm_tcp_enter(c->shard);
    size_t room = bm_tcp_writable(c);
    size_t done = copy(c, data, length < room ? length : room);
    c->data_end += (uint32_t)done;
    c->hold_back = more;
    bm_tcp_output(c);
    return done;
}

bool bm_tcp_write_reference(struct bm_tcp_connection *c, const void *data, size_t length, bool more,
                            void (*done)(void *argument), void *argument)
{
    bm_tcp_enter(c->shard);
    if (!length || length > bm_tcp_writable(c))
        return false;
    struct bm_tcp_piece *piece = append(c, 0);
    if (!piece)
        return false;
    piece->data = data;
    piece->length = (uint32_t)length;
    piece->done = done;
    piece->argument = argument;
    // If all before was sent, `unsent` stood at the end of the piece before.
    while (c->unsent->next && c->unsent_offset >= c->unsent->length) {
        c->unsent_offset -= c->unsent->length;
        c->unsent = c->unsent->next;
    }
    c->data_end += (uint32_t)length;
    c->hold_back = more;
    bm_tcp_output(c);
    return true;
}

void bm_tcp_push(struct bm_tcp_connection *c)
{
    bm_tcp_enter(c->shard);
    c->hold_back = false;
    bm_tcp_output(c);
}

// Frees what lies before SND.UNA. The last piece stays while it has room for more.
void bm_tcp_pieces_acknowledged(struct bm_tcp_connection *c, uint32_t length)
{
    c->pieces_offset += length;
    while (c->pieces && c->pieces_offset >= c->pieces->length) {
        struct bm_tcp_piece *piece = c->pieces;
        c->pieces_offset -= piece->length;
        if (c->unsent == piece) {
            c->unsent = piece->next;
            c->unsent_offset = 0;
        }
        c->pieces = piece->next;
        if (!c->pieces)
            c->pieces_last = NULL;
        bm_tcp_piece_drop(piece);
    }
}

void bm_tcp_pieces_free(struct bm_tcp_connection *c)
{
    while (c->pieces) {
        struct bm_tcp_piece *piece = c->pieces;
        c->pieces = piece->next;
        bm_tcp_piece_drop(piece);
    }
    c->pieces_last = c->unsent = NULL;
}
