// Frames under way, in the order of their arrival; and the memory of frames.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FRAME_ROOM = 2048, TRANSIT_MAX = 65536 }; // bytes of a frame; frames at once, 128 MiB

struct frame {
    uint64_t when, order; // ns; those of the same moment arrive as they were put in
    struct frame *next;   // in a list of those that wait, or of spare ones
    uint16_t size;
    uint8_t way, path, guest; // guest: where it goes, or came from
    uint8_t bytes[FRAME_ROOM];
};

struct transit {
    struct frame *heap[TRANSIT_MAX], *spare;
    size_t count, made; // under way; frames there are
    uint64_t order;
};

// A frame, or NULL: TRANSIT_MAX are in use, or memory has ended.
struct frame *transit_new(struct transit *transit);
void transit_free(struct transit *transit, struct frame *frame);

// frame->when is set; there is always room for what transit_new has given.
void transit_put(struct transit *transit, struct frame *frame);

// The next to arrive, which stays; NULL: none. transit_take takes it out.
struct frame *transit_next(const struct transit *transit);
struct frame *transit_take(struct transit *transit);
