// Fuzzer of the virtio console driver: a device that says anything, while a program reads and writes.
// SPDX-License-Identifier: MIT
// @sources drivers/console/virtio_console/virtio_console.c
// @sources drivers/console/virtio_console/virtio_console_control.c
// @sources drivers/console/virtio_console/virtio_console_port.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
// @max_len 1024
#include "../../drivers/console/virtio_console/virtio_console.h"

#include "../../libbaremetal/console/console.h"
#include "../../libbaremetal/console/names.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/time.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// --- The kernel: whoever leaves its memory, or types more than there is room for, ends the test ---

enum { FRAMES = 512, QUEUES = 2 + 2 * VIRTIO_CONSOLE_PORTS_MAX };

static _Alignas(8 * BM_PAGE_SIZE) unsigned char frames[FRAMES * BM_PAGE_SIZE];
static unsigned frames_used;
static struct bm_console *console;
static struct bm_poller *poller;
static size_t room;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    (void)subject;
    (void)format;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 10000000;
}

void *bm_frame_allocate(unsigned order)
{
    void *block = frames + frames_used * BM_PAGE_SIZE;
    frames_used += 1u << order;
    return frames_used <= FRAMES ? block : NULL;
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block;
    (void)order;
}

uint64_t bm_dma_address(const void *address)
{
    size_t offset = (size_t)((const unsigned char *)address - frames);
    if (offset >= sizeof frames)
        abort();
    return offset;
}

void bm_poller_add(struct bm_poller *added)
{
    poller = added;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)deadline;
    poller->poll(poller->arg);
    return condition(arg);
}

int bm_option_get(const char *key, char *value, size_t size)
{
    (void)key;
    (void)value;
    (void)size;
    return -1;
}

bool bm_console_wanted(const char *name)
{
    (void)name;
    return true;
}

void bm_console_add_wanted(struct bm_console *added)
{
    console = added;
}

void bm_console_input(char byte)
{
    (void)byte;
    if (!room--)
        abort();
}

size_t bm_console_input_room(void)
{
    return room;
}

// --- The device: its registers do as they are told, and its queues are the input's ---

static uint8_t status;
static uint64_t offered;
static uint32_t port_count;
static unsigned queue_max;
static struct bm_virtqueue *queues[QUEUES];
static uint16_t seen[QUEUES];

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return status;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    status = value;
}

static uint64_t features_get(struct bm_virtio_device *device)
{
    (void)device;
    return offered;
}

static void features_set(struct bm_virtio_device *device, uint64_t features)
{
    (void)device;
    (void)features;
}

static uint32_t config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return port_count;
}

static unsigned size_get(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index < QUEUES ? queue_max : 0;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device;
    (void)interrupt;
    queues[queue->number] = queue;
    return 0;
}

static void notify(struct bm_virtqueue *queue)
{
    (void)queue;
}

static int interrupt_start(struct bm_virtio_device *device, unsigned max)
{
    (void)device;
    return (int)max;
}

static int interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    (void)device;
    (void)index;
    (void)flag;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    (void)index;
    return 0;
}

static const struct bm_virtio_transport transport = {.status_get = status_get,
                                                     .status_set = status_set,
                                                     .features_get = features_get,
                                                     .features_set = features_set,
                                                     .config_read = config_read,
                                                     .queue_size = size_get,
                                                     .queue_enable = queue_enable,
                                                     .notify = notify,
                                                     .interrupt_start = interrupt_start,
                                                     .interrupt_set = interrupt_set,
                                                     .config_interrupt = config_interrupt};

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

extern const struct bm_driver bm_driver_virtio_console;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bm_virtio_device device;
    if (size < 4)
        return 0;
    device = (struct bm_virtio_device){.transport = &transport};
    memset(frames, 0, frames_used * BM_PAGE_SIZE);
    memset(queues, 0, sizeof queues);
    memset(seen, 0, sizeof seen);
    frames_used = 0;
    status = 0;
    room = 0;
    console = NULL;
    bm_virtio_console_first = NULL;
    offered = BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | (data[0] & 3u);
    port_count = data[1] == 255 ? UINT32_MAX : data[1];
    queue_max = data[2];
    if (bm_driver_virtio_console.attach(&device.device) == 0)
        steps(data + 3, size - 3);
    return 0;
}
