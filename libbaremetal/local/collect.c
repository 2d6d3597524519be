// Sockets within the machine that only messages hold: such as one that was sent to itself and then closed.
// SPDX-License-Identifier: MIT
//
// Nobody can receive from a socket all of whose references are messages', and whose messages' sockets nobody
// can receive from. Those that somebody can are marked from those with other references on, through the
// messages that wait in them; the queues of the rest are emptied, which ends them (Linux' net/unix/garbage.c
// does the same).
#include "local.h"

// More references than messages: descriptors, or calls under way. One that no message brings may be about to
// get its descriptor; one that waits to be accepted is held by who listens.
static bool is_held(const struct bm_local *local)
{
    return local->in_flight == 0 ? !local->is_pending
                                 : (unsigned)atomic_load(&local->file.references) > local->in_flight;
}

static bool mark_pending(const struct bm_local *local)
{
    bool marked = false;
    for (struct bm_local *pending = local->pending; pending; pending = pending->next) {
        marked |= !pending->reached;
        pending->reached = true;
    }
    return marked;
}

// Marks what the messages of one queue bring; whether anything is new.
static bool mark_messages(const struct bm_local *local)
{
    bool marked = false;
    for (const struct bm_local_message *message = local->first; message; message = message->next)
        for (unsigned i = 0; message->rights && i < message->rights->count; i++) {
            struct bm_file *file = message->rights->files[i];
            if (file->ops != &bm_local_ops || bm_local_of(file)->reached)
                continue;
            bm_local_of(file)->reached = marked = true;
        }
    return marked;
}

// One round over all; whether anything is new.
static bool mark(void)
{
    bool marked = false;
    for (const struct bm_local *local = bm_local_all; local; local = local->next_all)
        if (local->reached) {
            marked |= mark_messages(local);
            marked |= mark_pending(local);
        }
    return marked;
}

static struct bm_local_message *unreached_messages(void)
{
    struct bm_local_message *all = NULL;
    for (struct bm_local *local = bm_local_all; local; local = local->next_all) {
        if (local->reached || !local->first)
            continue;
        for (struct bm_local_message *message = local->first; message; message = message->next)
            bm_local_rights_count(message->rights, -1);
        local->last->next = all;
        all = local->first;
        local->first = local->last = NULL;
        local->bytes = 0;
    }
    return all;
}

static struct bm_local_message *collect(void)
{
    if (bm_local_rights_in_flight == 0)
        return NULL;
    for (struct bm_local *local = bm_local_all; local; local = local->next_all)
        local->reached = is_held(local);
    while (mark())
        ;
    return unreached_messages();
}

void bm_local_collect(void)
{
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_message *messages = collect();
    bm_spinlock_release(&bm_local_lock);
    bm_local_messages_free(messages);
}
