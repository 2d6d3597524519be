// Fuzzer of the virtio transport over PCI of before virtio 1.0: configuration space and ports of any bytes,
// and a device that writes anything into the queues that it is given.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/pci_parse.c drivers/virtio/virtio.c drivers/virtio/virtqueue.c
// @max_len 1024
#include "../../drivers/virtio/legacy/virtio_legacy.c"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The input: the configuration space, then what the ports answer, one byte after the other.
static uint8_t space[256];
static const uint8_t *answers;
static size_t answers_left;
static struct bm_device *child;
static void *blocks[16];
static unsigned block_count;

static uint8_t answer(void)
{
    if (!answers_left)
        return 0;
    answers_left--;
    return *answers++;
}

uint32_t virtio_legacy_in(const struct virtio_legacy *self, unsigned offset, unsigned size)
{
    if (self->ports + offset + size > 1 << 16)
        abort();
    static uint32_t page, vector, queue_size;
    if (offset == QUEUE_PAGE && size == 4) // one byte says whether it works
        return answer() & 1 ? page++ : 0;
    if (offset == QUEUE_VECTOR || offset == CONFIG_VECTOR)
        return vector++ & 3;
    if (offset == QUEUE_SIZE) {
        uint8_t byte = answer();
        queue_size = byte & 0x80 ? byte * 257u : byte & 0x40 ? queue_size : 1u << (byte & 15);
        return queue_size & 0xffff;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | answer();
    return offset == STATUS ? value & 1 : value;
}

void virtio_legacy_out(const struct virtio_legacy *self, unsigned offset, unsigned size, uint32_t value)
{
    (void)value;
    if (self->ports + offset + size > 1 << 16 || offset + size > CONFIG_BEHIND_MSIX)
        abort();
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                          unsigned size)
{
    (void)host, (void)bus, (void)function;
    uint32_t value = 0xffffffff;
    if (offset + size <= sizeof space)
        memcpy(&value, space + offset, size);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

// The last bytes of the space say which bits of the registers can be written.
static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host, (void)bus, (void)function;
    if (offset < BM_PCI_BAR0 || offset >= BM_PCI_BAR0 + 24 || size != 4)
        return;
    uint32_t mask = 0xffffffffu << (space[248 + (offset - BM_PCI_BAR0) / 4] & 31), old;
    memcpy(&old, space + offset, 4);
    value = (old & ~mask) | (value & mask);
    memcpy(space + offset, &value, 4);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write};

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level, (void)subject, (void)format;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    (void)format;
    if (size)
        buffer[0] = 0;
    return 0;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 50000000;
}

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    device->msix = answer() & 1 ? 0x80 : 0;
    return device->msix ? (int)max : -BM_ENODEV;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device, (void)index, (void)handler, (void)arg;
    return 0;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index, (void)core;
    return 0;
}

static void *block(size_t alignment, size_t size)
{
    if (block_count == sizeof blocks / sizeof *blocks)
        return NULL;
    return blocks[block_count++] = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
}

void *bm_frame_allocate(unsigned order)
{
    return block(BM_PAGE_SIZE, (size_t)BM_PAGE_SIZE << order);
}

void bm_frame_free(void *pages, unsigned order)
{
    (void)pages, (void)order; // at the end
}

void *bm_memory_permanent(size_t size, size_t alignment)
{
    void *memory = block(alignment < sizeof(void *) ? sizeof(void *) : alignment, size);
    return memory ? memset(memory, 0, size) : NULL;
}

uint64_t bm_dma_address(const void *address)
{
    (void)address;
    return 0;
}

void bm_device_add(struct bm_device *device)
{
    child = device;
}

// Uses a queue while the device writes into it.
static void play(struct bm_virtqueue *queue)
{
    struct bm_virtqueue_done done[4];
    const struct bm_dma_segment segments[2] = {{0x1000, 64}, {0x2000, 64}};
    size_t bytes = (uintptr_t)&queue->used->ring[queue->size] + 2 - (uintptr_t)queue->descriptors;
    static char cookie;
    for (unsigned i = 0; i < 64 && answers_left; i++) {
        bm_virtqueue_add(queue, segments, 1, 1, &cookie);
        bm_virtqueue_kick(queue);
        size_t at = (size_t)(answer() << 8 | answer()) % bytes;
        ((uint8_t *)queue->descriptors)[at] = answer();
        queue->used->ring[queue->used->index++ & (queue->size - 1u)].id = answer();
        unsigned count = bm_virtqueue_take(queue, done, 4);
        for (unsigned k = 0; k < count; k++)
            if (done[k].cookie != &cookie || done[k].length > 64)
                abort();
        bm_virtqueue_arm(queue, 1);
    }
}

static void drive(struct bm_virtio_device *device)
{
    uint64_t features;
    struct bm_virtqueue queue;
    if (bm_virtio_begin(device, &features) || bm_virtio_negotiate(device, 0))
        return;
    bm_virtio_config_read(device, answer() * 16u, 4);
    bm_virtio_interrupt_start(device, 2);
    for (unsigned i = 0; i < 2; i++) {
        if (bm_virtqueue_create(&queue, device, i, 1u << (answer() % 8)))
            continue;
        if (!queue.size || queue.size & (queue.size - 1) || queue.size > BM_VIRTQUEUE_SIZE_MAX)
            abort();
        play(&queue);
    }
    bm_virtio_config_read(device, answer() * 16u, 2);
    device->transport->config_generation(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bm_pci_device pci = {.host = &host,
                                .device = {.vendor = 0x1af4, .device = 0x1000, .name = "pci x"}};
    size_t head = size < sizeof space ? size : sizeof space;
    memset(space, 0, sizeof space);
    memcpy(space, data, head);
    if (head && data[0] & 1) { // most inputs come past the ports
        const uint32_t ports = 0xc001;
        memcpy(space + BM_PCI_BAR0, &ports, sizeof ports);
        space[BM_PCI_REVISION] = 0;
        space[248] = 6;
    }
    answers = data + head;
    answers_left = size - head;
    child = NULL;
    if (virtio_legacy_attach(&pci.device) == 0)
        drive(bm_virtio_device_of(child));
    while (block_count)
        free(blocks[--block_count]);
    return 0;
}
