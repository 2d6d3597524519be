// A binary heap of frames by their arrival.
// SPDX-License-Identifier: MIT
#include "transit.h"

#include <stdbool.h>
#include <stdlib.h>

struct frame *transit_new(struct transit *transit)
{
    struct frame *frame = transit->spare;
    if (frame) {
        transit->spare = frame->next;
    } else {
        if (transit->made == TRANSIT_MAX || !(frame = malloc(sizeof(*frame))))
            return NULL;
        transit->made++;
    }
    frame->next = NULL;
    return frame;
}

void transit_free(struct transit *transit, struct frame *frame)
{
    frame->next = transit->spare;
    transit->spare = frame;
}

static bool is_before(const struct frame *a, const struct frame *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

void transit_put(struct transit *transit, struct frame *frame)
{
    frame->order = transit->order++;
    size_t i = transit->count++;
    for (; i && is_before(frame, transit->heap[(i - 1) / 2]); i = (i - 1) / 2)
        transit->heap[i] = transit->heap[(i - 1) / 2];
    transit->heap[i] = frame;
}

struct frame *transit_next(const struct transit *transit)
{
    return transit->count ? transit->heap[0] : NULL;
}

struct frame *transit_take(struct transit *transit)
{
    struct frame *top = transit_next(transit);
    if (!top)
        return NULL;
    struct frame *last = transit->heap[--transit->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < transit->count; i = child) {
        if (child + 1 < transit->count && is_before(transit->heap[child + 1], transit->heap[child]))
            child++;
        if (!is_before(transit->heap[child], last))
            break;
        transit->heap[i] = transit->heap[child];
    }
    transit->heap[i] = last;
    return top;
}
