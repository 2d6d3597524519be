// The virtio socket driver between an invented device and an invented kernel: credit, ends, and what is
// wrong.
// SPDX-License-Identifier: MIT
// @sources drivers/vsock/virtio_vsock.c drivers/vsock/virtio_vsock_packet.c
// @sources drivers/vsock/virtio_vsock_receive.c drivers/vsock/virtio_vsock_socket.c
// @sources drivers/vsock/virtio_vsock_connect.c drivers/vsock/virtio_vsock_change.c
// @sources drivers/vsock/virtio_vsock_transfer.c drivers/vsock/virtio_vsock_option.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
#include "virtio_vsock/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { CID = 42, PORT = 5000, PEER = 1234 };

// --- The device ---

static bool deaf; // takes nothing that is sent
static struct vsock_header heard[4096];
static unsigned heard_count, bytes_heard;

static void hear(void)
{
    while (!deaf && has_buffer(VSOCK_QUEUE_SEND)) {
        uint16_t id = buffer_take(VSOCK_QUEUE_SEND);
        const struct bm_virtqueue_descriptor *descriptor = &queues[VSOCK_QUEUE_SEND]->descriptors[id];
        struct vsock_header *header = &heard[heard_count++ % 4096];
        assert_int_equal(descriptor->flags, 0);
        assert_true(descriptor->length >= VSOCK_HEADER);
        memcpy(header, frames + descriptor->address, VSOCK_HEADER);
        assert_int_equal(header->length, descriptor->length - VSOCK_HEADER);
        assert_int_equal(header->destination, BM_VSOCK_HOST);
        bytes_heard += header->length;
        give_back(VSOCK_QUEUE_SEND, id, 0);
    }
}

static void notify(struct bm_virtqueue *queue)
{
    if (queue->number == VSOCK_QUEUE_SEND)
        hear();
}

static const struct vsock_header *last(void)
{
    assert_true(heard_count > 0);
    return &heard[(heard_count - 1) % 4096];
}

static struct bm_virtio_device device;

static int begin(uint64_t number)
{
    machine_reset();
    device = (struct bm_virtio_device){.transport = &transport};
    offered = BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | 1;
    cid = number;
    queue_max = 128;
    deaf = false;
    heard_count = bytes_heard = 0;
    return bm_driver_virtio_vsock.attach(&device.device);
}

static void serve(void)
{
    for (int i = 0; i < 100 && poller->poll(poller->arg); i++)
        ;
}

// Writes a packet, of which it says that it is `claimed` bytes long, and lets the driver take it.
static void write_packet(const struct vsock_header *header, uint32_t claimed)
{
    assert_true(has_buffer(VSOCK_QUEUE_RECEIVE));
    uint16_t id = buffer_take(VSOCK_QUEUE_RECEIVE);
    const struct bm_virtqueue_descriptor *descriptor = &queues[VSOCK_QUEUE_RECEIVE]->descriptors[id];
    assert_int_equal(descriptor->flags, BM_VIRTQUEUE_WRITE);
    memset(frames + descriptor->address, 'x', descriptor->length);
    memcpy(frames + descriptor->address, header, VSOCK_HEADER);
    give_back(VSOCK_QUEUE_RECEIVE, id, claimed);
    serve();
}

static struct vsock_header packet(unsigned operation, uint32_t length)
{
    return (struct vsock_header){.source = BM_VSOCK_HOST,
                                 .destination = CID,
                                 .source_port = PEER,
                                 .destination_port = PORT,
                                 .length = length,
                                 .type = VSOCK_STREAM,
                                 .operation = (uint16_t)operation,
                                 .room = 10000};
}

static void device_says(unsigned operation, uint32_t length)
{
    const struct vsock_header header = packet(operation, length);
    write_packet(&header, VSOCK_HEADER + length);
}

// --- The program ---

static struct vsock *listener_make(void)
{
    const struct bm_vsock_address at = {.family = BM_AF_VSOCK, .port = PORT, .cid = BM_VSOCK_ANY};
    struct vsock *made = bm_vsock_make(true);
    assert_int_equal(bm_vsock_bind(&made->file, &at, sizeof at), 0);
    assert_int_equal(bm_vsock_listen_file(&made->file, 1), 0);
    return made;
}

static struct vsock *accepted(struct vsock *listener)
{
    struct bm_file *file = NULL;
    assert_int_equal(bm_vsock_accept_file(&listener->file, NULL, NULL, BM_SOCK_NONBLOCK, &file), 0);
    return bm_vsock_of(file);
}

// A connection to a listening socket, which is closed then.
static struct vsock *connection(void)
{
    struct vsock *listener = listener_make();
    device_says(VSOCK_REQUEST, 0);
    assert_int_equal(last()->operation, VSOCK_RESPONSE);
    assert_int_equal(last()->room, VSOCK_ROOM);
    struct vsock *made = accepted(listener);
    bm_vsock_close(&listener->file);
    return made;
}

static long put(struct vsock *socket, size_t size)
{
    static char bytes[200000];
    return socket->file.ops->write(&socket->file, bytes, size);
}

static long get(struct vsock *socket, size_t size)
{
    static char bytes[200000];
    return socket->file.ops->read(&socket->file, bytes, size);
}

static void test_wrong_cids(void **state)
{
    (void)state;
    assert_int_equal(begin(BM_VSOCK_HOST), -BM_EIO);
    assert_int_equal(begin(BM_VSOCK_ANY), -BM_EIO);
    assert_int_equal(begin(CID + (1ull << 32)), -BM_EIO);
    assert_int_equal(begin(CID), 0);
    assert_int_equal(errors, 0);
}

static void test_credit(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection();
    assert_int_equal(put(socket, 30000), 10000); // the peer's room
    assert_int_equal(bytes_heard, 10000);
    assert_int_equal(put(socket, 1), -BM_EAGAIN);
    assert_int_equal(last()->operation, VSOCK_CREDIT_ASK);
    unsigned asked = heard_count;
    assert_int_equal(put(socket, 1), -BM_EAGAIN);
    assert_int_equal(heard_count, asked); // once
    assert_false(bm_vsock_poll(&socket->file) & BM_POLLOUT);
    struct vsock_header header = packet(VSOCK_CREDIT, 0);
    header.taken = 4000;
    write_packet(&header, VSOCK_HEADER);
    assert_true(bm_vsock_poll(&socket->file) & BM_POLLOUT);
    assert_int_equal(put(socket, 30000), 4000);
    header.room = 100; // less than is on the way
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(put(socket, 1), -BM_EAGAIN);
    header.taken = 90000; // more than was sent
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(put(socket, 1), -BM_EAGAIN);
}

static void test_receiving(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection();
    for (int round = 0; round < 40; round++) { // the ring comes round
        for (int i = 0; i < 8; i++)
            device_says(VSOCK_BYTES, 4000);
        unsigned before = heard_count;
        assert_int_equal(get(socket, 200000), 32000);
        assert_true(heard_count - before <= 1); // of its room it tells now and then
    }
    assert_true(socket->taken - socket->taken_told < VSOCK_ROOM / 2);
    device_says(VSOCK_CREDIT_ASK, 0);
    assert_int_equal(last()->operation, VSOCK_CREDIT);
    assert_int_equal(last()->taken, 40 * 32000);
    device_says(VSOCK_SHUTDOWN, 0);
    assert_int_equal(get(socket, 1), -BM_EAGAIN);
    struct vsock_header header = packet(VSOCK_SHUTDOWN, 0);
    header.flags = VSOCK_SHUT_SEND;
    device_says(VSOCK_BYTES, 5);
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(get(socket, 100), 5);
    assert_int_equal(get(socket, 100), 0);
    assert_int_equal(put(socket, 3), 3);
    bm_vsock_close(&socket->file);
    assert_int_equal(last()->operation, VSOCK_SHUTDOWN);
    assert_int_equal(last()->flags, VSOCK_SHUT_BOTH);
    assert_int_equal(live, 1);
    device_says(VSOCK_RESET, 0);
    assert_int_equal(live, 0);
}

static void test_too_much(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection();
    for (int i = 0; i < 16; i++)
        device_says(VSOCK_BYTES, 4000);
    unsigned before = heard_count;
    device_says(VSOCK_BYTES, 2000); // beyond its room
    assert_int_equal(heard_count, before + 1);
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_int_equal(get(socket, 200000), 64000); // what came before stays
    assert_int_equal(get(socket, 1), -BM_ECONNRESET);
    assert_int_equal(get(socket, 1), 0);
    assert_int_equal(put(socket, 1), -BM_EPIPE);
    bm_vsock_close(&socket->file);
    assert_int_equal(live, 0);
}

static void test_wrong_packets(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection();
    unsigned before = heard_count;
    struct vsock_header header = packet(VSOCK_BYTES, 10);
    write_packet(&header, VSOCK_HEADER + 9); // longer than what came
    write_packet(&header, VSOCK_HEADER - 1);
    write_packet(&header, 0);
    header.length = UINT32_MAX;
    write_packet(&header, BM_PAGE_SIZE);
    header = packet(VSOCK_BYTES, 1);
    header.destination = CID + 1;
    write_packet(&header, VSOCK_HEADER + 1);
    header = packet(VSOCK_RESET, 0);
    header.type = 9;
    write_packet(&header, VSOCK_HEADER);
    header = packet(VSOCK_RESET, 0);
    header.source_port++;
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(heard_count, before); // none has an answer
    assert_int_equal(get(socket, 100), -BM_EAGAIN);
    header = packet(VSOCK_BYTES, 1);
    header.type = 9;
    write_packet(&header, VSOCK_HEADER + 1);
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_int_equal(last()->type, 9);
    header = packet(VSOCK_BYTES, 1);
    header.source_port++;
    write_packet(&header, VSOCK_HEADER + 1);
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_int_equal(last()->destination_port, PEER + 1);
    assert_int_equal(get(socket, 100), -BM_EAGAIN); // and the connection stands
    device_says(77, 0);
    assert_int_equal(get(socket, 100), -BM_ECONNRESET);
}

static void test_backlog(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *listener = listener_make(); // a backlog of 1: two, as on Linux
    struct vsock_header header = packet(VSOCK_REQUEST, 0);
    for (unsigned i = 0; i < 5; i++) {
        header.source_port = i;
        write_packet(&header, VSOCK_HEADER);
        assert_int_equal(last()->operation, i < 2 ? VSOCK_RESPONSE : VSOCK_RESET);
    }
    struct vsock *first = accepted(listener);
    assert_int_equal(first->peer_port, 0);
    bm_vsock_close(&listener->file); // the other one is reset
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_int_equal(last()->destination_port, 1);
    header.source_port = 9;
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(last()->operation, VSOCK_RESET);
    serve();
    assert_int_equal(live, 2); // the first one and its ring
    bm_vsock_close(&first->file);
    now += 9000000000; // the peer does not answer the end
    serve();
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_int_equal(live, 0);
}

static void test_deaf_device(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection();
    struct vsock_header header = packet(VSOCK_CREDIT, 0);
    header.room = 1000000;
    write_packet(&header, VSOCK_HEADER);
    deaf = true;
    assert_int_equal(put(socket, 200000), VSOCK_SENDS * VSOCK_PART); // all pages
    assert_int_equal(put(socket, 1), -BM_EAGAIN);
    assert_false(bm_vsock_poll(&socket->file) & BM_POLLOUT);
    header = packet(VSOCK_BYTES, 0);
    header.source_port++; // nobody's: each is refused, while there is room
    for (unsigned i = 0; i < 200 && has_buffer(VSOCK_QUEUE_RECEIVE); i++)
        write_packet(&header, VSOCK_HEADER);
    assert_false(has_buffer(VSOCK_QUEUE_RECEIVE)); // the rest waits
    bm_vsock_shutdown_file(&socket->file, BM_SHUT_WR);
    assert_int_not_equal(socket->owes, 0);
    deaf = false;
    hear();
    serve();
    hear();
    assert_int_equal(socket->owes, 0);
    assert_true(has_buffer(VSOCK_QUEUE_RECEIVE));
    unsigned shut = 0, refused = 0;
    for (unsigned i = 0; i < heard_count; i++) {
        shut += heard[i].operation == VSOCK_SHUTDOWN;
        refused += heard[i].operation == VSOCK_RESET;
    }
    assert_int_equal(shut, 1);
    assert_int_equal(refused, VSOCK_CONTROLS + VSOCK_RECEIVES);
    assert_int_equal(bytes_heard, VSOCK_SENDS * VSOCK_PART);
}

static void test_connecting(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    const struct bm_vsock_address to = {.family = BM_AF_VSOCK, .port = PEER, .cid = BM_VSOCK_HOST};
    const struct bm_vsock_address at = {.family = BM_AF_VSOCK, .port = PORT, .cid = CID};
    struct vsock *socket = bm_vsock_make(true);
    bm_vsock_bind(&socket->file, &at, sizeof at);
    assert_int_equal(bm_vsock_connect_file(&socket->file, &to, sizeof to), -BM_EINPROGRESS);
    assert_int_equal(bm_vsock_connect_file(&socket->file, &to, sizeof to), -BM_EALREADY);
    assert_int_equal(last()->operation, VSOCK_REQUEST);
    assert_int_equal(bm_vsock_poll(&socket->file), 0);
    now += 2000000000;
    serve();
    assert_int_equal(last()->operation, VSOCK_RESET);
    assert_true(bm_vsock_poll(&socket->file) & BM_POLLERR);
    assert_int_equal(socket->error, BM_ETIMEDOUT);
    assert_int_equal(bm_vsock_connect_file(&socket->file, &to, sizeof to), -BM_EINPROGRESS); // again
    device_says(VSOCK_BYTES, 1);
    assert_int_equal(socket->error, BM_EPROTO);
    assert_int_equal(bm_vsock_connect_file(&socket->file, &to, sizeof to), -BM_EINPROGRESS);
    device_says(VSOCK_RESPONSE, 0);
    assert_int_equal(bm_vsock_poll(&socket->file), BM_POLLOUT);
    assert_int_equal(put(socket, 3), 3);
    bm_vsock_close(&socket->file);
    device_says(VSOCK_RESET, 0);
    assert_int_equal(live, 0);
}

static void test_transport_reset(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection(), *listener = listener_make();
    cid = CID + 1; // it goes on elsewhere
    uint16_t id = buffer_take(VSOCK_QUEUE_EVENT);
    memset(frames + queues[VSOCK_QUEUE_EVENT]->descriptors[id].address, 0, 4);
    give_back(VSOCK_QUEUE_EVENT, id, 4);
    serve();
    assert_int_equal(get(socket, 1), -BM_ECONNRESET);
    struct vsock_header header = packet(VSOCK_REQUEST, 0);
    header.destination = CID + 1;
    write_packet(&header, VSOCK_HEADER);
    assert_int_equal(last()->operation, VSOCK_RESPONSE);
    assert_int_equal(last()->source, CID + 1);
    assert_int_equal(listener->pending_count, 1);
}

static void test_broken_device(void **state)
{
    (void)state;
    assert_int_equal(begin(CID), 0);
    struct vsock *socket = connection(), *other = bm_vsock_make(true);
    give_back(VSOCK_QUEUE_RECEIVE, 4444, 1);
    serve();
    assert_true(device.broken);
    assert_int_equal(get(socket, 1), -BM_ECONNRESET);
    const struct bm_vsock_address to = {.family = BM_AF_VSOCK, .port = PEER, .cid = BM_VSOCK_HOST};
    assert_int_equal(bm_vsock_connect_file(&other->file, &to, sizeof to), -BM_ENODEV);
    bm_vsock_close(&socket->file);
    bm_vsock_close(&other->file);
    serve();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_cids),      cmocka_unit_test(test_credit),
        cmocka_unit_test(test_receiving),       cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_wrong_packets),   cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_deaf_device),     cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_transport_reset), cmocka_unit_test(test_broken_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
