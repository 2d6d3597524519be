// Fuzzer of the virtio socket driver: a device that says anything, while a program uses its sockets.
// SPDX-License-Identifier: MIT
// @sources drivers/vsock/virtio_vsock.c drivers/vsock/virtio_vsock_packet.c
// @sources drivers/vsock/virtio_vsock_receive.c drivers/vsock/virtio_vsock_socket.c
// @sources drivers/vsock/virtio_vsock_connect.c drivers/vsock/virtio_vsock_change.c
// @sources drivers/vsock/virtio_vsock_transfer.c drivers/vsock/virtio_vsock_option.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @max_len 1024
#include "../unit/virtio_vsock/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCKETS = 8 };
static struct vsock *sockets[SOCKETS];

// The queues are the input's.
static void notify(struct bm_virtqueue *queue)
{
    (void)queue;
}

// Gives a buffer back, or claims something else of it. What it wrote is a packet of the input's, of ports and
// CIDs that are likely to be somebody's.
static void answer(const uint8_t *data, unsigned number, uint8_t lie)
{
    struct bm_virtqueue *queue = queues[number];
    if (!queue || !has_buffer(number))
        return;
    uint32_t id = buffer_take(number), length = VSOCK_HEADER + data[0] * 16u;
    const struct bm_virtqueue_descriptor *descriptor = &queue->descriptors[id];
    struct vsock_header header = {.source = data[1] < 250 ? BM_VSOCK_HOST : data[1],
                                  .destination = data[2] < 250 ? cid : data[2],
                                  .source_port = data[3] % 4,
                                  .destination_port = data[4] % 4,
                                  .length = lie == 253 ? UINT32_MAX - 20 : data[0] * 16u,
                                  .type = data[5] < 240 ? VSOCK_STREAM : data[5],
                                  .operation = data[6] % 10,
                                  .flags = data[7],
                                  .room = data[8] * 256u,
                                  .taken = data[9] * (lie & 1 ? 1u : 0x1000000u)};
    if (descriptor->address + descriptor->length > sizeof frames)
        abort();
    if (descriptor->flags & BM_VIRTQUEUE_WRITE) {
        length = length < descriptor->length ? length : descriptor->length;
        memcpy(frames + descriptor->address, &header,
               descriptor->length < VSOCK_HEADER ? descriptor->length : VSOCK_HEADER);
    } else {
        length = 0;
    }
    if (lie == 255)
        id += 7;
    else if (lie == 254)
        length += 5000;
    give_back(number, id, length);
}

static void replace(struct vsock **place, uint8_t port)
{
    const struct bm_vsock_address at = {
        .family = BM_AF_VSOCK, .port = port % 8 == 7 ? BM_VSOCK_ANY : port % 4, .cid = BM_VSOCK_ANY};
    if (*place)
        bm_vsock_close(&(*place)->file);
    *place = bm_vsock_make(port & 16);
    if (port & 32 && (*place)->file.ops->socket->bind(&(*place)->file, &at, sizeof at) == 0 && port & 64)
        bm_vsock_listen_file(&(*place)->file, port % 3);
}

static void use(uint8_t what, uint8_t which, uint8_t more)
{
    static char bytes[20000];
    const struct bm_vsock_address to = {.family = BM_AF_VSOCK, .port = more % 4, .cid = BM_VSOCK_HOST};
    struct vsock **place = &sockets[which % SOCKETS];
    struct bm_file *file = *place ? &(*place)->file : NULL, *accepted;
    size_t size = more * 64u;
    uint64_t room = more * 8u;
    if (!file || what == 0) {
        replace(place, more);
    } else if (what == 1) {
        bm_vsock_connect_file(file, &to, sizeof to);
    } else if (what == 2 && bm_vsock_accept_file(file, NULL, NULL, 0, &accepted) == 0) {
        bm_vsock_close(file);
        *place = bm_vsock_of(accepted);
    } else if (what == 3 && file->ops->write(file, bytes, size) > (long)size) {
        abort();
    } else if (what == 4 && file->ops->read(file, bytes, size) > (long)size) {
        abort();
    } else if (what == 5) {
        bm_vsock_shutdown_file(file, more % 3);
    } else if (what == 6) {
        bm_vsock_poll(file);
    } else if (what == 7) {
        bm_vsock_option_set(file, BM_AF_VSOCK, more % 3, &room, sizeof room);
    } else if (what == 8) {
        now += more * 100000000ull;
    }
}

// Twelve bytes a step: what, and of what.
static void steps(const uint8_t *data, size_t size)
{
    for (; size >= 12; data += 12, size -= 12) {
        if (data[0] % 4 == 0)
            use(data[1] % 9, data[2], data[3]);
        else
            answer(data + 2, data[0] % 4 - 1, data[1]);
        poller->poll(poller->arg);
        poller->arm(poller->arg);
        poller->deadline(poller->arg);
    }
    for (unsigned i = 0; i < SOCKETS; i++)
        if (sockets[i])
            bm_vsock_close(&sockets[i]->file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bm_virtio_device device;
    if (size < 4)
        return 0;
    device = (struct bm_virtio_device){.transport = &transport};
    machine_reset();
    memset(sockets, 0, sizeof sockets);
    offered = BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | (data[0] & 3u);
    cid = data[1];
    queue_max = data[2];
    if (bm_driver_virtio_vsock.attach(&device.device) == 0)
        steps(data + 3, size - 3);
    return 0;
}
