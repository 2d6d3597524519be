// Streams of a pattern in, out and back through sockets; how many frames held joined segments. With the word
// `lossy` frames get lost, and come out of order, between the driver and the stack.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @link net drivers
// @script net_bulk.py

#include <arpa/inet.h>
#include <baremetal/net.h>
#include <baremetal/netdev.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PORT = 5001, LOSS = 50, LATE = 20 }; // one frame in so many

static const struct bm_netdev_stack *stack;
static const struct bm_netdev_ops *ops;
static bool lossy;
static unsigned joined_in, joined_out, lost, late;
static struct bm_packet *kept;

static bool chance(unsigned one_in)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return lossy && (state >> 16) % one_in == 0;
}

// Takes the first frame off the batch.
static struct bm_packet *frame_take(struct bm_packet **batch)
{
    struct bm_packet *first = *batch, *last = first;
    while (last->flags & BM_PACKET_MORE)
        last = last->next;
    *batch = last->next;
    last->next = NULL;
    joined_in += first != last;
    return first;
}

static void frame_free(struct bm_packet *frame)
{
    while (frame) {
        struct bm_packet *next = frame->next;
        bm_packet_free(frame);
        frame = next;
    }
}

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    while (batch) {
        struct bm_packet *frame = frame_take(&batch);
        if (chance(LOSS)) {
            lost++;
            frame_free(frame);
        } else if (!kept && chance(LATE)) {
            late++;
            kept = frame;
        } else {
            stack->input(queue, frame);
            if (kept)
                stack->input(queue, kept);
            kept = NULL;
        }
    }
}

static void sent(struct bm_netqueue *queue, void *cookie)
{
    stack->sent(queue, cookie);
}

static void link_changed(struct bm_netqueue *queue)
{
    stack->link_changed(queue);
}

static int frame_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    joined_out += frame->gso_type != BM_NETDEV_GSO_NONE;
    if (!chance(LOSS))
        return ops->send(queue, frame);
    lost++;
    stack->sent(queue, frame->cookie);
    return 0;
}

static void flush(struct bm_netqueue *queue)
{
    ops->flush(queue);
}

// Puts itself between the stack and its device.
static void spy(void)
{
    static const struct bm_netdev_stack own_stack = {
        .input = input, .sent = sent, .link_changed = link_changed};
    static const struct bm_netdev_ops own_ops = {.send = frame_send, .flush = flush};
    struct bm_netdev *device = bm_netdev_first();
    CHECK(device != NULL && device->queue_count == 1);
    struct bm_netqueue *queue = device->queues;
    stack = queue->stack;
    ops = queue->ops;
    queue->ops = &own_ops;
    __atomic_store_n(&queue->stack, &own_stack, __ATOMIC_RELEASE);
}

// Eight bytes at offset 8 * number of every stream.
static uint64_t pattern(uint64_t number)
{
    return number * 0x9e3779b97f4a7c15;
}

static uint64_t words[8192];

static bool receive(int client, void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = recv(client, (char *)buffer + done, size - done, 0);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static void take(int client, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += 8192) {
        size_t now = count - at < 8192 ? (size_t)(count - at) : 8192;
        CHECK(receive(client, words, now * 8));
        for (size_t i = 0; i < now; i++)
            CHECK(words[i] == pattern(at + i));
    }
    CHECK(send(client, "k", 1, 0) == 1);
}

static bool give(int client, const void *data, size_t size)
{
    return send(client, data, size, 0) == (ssize_t)size;
}

static void make(int client, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += 8192) {
        size_t now = count - at < 8192 ? (size_t)(count - at) : 8192;
        for (size_t i = 0; i < now; i++)
            words[i] = pattern(at + i);
        CHECK(give(client, words, now * 8));
    }
}

static void echo(int client)
{
    ssize_t got;
    while ((got = recv(client, words, sizeof words, 0)) > 0)
        CHECK(give(client, words, (size_t)got));
}

static void serve(int client)
{
    struct {
        uint64_t what, count;
    } order;
    CHECK(receive(client, &order, sizeof order));
    joined_in = joined_out = lost = late = 0;
    if (order.what == 'i')
        take(client, order.count);
    else if (order.what == 'o')
        make(client, order.count);
    else
        echo(client);
    close(client);
    printf("joined: %u in, %u out; lost %u, late %u\n", joined_in, joined_out, lost, late);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    lossy = argc > 1 && strcmp(argv[1], "lossy") == 0;
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    const int none = 0;
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK(listener >= 0);
    CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof none) == 0);
    CHECK(bind(listener, (const struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 4) == 0);
    spy();
    for (;;) {
        int client = accept(listener, NULL, NULL);
        CHECK(client >= 0);
        serve(client);
    }
}
