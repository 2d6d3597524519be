// What the program wants to be sent: pieces of memory, until they are acknowledged.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

size_t bm_tcp_writable(const struct bm_tcp_connection *c)
{
    return tcp_writable(c);
}

void bm_tcp_piece_hold(struct bm_tcp_piece *piece)
{
    piece->references++;
}

void bm_tcp_piece_drop(struct bm_tcp_piece *piece)
{
    if (piece->given) {
        tcp_piece_drop(piece);
        return;
    }
    if (--piece->references)
        return;
    if (piece->done)
        piece->done(piece->argument);
    bm_tcp_free(piece->shard, piece, sizeof *piece + piece->room);
}

static struct bm_tcp_piece *make(struct bm_tcp_shard *shard, uint32_t room)
{
    struct bm_tcp_piece *piece = bm_tcp_allocate(shard, sizeof *piece + room);
    if (!piece)
        return NULL;
    memset(piece, 0, sizeof *piece);
    piece->shard = shard;
    piece->data = (const uint8_t *)(piece + 1);
    piece->room = room;
    piece->references = 1;
    return piece;
}

static void append(struct bm_tcp_connection *c, struct bm_tcp_piece *piece)
{
    *(c->pieces_last ? &c->pieces_last->next : &c->pieces) = piece;
    c->pieces_last = piece;
    if (!c->unsent) {
        c->unsent = piece;
        c->unsent_offset = 0;
    }
}

static uint32_t room_for(size_t length)
{
    return length < PIECE_SIZE / 4 ? (uint32_t)PIECE_SIZE / 4 : PIECE_SIZE;
}

// Fills the last piece, and returns how much that was.
static size_t fill(struct bm_tcp_connection *c, const uint8_t *data, size_t length)
{
    struct bm_tcp_piece *piece = c->pieces_last;
    size_t part = piece && piece->room > piece->length ? piece->room - piece->length : 0;
    if (part > length)
        part = length;
    if (part)
        memcpy((uint8_t *)(piece + 1) + piece->length, data, part);
    if (part)
        piece->length += (uint32_t)part;
    return part;
}

static size_t copy(struct bm_tcp_connection *c, const uint8_t *data, size_t length)
{
    size_t done = fill(c, data, length);
    while (done < length) {
        struct bm_tcp_piece *piece = make(c->shard, room_for(length - done));
        if (!piece)
            break;
        append(c, piece);
        done += fill(c, data + done, length - done);
    }
    return done;
}

// Pieces for as many bytes, linked; NULL: no memory.
static struct bm_tcp_piece *make_all(struct bm_tcp_shard *shard, size_t length)
{
    struct bm_tcp_piece *first = NULL;
    for (size_t room = 0; room < length;) {
        struct bm_tcp_piece *piece = make(shard, room_for(length - room));
        if (!piece) {
            while ((piece = first)) {
                first = piece->next;
                bm_tcp_piece_drop(piece);
            }
            return NULL;
        }
        room += piece->room;
        piece->next = first;
        first = piece;
    }
    return first;
}

// What waits for more goes out when it fills a segment.
static void written(struct bm_tcp_connection *c, uint32_t length, bool more)
{
    c->data_end += length;
    c->hold_back = more;
    if (!more || bm_tcp_unsent(c) >= c->mss)
        bm_tcp_output(c);
}

size_t bm_tcp_write(struct bm_tcp_connection *c, const void *data, size_t length, bool more)
{
    bm_tcp_enter(c->shard);
    size_t room = tcp_writable(c);
    size_t done = copy(c, data, length < room ? length : room);
    written(c, (uint32_t)done, more);
    return done;
}

bool bm_tcp_write_whole(struct bm_tcp_connection *c, const void *data, size_t length, bool more)
{
    bm_tcp_enter(c->shard);
    if (length > tcp_writable(c))
        return false;
    const struct bm_tcp_piece *last = c->pieces_last;
    size_t room = last && last->room > last->length ? last->room - last->length : 0;
    struct bm_tcp_piece *spare = NULL;
    if (length > room && !(spare = make_all(c->shard, length - room)))
        return false;
    size_t done = fill(c, data, length);
    while (spare) {
        struct bm_tcp_piece *piece = spare;
        spare = piece->next;
        piece->next = NULL;
        append(c, piece);
        done += fill(c, (const uint8_t *)data + done, length - done);
    }
    written(c, (uint32_t)done, more);
    return true;
}

bool bm_tcp_write_reference(struct bm_tcp_connection *c, const void *data, size_t length, bool more,
                            void (*done)(void *argument), void *argument)
{
    bm_tcp_enter(c->shard);
    if (!length || length > tcp_writable(c))
        return false;
    struct bm_tcp_piece *piece = make(c->shard, 0);
    if (!piece)
        return false;
    append(c, piece);
    piece->data = data;
    piece->length = (uint32_t)length;
    piece->done = done;
    piece->argument = argument;
    // If all before was sent, `unsent` stood at the end of the piece before.
    while (c->unsent->next && c->unsent_offset >= c->unsent->length) {
        c->unsent_offset -= c->unsent->length;
        c->unsent = c->unsent->next;
    }
    written(c, (uint32_t)length, more);
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
