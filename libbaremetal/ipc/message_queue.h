// What the files of message queues share.
// SPDX-License-Identifier: MIT
#pragma once

#include "../file/service.h"

#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/message_queue.h>
#include <baremetal/waitqueue.h>

enum { NAME_MAX = 255 };

struct message {
    struct message *next;
    unsigned priority;
    size_t size;
    char data[];
};

struct queue {
    struct queue *next;  // of those with names; with the two below under the lock of the names
    unsigned references; // open files, and the name
    uint64_t bytes;      // that it counts for
    unsigned mode, owner, group;
    int64_t made; // time of day
    int64_t max, size;
    struct bm_spinlock lock; // of all below
    int64_t count;
    struct message *first, *last;
    unsigned receiving; // of those that wait for a message
    struct bm_message_queue_notice *notice;
    struct open_queue *files; // each with watchers of its own, whom its close tells
    struct bm_waitqueue senders, receivers;
    char name[NAME_MAX + 1];
};

// An open file of a queue.
struct open_queue {
    struct bm_file file; // first
    struct queue *queue;
    struct open_queue *next, *previous;
    struct bm_file_watchers watchers;
};

static inline struct open_queue *open_queue_of(struct bm_file *file)
{
    return (struct open_queue *)file; // its first member
}

// message_queue.c: gives a reference back.
void bm_message_queue_release(struct queue *queue);

extern const struct bm_file_ops bm_message_queue_ops; // message_queue_file.c

// message_queue_file.c: tells those that watch. Under the queue's lock.
void bm_message_queue_changed(struct queue *queue, int events);
