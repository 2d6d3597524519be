// An invented machine for the virtio network driver.
// SPDX-License-Identifier: MIT
#include "machine.h"

#include "../../../libbaremetal/device/netdev.c"
#include "../../../libbaremetal/device/netdev_bind.c"

#include <baremetal/log.h>
#include <baremetal/random.h>
#include <baremetal/time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// --- The kernel ---

unsigned errors, wakes;
uint64_t memory_total;
struct bm_poller *poller, *bound;
unsigned bound_core;
unsigned cores = 1;

unsigned char *frames;
unsigned frames_used;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 1000000;
}

void bm_random_fill(void *buffer, size_t size)
{
    memset(buffer, 0xa5, size);
}

unsigned bm_core_id(void)
{
    return 3;
}

void bm_core_wake(unsigned core)
{
    assert_int_equal(core, 3);
    wakes++;
}

unsigned bm_core_called(void)
{
    return cores;
}

unsigned bm_core_arrived(void)
{
    return cores;
}

void bm_poller_bind(struct bm_poller *poller_, unsigned core)
{
    bound = poller_;
    bound_core = core;
}

void bm_poller_add(struct bm_poller *added)
{
    poller = added;
}

void *bm_frame_allocate(unsigned order)
{
    unsigned count = 1u << order;
    frames_used = (frames_used + count - 1) & ~(count - 1);
    assert_true(frames_used + count <= FRAMES);
    void *block = frames + frames_used * BM_PAGE_SIZE;
    frames_used += count;
    return block;
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block;
    (void)order;
}

uint64_t bm_dma_address(const void *address)
{
    size_t offset = (size_t)((const unsigned char *)address - frames);
    return offset < FRAMES * BM_PAGE_SIZE ? BASE + offset : BM_DMA_NONE;
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = memory_total};
}

static void *at_dma(uint64_t address)
{
    assert_true(address >= BASE && address < BASE + FRAMES * BM_PAGE_SIZE);
    return frames + (address - BASE);
}

// --- The device ---

uint8_t status, config[12];
uint64_t offered, accepted;
bool no_interrupts, status_stuck;
unsigned queue_size = 256, pairs = 1;
struct bm_virtqueue *queues[QUEUES];
uint16_t seen[QUEUES];
unsigned notified[QUEUES], aimed[1 + QUEUES];
struct machine_command command;

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return status;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    if (!status_stuck)
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
    accepted = features;
}

static uint32_t config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    (void)device;
    uint32_t value = 0;
    assert_true(offset + size <= sizeof config);
    memcpy(&value, config + offset, size);
    return value;
}

static uint32_t generation(struct bm_virtio_device *device)
{
    (void)device;
    return 0;
}

static unsigned size_get(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index < 2 * pairs + (pairs > 1) ? queue_size : 0;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device;
    (void)interrupt;
    queues[queue->number] = queue;
    return 0;
}

// A command is answered at once (section 5.1.6.5).
static void control(void)
{
    unsigned number = 2 * pairs;
    uint16_t id = device_take(number);
    const struct bm_virtqueue_descriptor *first = &queues[number]->descriptors[id],
                                         *second = &queues[number]->descriptors[first->next],
                                         *third = &queues[number]->descriptors[second->next];
    assert_true(first->length == 2 && second->length == 2 && third->length == 1);
    assert_true(first->flags == 1 && second->flags == 1 && third->flags == 2);
    memcpy(command.kind, at_dma(first->address), 2);
    memcpy(&command.pairs, at_dma(second->address), 2);
    command.count++;
    *(uint8_t *)at_dma(third->address) = command.answer;
    if (!command.silent)
        device_return(number, id, 1);
}

static void notify(struct bm_virtqueue *queue)
{
    notified[queue->number]++;
    if (pairs > 1 && queue->number == 2 * pairs)
        control();
}

static int interrupt_start(struct bm_virtio_device *device, unsigned most)
{
    (void)device;
    return no_interrupts ? -BM_ENODEV : (int)most;
}

static int interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    (void)device;
    assert_true((index == 0) == (flag != NULL));
    return 0;
}

static int interrupt_aim(struct bm_virtio_device *device, unsigned index, unsigned core)
{
    (void)device;
    aimed[index] = core;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index == 0 ? 0 : -BM_EINVAL;
}

const struct bm_virtio_transport transport = {
    .status_get = status_get,
    .status_set = status_set,
    .features_get = features_get,
    .features_set = features_set,
    .config_read = config_read,
    .config_generation = generation,
    .queue_size = size_get,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupt_start = interrupt_start,
    .interrupt_set = interrupt_set,
    .interrupt_aim = interrupt_aim,
    .config_interrupt = config_interrupt,
};

unsigned device_waiting(unsigned number)
{
    return (uint16_t)(queues[number]->available->index - seen[number]);
}

uint16_t device_take(unsigned number)
{
    assert_true(device_waiting(number) > 0);
    return queues[number]->available->ring[seen[number]++ % queues[number]->size];
}

void device_return(unsigned number, uint32_t id, uint32_t length)
{
    struct bm_virtqueue_used *used = queues[number]->used;
    used->ring[used->index % queues[number]->size] = (struct bm_virtqueue_used_element){id, length};
    used->index++;
}

static unsigned char *device_buffer(unsigned number, uint16_t *id)
{
    *id = device_take(number);
    const struct bm_virtqueue_descriptor *descriptor = &queues[number]->descriptors[*id];
    assert_int_equal(descriptor->flags, 2);
    assert_true(descriptor->length >= 12 + 1518);
    return at_dma(descriptor->address);
}

void device_receives(unsigned length, uint8_t fill, uint8_t flags)
{
    device_receives_at(0, length, fill, flags);
}

void device_receives_at(unsigned number, unsigned length, uint8_t fill, uint8_t flags)
{
    uint16_t id;
    unsigned char *buffer = device_buffer(number, &id);
    memset(buffer, 0, 12);
    buffer[0] = flags;
    buffer[10] = 1;
    memset(buffer + 12, fill, length);
    device_return(number, id, 12 + length);
}

void device_receives_part(unsigned length, uint8_t fill, bool first, uint8_t gso_type, uint16_t count)
{
    uint16_t id;
    unsigned char *buffer = device_buffer(0, &id);
    unsigned header = first ? 12 : 0;
    memset(buffer, 0, header);
    if (first) {
        buffer[0] = 1;
        buffer[1] = gso_type;
        buffer[4] = 1460 & 255; // of each segment
        buffer[5] = 1460 >> 8;
        memcpy(buffer + 10, &count, sizeof count);
    }
    memset(buffer + header, fill, length);
    device_return(0, id, header + length);
}

unsigned device_sends(unsigned char *buffer, uint16_t *id)
{
    unsigned length = 0;
    *id = device_take(1);
    const struct bm_virtqueue_descriptor *descriptor = &queues[1]->descriptors[*id];
    for (;; descriptor = &queues[1]->descriptors[descriptor->next]) {
        memcpy(buffer + length, at_dma(descriptor->address), descriptor->length);
        length += descriptor->length;
        if (!(descriptor->flags & 1))
            return length;
    }
}

// The list of devices is the kernel's own; tests start with an empty one.
void machine_reset(void)
{
    bm_netdev_list = NULL;
    frames_used = 0;
    memset(frames, 0xee, FRAMES * BM_PAGE_SIZE);
    status = 0;
    errors = wakes = 0;
    memset(seen, 0, sizeof seen);
    memset(notified, 0, sizeof notified);
    memset(aimed, 0, sizeof aimed);
    memset(&command, 0, sizeof command);
    bound = NULL;
}
