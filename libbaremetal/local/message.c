// Sockets within the machine: messages on their way.
// SPDX-License-Identifier: MIT
#include "local.h"

enum { CHUNK_MAX = BM_PAGE_SIZE - sizeof(struct bm_local_chunk) };

static void pass_empty(struct bm_local_cursor *cursor)
{
    while (cursor->count && cursor->offset == cursor->at->size) {
        cursor->at++;
        cursor->count--;
        cursor->offset = 0;
    }
}

struct bm_local_cursor bm_local_cursor_of(const struct bm_socket_message *message)
{
    struct bm_local_cursor cursor = {message->pieces, message->count, 0};
    pass_empty(&cursor);
    return cursor;
}

// Copies between memory and what the cursor stands at, and moves it on; returns how many bytes.
static size_t cursor_copy(struct bm_local_cursor *cursor, char *memory, size_t size, bool out)
{
    size_t done = 0;
    while (done < size && cursor->count) {
        size_t part = cursor->at->size - cursor->offset;
        if (part > size - done)
            part = size - done;
        char *place = (char *)cursor->at->data + cursor->offset;
        if (out)
            __builtin_memcpy(place, memory + done, part);
        else
            __builtin_memcpy(memory + done, place, part);
        done += part;
        cursor->offset += part;
        pass_empty(cursor);
    }
    return done;
}

static void message_free(struct bm_local_message *message)
{
    while (message->chunks) {
        struct bm_local_chunk *chunk = message->chunks;
        message->chunks = chunk->next;
        bm_file_free(chunk, sizeof *chunk + chunk->size);
    }
    bm_local_rights_free(message->rights);
    if (message->sender)
        bm_local_put(message->sender);
    bm_file_free(message, sizeof *message);
}

struct bm_local_message *bm_local_message_make(struct bm_local_cursor *cursor, size_t size)
{
    struct bm_local_message *message = bm_file_allocate(sizeof *message);
    if (!message)
        return NULL;
    struct bm_local_chunk **place = &message->chunks;
    while (message->size < size) {
        size_t part = size - message->size;
        if (part > CHUNK_MAX)
            part = CHUNK_MAX;
        struct bm_local_chunk *chunk = bm_file_allocate(sizeof *chunk + part);
        if (!chunk) {
            message_free(message);
            return NULL;
        }
        chunk->size = part;
        cursor_copy(cursor, chunk->data, part, false);
        message->size += part;
        *place = chunk;
        place = &chunk->next;
    }
    return message;
}

size_t bm_local_message_copy(const struct bm_local_message *message, size_t from,
                             struct bm_local_cursor *cursor)
{
    size_t done = 0;
    for (struct bm_local_chunk *chunk = message->chunks; chunk && cursor->count; chunk = chunk->next) {
        if (from >= chunk->size) {
            from -= chunk->size;
            continue;
        }
        done += cursor_copy(cursor, chunk->data + from, chunk->size - from, true);
        from = 0;
    }
    return done;
}

// The files of a message may be the last references to sockets whose messages have files again, and so on:
// the outermost call frees them all, one after the other.
static struct bm_local_message *waiting;
static bool freeing;

static struct bm_local_message *waiting_take(void)
{
    struct bm_local_message *message = waiting;
    if (message)
        waiting = message->next;
    else
        freeing = false;
    return message;
}

void bm_local_messages_free(struct bm_local_message *messages)
{
    if (!messages)
        return;
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_message **end = &waiting;
    while (*end)
        end = &(*end)->next;
    *end = messages;
    bool others = freeing;
    freeing = true;
    struct bm_local_message *message = others ? NULL : waiting_take();
    bm_spinlock_release(&bm_local_lock);
    while (message) {
        message_free(message);
        bm_spinlock_acquire(&bm_local_lock);
        message = waiting_take();
        bm_spinlock_release(&bm_local_lock);
    }
}
