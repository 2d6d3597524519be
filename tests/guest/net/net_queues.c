// Devices with four queues, joined back to back (net_queues/wire.h). Four cores serve four queues at once,
// and no queue is touched by a second core; queues are bound to other cores and again; sockets work over one
// queue while other stacks have the other three.
// SPDX-License-Identifier: MIT
// @link net
// @smp 4
// @memory 64
// @append ip=eth0:10.7.0.1/24 log=warn
// @cpus max
// @timeout 120
// @forbid ^(error|fault|panic|warning):
// @expect queue 0: 3000 and 3000 frames in order
// @expect queue 3: 3000 and 3000 frames in order
// @expect strangers: 0
// @expect strangers after a change of cores: 0
// @expect sockets: 65536 bytes and 40 datagrams

#include <arpa/inet.h>
#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/netdev.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/work.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "net_queues/mirror.h"
#include "net_queues/wire.h"

// --- A stack that sends numbered frames both ways ---

enum { FRAMES = 3000, SIZE = 256, WINDOW = 32 };

struct endpoint {
    struct bm_netqueue *queue;
    struct buffer {
        unsigned char headroom[BM_NETDEV_HEADROOM];
        struct {
            uint32_t queue, number;
            unsigned char rest[SIZE - 8];
        } frame;
        bool out;
    } buffers[WINDOW];
    atomic_uint received;
    unsigned sent;
};

static struct endpoint endpoints[4][QUEUES]; // of each wire

static void endpoint_input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    struct endpoint *self = queue->stack_state;
    while (batch) {
        struct bm_packet *next = batch->next;
        uint32_t said[2];
        memcpy(said, batch->data, sizeof said);
        CHECK(batch->length == SIZE && batch->pool == queue->pool);
        CHECK(said[0] == queue->number && said[1] == atomic_load(&self->received)); // none lost, none early
        atomic_fetch_add(&self->received, 1);
        bm_packet_free(batch);
        batch = next;
    }
}

static void endpoint_sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue;
    ((struct buffer *)cookie)->out = false;
}

static void endpoint_link(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack endpoint_stack = {
    .input = endpoint_input, .sent = endpoint_sent, .link_changed = endpoint_link};

static bool endpoint_send(struct endpoint *self)
{
    struct buffer *buffer = &self->buffers[self->sent % WINDOW];
    if (buffer->out || self->sent == FRAMES)
        return false;
    buffer->frame.queue = self->queue->number;
    buffer->frame.number = self->sent;
    const struct bm_netdev_segment segments[] = {{&buffer->frame, 100},
                                                 {(char *)&buffer->frame + 100, SIZE - 100}};
    const struct bm_netdev_frame frame = {.segments = segments, .segment_count = 2, .cookie = buffer};
    buffer->out = true;
    int error = self->queue->ops->send(self->queue, &frame);
    if (error) {
        CHECK(error == -BM_EAGAIN);
        buffer->out = false;
        return false;
    }
    self->sent++;
    return true;
}

// A pair of wires whose queues from `first` on are this stack's. Queue n is core (n + shift) % 4's on both
// sides.
struct run {
    unsigned wire, first, shift;
};

static unsigned core_of(const struct run *run, unsigned number)
{
    return (number + run->shift) % QUEUES;
}

// Runs on the core that the queues are bound to, as everything that touches them.
static void endpoints_run(unsigned wire, unsigned number)
{
    uint64_t deadline = bm_time_monotonic() + 60 * 1000000000ull;
    for (bool done = false; !done;) {
        done = true;
        for (unsigned side = wire; side < wire + 2; side++) {
            struct endpoint *self = &endpoints[side][number];
            while (endpoint_send(self))
                ;
            self->queue->ops->flush(self->queue);
            done &= self->sent == FRAMES && atomic_load(&self->received) == FRAMES;
        }
        bm_poll();
        CHECK(bm_time_monotonic() < deadline);
    }
}

static void endpoints_work(void *arg)
{
    struct endpoint *self = arg;
    endpoints_run(self->queue->device == &wires[0].netdev ? 0 : 2, self->queue->number);
}

static struct bm_netqueue *queue_of(unsigned wire, unsigned number)
{
    struct bm_netqueue *queue = bm_netdev_queue(&wires[wire].netdev, number);
    CHECK(queue != NULL && queue->number == number);
    return queue;
}

static bool is_passed(void *arg)
{
    return bm_time_monotonic() >= *(uint64_t *)arg;
}

static void bind_all(const struct run *run)
{
    for (unsigned side = run->wire; side < run->wire + 2; side++)
        for (unsigned number = run->first; number < QUEUES; number++)
            CHECK(bm_netqueue_bind(queue_of(side, number), core_of(run, number)) == 0);
    // A core that was inside a queue ends its round; what it did before does not count.
    uint64_t end = bm_time_monotonic() + 20 * 1000000;
    bm_wait_until(is_passed, &end, end);
    for (unsigned side = run->wire; side < run->wire + 2; side++)
        for (unsigned number = run->first; number < QUEUES; number++) {
            struct wire_queue *queue = (struct wire_queue *)queue_of(side, number);
            atomic_store(&queue->strangers, 0);
            for (unsigned core = 0; core < QUEUES; core++)
                atomic_store(&queue->calls[core], 0);
            endpoints[side][number].sent = 0;
            atomic_store(&endpoints[side][number].received, 0);
        }
}

// All queues at once, each on its core; `meanwhile` on core 0, or its queue.
static void run_all(const struct run *run, void (*meanwhile)(void))
{
    struct bm_work work[QUEUES];
    bool is_main[QUEUES] = {false};
    bind_all(run);
    for (unsigned number = run->first; number < QUEUES; number++) {
        bm_work_init(&work[number], endpoints_work, &endpoints[run->wire][number]);
        is_main[number] = core_of(run, number) == 0;
        if (!is_main[number])
            bm_work_submit_on(core_of(run, number), &work[number]);
    }
    if (meanwhile)
        meanwhile();
    for (unsigned number = run->first; number < QUEUES; number++)
        if (is_main[number])
            endpoints_run(run->wire, number);
    for (unsigned number = run->first; number < QUEUES; number++)
        if (!is_main[number])
            bm_work_wait(&work[number]);
}

// How often cores touched queues that are not theirs; each must have touched its own.
static unsigned strangers(const struct run *run)
{
    unsigned count = 0;
    for (unsigned side = run->wire; side < run->wire + 2; side++)
        for (unsigned number = run->first; number < QUEUES; number++) {
            const struct wire_queue *queue = (const struct wire_queue *)queue_of(side, number);
            count += atomic_load(&queue->strangers);
            for (unsigned core = 0; core < QUEUES; core++)
                CHECK((atomic_load(&queue->calls[core]) > 0) == (core == core_of(run, number)));
        }
    return count;
}

static void take(const struct run *run)
{
    for (unsigned side = run->wire; side < run->wire + 2; side++)
        for (unsigned number = run->first; number < QUEUES; number++) {
            endpoints[side][number].queue = queue_of(side, number);
            CHECK(bm_netqueue_take(queue_of(side, number), &endpoint_stack, &endpoints[side][number]) == 0);
            CHECK(bm_netqueue_take(queue_of(side, number), &endpoint_stack, NULL) == -BM_EBUSY);
        }
}

static void queues_test(void)
{
    struct run run = {.wire = 2};
    CHECK(bm_core_count() == QUEUES);
    take(&run);
    CHECK(bm_netqueue_bind(queue_of(2, 1), QUEUES) == -BM_EINVAL);
    run_all(&run, NULL);
    for (unsigned number = 0; number < QUEUES; number++) {
        const struct bm_netqueue *near = queue_of(2, number), *far = queue_of(3, number);
        printf("queue %u: %u and %u frames in order\n", number, endpoints[2][number].received,
               endpoints[3][number].received);
        CHECK(near->received == FRAMES && near->transmitted == FRAMES && near->receive_dropped == 0);
        CHECK(far->received == FRAMES && far->transmitted_bytes == FRAMES * SIZE);
    }
    CHECK(bm_netdev_statistics_get(&wires[3].netdev).received == QUEUES * FRAMES);
    printf("strangers: %u\n", strangers(&run));
    for (run.shift = 1; run.shift < QUEUES; run.shift++) {
        run_all(&run, NULL);
        CHECK(strangers(&run) == 0);
    }
    puts("strangers after a change of cores: 0");
}

// --- Sockets over queue 0 ---

enum { PORT = 4000, STREAM = 65536, DATAGRAMS = 40 };

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

static void stream_test(const struct sockaddr_in *here, const struct sockaddr_in *mirror)
{
    static unsigned char data[STREAM];
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (const struct sockaddr *)here, sizeof *here) == 0 && listen(listener, 1) == 0);
    CHECK(connect(client, (const struct sockaddr *)mirror, sizeof *mirror) == 0);
    int server = accept(listener, NULL, NULL);
    CHECK(server >= 0);
    for (size_t i = 0; i < STREAM; i++)
        data[i] = pattern(i);
    size_t done = 0;
    for (size_t given = 0; given < STREAM;) { // a window at a time: one thread is both ends
        size_t piece = STREAM - given < 4096 ? STREAM - given : 4096;
        CHECK(send(client, data + given, piece, 0) == (ssize_t)piece);
        for (given += piece; done < given;) {
            unsigned char got[4096];
            ssize_t length = recv(server, got, sizeof got, 0);
            CHECK(length > 0);
            for (ssize_t i = 0; i < length; i++, done++)
                CHECK(got[i] == pattern(done));
        }
    }
    CHECK(shutdown(client, SHUT_WR) == 0);
    CHECK(recv(server, data, 1, 0) == 0);
    close(server), close(client), close(listener);
}

static void datagram_test(const struct sockaddr_in *here, const struct sockaddr_in *mirror)
{
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(receiver, (const struct sockaddr *)here, sizeof *here) == 0);
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        unsigned char data[1000], got[1000];
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        memset(data, (int)i, sizeof data);
        CHECK(sendto(sender, data, sizeof data, 0, (const struct sockaddr *)mirror, sizeof *mirror) == 1000);
        CHECK(recvfrom(receiver, got, sizeof got, 0, (struct sockaddr *)&from, &size) == 1000);
        CHECK(memcmp(data, got, 1000) == 0 && from.sin_addr.s_addr == mirror->sin_addr.s_addr);
    }
    close(receiver), close(sender);
}

static void sockets_run(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)}, mirror = here;
    here.sin_addr.s_addr = htonl(0x0a070001);
    mirror.sin_addr.s_addr = htonl(0x0a070002);
    stream_test(&here, &mirror);
    datagram_test(&here, &mirror);
}

// Queue 0 of the first wire is lwIP's, the others are this program's, and all are busy.
static void sockets_test(void)
{
    const struct run run = {.wire = 0, .first = 1};
    CHECK(bm_netdev_first() == &wires[0].netdev && bm_netdev_start(&wires[0].netdev, 1) == QUEUES);
    CHECK(bm_netqueue_take(queue_of(0, 0), &endpoint_stack, NULL) == -BM_EBUSY);
    CHECK(bm_netqueue_take(queue_of(1, 0), &mirror_stack, NULL) == 0);
    take(&run);
    run_all(&run, sockets_run);
    CHECK(strangers(&run) == 0);
    CHECK(queue_of(0, 0)->received > DATAGRAMS + STREAM / 1460);
    printf("sockets: %u bytes and %u datagrams\n", STREAM, DATAGRAMS);
}

int main(void)
{
    queues_test();
    sockets_test();
    return passed();
}
