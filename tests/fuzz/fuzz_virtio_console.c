// Fuzzer of the virtio console driver: a device that says anything, while a program reads and writes.
// SPDX-License-Identifier: MIT
// @sources drivers/console/virtio_console/virtio_console.c
// @sources drivers/console/virtio_console/virtio_console_control.c
// @sources drivers/console/virtio_console/virtio_console_port.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @max_len 1024
#include "../unit/virtio_console/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The queues are the input's.
static void notify(struct bm_virtqueue *queue)
{
    (void)queue;
}

// Gives back a buffer with `size` bytes of the input, or claims something else of it.
static void answer(unsigned number, const uint8_t *data, size_t size, uint8_t lie)
{
    struct bm_virtqueue *queue = queues[number];
    if (!queue || queue->available->index == seen[number])
        return;
    uint32_t id = queue->available->ring[seen[number]++ % queue->size];
    const struct bm_virtqueue_descriptor *descriptor = &queue->descriptors[id];
    uint32_t length = size < descriptor->length ? (uint32_t)size : descriptor->length;
    if (descriptor->address + descriptor->length > sizeof frames)
        abort();
    if (descriptor->flags & BM_VIRTQUEUE_WRITE)
        memcpy(frames + descriptor->address, data, length);
    if (lie == 255)
        id += 7;
    else if (lie == 254)
        length += 600;
    queue->used->ring[queue->used->index % queue->size] = (struct bm_virtqueue_used_element){id, length};
    queue->used->index++;
    *(uint16_t *)&queue->used->ring[queue->size] = seen[number];
}

static void use(uint8_t what)
{
    static char text[300];
    char name[2] = {(char)(what >> 4 | 0x40), 0};
    struct bm_virtio_port *port = bm_virtio_port_open(name);
    if (console && what % 4 == 0)
        console->write(console, text, what);
    if (!port)
        return;
    if (bm_virtio_port_read(port, text, what) > (long)what || bm_virtio_port_write(port, text, what) > what)
        abort();
    bm_virtio_port_writable(port);
    bm_virtio_port_readable(port);
}

// A step is three bytes: what, of which queue, and how many bytes of the input follow that are written.
static void steps(const uint8_t *data, size_t size)
{
    while (size >= 3) {
        size_t length = data[2] % 64 < size - 3 ? data[2] % 64u : size - 3;
        room = data[1];
        if (data[0] % 4 == 0)
            use(data[1]);
        else
            answer(data[1] % QUEUES, data + 3, length, data[0]);
        if (data[0] % 4 == 0)
            length = 0;
        poller->poll(poller->arg);
        poller->arm(poller->arg);
        data += 3 + length;
        size -= 3 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bm_virtio_device device;
    if (size < 4)
        return 0;
    device = (struct bm_virtio_device){.transport = &transport};
    machine_reset();
    offered = BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | (data[0] & 3u);
    port_count = data[1] == 255 ? UINT32_MAX : data[1];
    queue_max = data[2];
    if (bm_driver_virtio_console.attach(&device.device) == 0)
        steps(data + 3, size - 3);
    return 0;
}
