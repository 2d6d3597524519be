// The simulator: events in order, links with all that wires do, programs that send and compare.
// SPDX-License-Identifier: MIT
#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint32_t world_random(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) ^ (uint32_t)(world->random >> 11);
}

uint8_t stream_byte(uint64_t seed, uint64_t at)
{
    uint64_t mixed = (at / 8 + seed) * 0x9e3779b97f4a7c15u;
    return (uint8_t)((mixed ^ mixed >> 29) >> (8 * (at % 8)));
}

static bool chance(struct world *world, uint32_t millionths)
{
    return millionths && world_random(world) % 1000000 < millionths;
}

static bool sooner(const struct frame *one, const struct frame *other)
{
    return one->at < other->at || (one->at == other->at && one->order < other->order);
}

static void heap_push(struct world *world, struct frame *frame)
{
    if (world->heap_count == world->heap_room) {
        world->heap_room = world->heap_room ? 2 * world->heap_room : 64;
        world->heap = realloc(world->heap, world->heap_room * sizeof *world->heap);
    }
    size_t i = world->heap_count++;
    while (i && sooner(frame, world->heap[(i - 1) / 2])) {
        world->heap[i] = world->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    world->heap[i] = frame;
}

static struct frame *heap_pop(struct world *world)
{
    struct frame *first = world->heap[0], *last = world->heap[--world->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= world->heap_count)
            break;
        if (child + 1 < world->heap_count && sooner(world->heap[child + 1], world->heap[child]))
            child++;
        if (!sooner(world->heap[child], last))
            break;
        world->heap[i] = world->heap[child];
        i = child;
    }
    world->heap[i] = last;
    return first;
}

void world_frame(struct world *world, int to, const uint8_t *bytes, size_t size, uint64_t at, bool marked)
{
    struct frame *frame = malloc(sizeof *frame + size);
    *frame = (struct frame){
        .at = at, .order = world->order++, .references = 1, .to = to, .size = size, .marked = marked};
    memcpy(frame->bytes, bytes, size);
    heap_push(world, frame);
}

// Through the bottleneck, if there is one: when the frame is at its far side; 0: the queue was full.
static uint64_t through(struct link *link, uint64_t now, size_t size, bool capable, bool *marked)
{
    if (!link->kbit)
        return now;
    uint64_t start = link->free_at > now ? link->free_at : now;
    uint64_t waiting = (start - now) * link->kbit / 8000;
    if (waiting + size > link->queue)
        return 0;
    *marked = link->marks && capable && waiting > link->queue / 2;
    link->free_at = start + size * 8000 / link->kbit;
    return link->free_at;
}

enum { DEVICE_WAY = 1, DEVICE_FRAME = 1538 };

// False: the device's queue has no room for the frame. Else when the device has sent it, and the engine hears
// when the queue is nearly full.
static bool leave(struct machine *machine, struct bm_tcp_connection *c, size_t size, uint64_t *at)
{
    struct device *device = &machine->device;
    uint64_t now = machine->world->now;
    *at = now;
    if (!device->kbit)
        return true;
    uint64_t start = device->free_at > now ? device->free_at : now;
    uint64_t each = DEVICE_FRAME * 8000ull / device->kbit, waiting = (start - now) / each;
    if (waiting >= device->frames) {
        device->dropped++;
        return false;
    }
    device->longest = waiting > device->longest ? (unsigned)waiting : device->longest;
    *at = device->free_at = start + size * 8000 / device->kbit;
    if (c && device->full_at && waiting >= device->full_at) {
        bm_tcp_full(c, DEVICE_WAY);
        device->room_at = device->free_at - device->full_at / 2 * each;
    }
    return true;
}

static void rooms(struct world *world)
{
    for (int i = 0; i < 2; i++) {
        struct device *device = &world->machines[i].device;
        if (!device->room_at || device->room_at > world->now)
            continue;
        device->room_at = 0;
        bm_tcp_room(world->machines[i].shard, DEVICE_WAY);
    }
}

static void transmit(struct machine *machine, struct bm_tcp_connection *connection, uint8_t *bytes,
                     size_t size, bool capable)
{
    struct world *world = machine->world;
    struct link *link = &machine->out;
    int to = machine == &world->machines[0];
    bool marked = false;
    link->frames++;
    if (world->seen)
        world->seen(world, !to, bytes, size);
    unsigned header = (unsigned)(bytes[12] >> 4) * 4;
    uint64_t left;
    if (!leave(machine, connection, size + 38, &left))
        return;
    if (size > header)
        link->data_frames++;
    if (link->filter && !link->filter(link, bytes, size, size > header ? link->data_frames : 0)) {
        link->dropped++;
        return;
    }
    uint64_t at = through(link, left, size + 38, capable, &marked);
    if (!at || chance(world, link->loss)) {
        link->dropped++;
        return;
    }
    at += link->delay_us;
    if (chance(world, link->reorder))
        at += link->reorder_us;
    if (chance(world, link->corrupt))
        bytes[world_random(world) % size] ^= (uint8_t)(1u << world_random(world) % 8);
    world_frame(world, to, bytes, size, at, marked);
    if (chance(world, link->duplicate))
        world_frame(world, to, bytes, size, at + world_random(world) % 1000, marked);
}

static void output(void *context, const struct bm_tcp_frame *frame)
{
    uint8_t bytes[1 << 16];
    size_t size = frame->header_size;
    memcpy(bytes, frame->header, size);
    for (unsigned i = 0; i < frame->count; i++) {
        memcpy(bytes + size, frame->pieces[i].data, frame->pieces[i].length);
        size += frame->pieces[i].length;
    }
    assert(size == frame->header_size + frame->length);
    uint16_t sum = bm_tcp_checksum(frame->tuple, bytes, size);
    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    struct machine *machine = context;
    machine->sent_connection = frame->connection;
    machine->sent_listener = frame->listener;
    transmit(context, frame->connection, bytes, size, frame->ecn_capable);
}

static uint64_t now(void *context)
{
    return ((struct machine *)context)->world->now;
}

static void *allocate(void *context, size_t size)
{
    struct machine *machine = context;
    if (machine->fail_one_in && world_random(machine->world) % machine->fail_one_in == 0)
        return NULL;
    machine->allocated += size;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    ((struct machine *)context)->allocated -= size;
    free(memory);
}

static void hold(void *context, void *owner)
{
    (void)context;
    ((struct frame *)owner)->references++;
}

static void drop(void *context, void *owner)
{
    struct frame *frame = owner;
    (void)context;
    if (!--frame->references)
        free(frame);
}

static uint32_t draw(void *context)
{
    return world_random(((struct machine *)context)->world);
}

// 0: none is said.
static uint16_t way(void *context, const struct bm_tcp_tuple *tuple)
{
    (void)tuple;
    const struct world *world = ((const struct machine *)context)->world;
    return world->way_mss ? world->way_mss : 1460;
}

static const struct bm_tcp_operations operations = {now, allocate, release, output, hold, drop, draw, way};

static int end_of(const struct pair *pair, const struct bm_tcp_connection *c)
{
    return c == pair->ends[1];
}

static void pump(struct pair *pair, int end)
{
    struct bm_tcp_connection *c = pair->ends[end];
    struct flow *flow = &pair->flows[end];
    uint8_t bytes[16384];
    while (c && flow->written < flow->size) {
        size_t room = bm_tcp_writable(c), left = flow->size - flow->written,
               chunk = flow->chunk ? flow->chunk : sizeof bytes;
        size_t length = left < chunk ? left : chunk;
        if (!room)
            return;
        length = length < room ? length : room;
        for (size_t i = 0; i < length; i++)
            bytes[i] = stream_byte(flow->seed, flow->written + i);
        size_t done = bm_tcp_write(c, bytes, length, false);
        flow->written += done;
        if (!done) {
            flow->write_at = pair->world->now + 10000;
            return;
        }
    }
    if (c && flow->written == flow->size && flow->close_when_written) {
        flow->close_when_written = false;
        bm_tcp_shutdown(c);
    }
}

static void connected(struct bm_tcp_connection *c)
{
    struct pair *pair = bm_tcp_user(c);
    pair->flows[end_of(pair, c)].connected = true;
    pump(pair, end_of(pair, c));
}

static void received(struct bm_tcp_connection *c, const uint8_t *data, size_t length, void *owner)
{
    struct pair *pair = bm_tcp_user(c);
    struct flow *flow = &pair->flows[!end_of(pair, c)];
    (void)owner;
    for (size_t i = 0; i < length; i++)
        flow->wrong |= data[i] != stream_byte(flow->seed, flow->received + i);
    uint64_t before = flow->received;
    flow->received += length;
    flow->wrong |= flow->received > flow->size;
    flow->unread += length;
    if (flow->pause_each && before / flow->pause_each != flow->received / flow->pause_each)
        flow->resume_at = pair->world->now + flow->pause_us;
    if (flow->resume_at <= pair->world->now) {
        bm_tcp_consumed(c, flow->unread);
        flow->unread = 0;
    }
}

static void finished(struct bm_tcp_connection *c)
{
    struct pair *pair = bm_tcp_user(c);
    struct flow *flow = &pair->flows[!end_of(pair, c)];
    flow->finished = true;
    flow->done_at = pair->world->now;
}

static void acknowledged(struct bm_tcp_connection *c, size_t length)
{
    struct pair *pair = bm_tcp_user(c);
    pair->flows[end_of(pair, c)].acknowledged += length;
    pump(pair, end_of(pair, c));
}

static void ended(struct bm_tcp_connection *c, enum bm_tcp_end why)
{
    struct pair *pair = bm_tcp_user(c);
    int end = end_of(pair, c);
    pair->flows[end].ended = true;
    pair->flows[end].why = why;
    pair->ends[end] = NULL;
}

static const struct bm_tcp_events events = {connected, received, finished, acknowledged, ended};

static bool accept(struct bm_tcp_listener *listener, struct bm_tcp_connection *c)
{
    struct world *world = listener->user;
    const struct bm_tcp_tuple *tuple = bm_tcp_tuple(c);
    for (struct pair *pair = world->pairs; pair; pair = pair->next)
        if (pair->tuple.local_port == tuple->remote_port && !pair->flows[1].connected) {
            pair->ends[1] = c;
            bm_tcp_set_events(c, &events, pair);
            connected(c);
            return true;
        }
    return false;
}

void world_links(struct world *world, uint32_t rtt_us)
{
    world->machines[0].out = world->machines[1].out = (struct link){.delay_us = rtt_us / 2};
}

void world_start(struct world *world, uint64_t seed)
{
    struct bm_tcp_limits limits[2] = {world->limits[0], world->limits[1]};
    *world = (struct world){.random = seed * 2 + 1, .now = 1000000, .port = 40000};
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &world->machines[i];
        world->limits[i] = limits[i];
        machine->world = world;
        machine->shard = aligned_alloc(64, (bm_tcp_shard_size() + 63) / 64 * 64);
        bool started = bm_tcp_shard_start(machine->shard, &operations, machine, &limits[i]);
        assert(started);
        (void)started;
        machine->listener = (struct bm_tcp_listener){.port = SERVER_PORT, .user = world, .accept = accept};
        bm_tcp_listen(machine->shard, &machine->listener);
    }
    world_links(world, 1000);
}

void world_stop(struct world *world)
{
    for (int i = 0; i < 2; i++) {
        bm_tcp_shard_stop(world->machines[i].shard);
        assert(bm_tcp_shard_memory(world->machines[i].shard) == 0);
        assert(world->machines[i].allocated == 0);
        free(world->machines[i].shard);
    }
    while (world->heap_count)
        free(heap_pop(world));
    free(world->heap);
}

void world_connect(struct world *world, struct pair *pair)
{
    static const uint8_t addresses[2][16] = {{[10] = 255, [11] = 255, 10, 0, 0, 1},
                                             {[10] = 255, [11] = 255, 10, 0, 0, 2}};
    pair->world = world;
    pair->next = world->pairs;
    world->pairs = pair;
    memcpy(pair->tuple.local, addresses[0], 16);
    memcpy(pair->tuple.remote, addresses[1], 16);
    pair->tuple.local_port = world->port++;
    pair->tuple.remote_port = SERVER_PORT;
    pair->flows[0].began = pair->flows[1].began = world->now;
    for (int i = 0; i < 2; i++)
        pair->flows[i].close_when_written = true;
    pair->ends[0] = bm_tcp_connect(world->machines[0].shard, &pair->tuple, 1460, &events, pair);
}

bool pair_done(const struct pair *pair)
{
    if (pair->flows[0].ended && !pair->flows[1].connected)
        return true; // the other machine never heard of it
    for (int i = 0; i < 2; i++)
        if (!pair->flows[i].finished && !pair->flows[i].ended)
            return false;
    return true;
}

void world_input(struct machine *machine, struct bm_tcp_packet *packet)
{
    struct bm_tcp_packet whole = *packet;
    if (!machine->plain && packet->size >= 20) {
        whole.tuple.remote_port = bm_tcp_get16(packet->bytes);
        whole.tuple.local_port = bm_tcp_get16(packet->bytes + 2);
        if (bm_tcp_input_predicted(machine->shard, &whole)) {
            machine->predicted++;
            return;
        }
    }
    bm_tcp_input(machine->shard, packet);
}

static void arrive(struct world *world)
{
    struct frame *frame = heap_pop(world);
    struct machine *machine = &world->machines[frame->to];
    struct bm_tcp_packet packet = {
        .bytes = frame->bytes, .size = frame->size, .owner = frame, .congestion_experienced = frame->marked};
    static const uint8_t mapped[12] = {[10] = 255, [11] = 255};
    packet.interface = world->machines[frame->to].interface;
    memcpy(packet.tuple.local, mapped, 12);
    memcpy(packet.tuple.remote, mapped, 12);
    packet.tuple.local[12] = packet.tuple.remote[12] = 10;
    packet.tuple.local[15] = frame->to ? 2 : 1;
    packet.tuple.remote[15] = frame->to ? 1 : 2;
    if (bm_tcp_checksum(&packet.tuple, frame->bytes, frame->size) == 0)
        world_input(machine, &packet);
    drop(NULL, frame);
}

// When a reader that pauses reads on; what was waiting is read now.
static uint64_t readers(struct world *world)
{
    uint64_t next = UINT64_MAX;
    for (struct pair *pair = world->pairs; pair; pair = pair->next)
        for (int i = 0; i < 2; i++) {
            struct flow *flow = &pair->flows[i];
            if (flow->write_at && flow->write_at <= world->now) {
                flow->write_at = 0;
                pump(pair, i);
            }
            if (flow->write_at && flow->write_at < next)
                next = flow->write_at;
            if (!flow->unread || !pair->ends[!i])
                continue;
            if (flow->resume_at > world->now) {
                next = flow->resume_at < next ? flow->resume_at : next;
                continue;
            }
            uint64_t unread = flow->unread;
            flow->unread = 0;
            bm_tcp_consumed(pair->ends[!i], unread);
        }
    return next;
}

static bool all_done(const struct world *world)
{
    for (struct pair *pair = world->pairs; pair; pair = pair->next)
        if (!pair_done(pair))
            return false;
    return world->pairs;
}

bool world_run(struct world *world, uint64_t until)
{
    while (!all_done(world)) {
        uint64_t next = readers(world);
        uint64_t frame = world->heap_count ? world->heap[0]->at : UINT64_MAX;
        next = frame < next ? frame : next;
        for (int i = 0; i < 2; i++) {
            uint64_t due = bm_tcp_timers_due(world->machines[i].shard);
            next = due < next ? due : next;
            uint64_t room = world->machines[i].device.room_at;
            next = room && room < next ? room : next;
        }
        if (next > until) {
            world->now = until > world->now ? until : world->now;
            break;
        }
        world->events++;
        if (next > world->now)
            world->now = next;
        rooms(world);
        for (int i = 0; i < 2; i++)
            if (bm_tcp_timers_due(world->machines[i].shard) <= world->now)
                bm_tcp_timers_run(world->machines[i].shard);
        if (world->heap_count && world->heap[0]->at <= world->now)
            arrive(world);
    }
    return all_done(world);
}
