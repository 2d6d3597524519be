// An invented NVMe controller: registers, queues, a disk in memory for each namespace.
// SPDX-License-Identifier: MIT
#include "controller.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct controller controller;
unsigned log_errors, log_warnings, controller_disks;
struct bm_blockdev *controller_added[CONTROLLER_QUEUES];
struct bm_poller *controller_pollers[4 + CONTROLLER_QUEUES];
uint64_t controller_now;
struct bm_pci_device controller_device;
extern const struct bm_driver bm_driver_nvme;

static unsigned poller_count, block_count;
static struct {
    void *memory;
    size_t size;
} blocks[128];
static bm_interrupt_handler line_handler;
static void *line_arg;

// --- The kernel. What a device is given differs from the pointer, so that one is not taken for the other.
// ---

#define SHIFT 0x10000000000ull

void *bm_frame_allocate(unsigned order)
{
    if (block_count == 128)
        abort();
    blocks[block_count].size = BM_PAGE_SIZE << order;
    return blocks[block_count++].memory = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + SHIFT;
}

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)(address - SHIFT);
}

uint64_t bm_time_monotonic(void)
{
    return controller_now += 1000 * 1000;
}

unsigned bm_core_id(void)
{
    return 0;
}

unsigned bm_core_called(void)
{
    return 4;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    log_errors += level == BM_LOG_ERROR;
    log_warnings += level == BM_LOG_WARN;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)condition, (void)arg, (void)deadline;
    abort(); // nobody waits here
}

void bm_poller_add(struct bm_poller *poller)
{
    controller_pollers[poller_count++] = poller;
}

void bm_blockqueue_add(struct bm_blockdev *device, struct bm_blockqueue *queue)
{
    struct bm_blockqueue **tail = &device->queues;
    while (*tail)
        tail = &(*tail)->next;
    queue->device = device;
    queue->number = device->queue_count++;
    *tail = queue;
}

int bm_blockdev_add(struct bm_blockdev *device, const char *prefix)
{
    if (prefix || !device->name[0] || device->sector_size < 512 || device->sector_size > 4096 ||
        device->sector_size & (device->sector_size - 1) ||
        device->sectors > INT64_MAX / device->sector_size || device->transfer_max < device->sector_size ||
        !device->queues)
        abort(); // the driver is to see to that
    controller_added[controller_disks++] = device;
    for (struct bm_blockqueue *queue = device->queues; queue; queue = queue->next)
        bm_poller_add(&queue->poller);
    return 0;
}

struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number)
{
    struct bm_blockqueue *queue = device->queues;
    while (queue && number--)
        queue = queue->next;
    return queue;
}

int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    (void)max;
    segments[0] = (struct bm_dma_segment){bm_dma_address(buffer), (uint32_t)length};
    return 1;
}

// The kernel's own has a log of conversions that this test has no use for.
int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(buffer, size, format, list);
    va_end(list);
    return length;
}

// --- The bus ---

static uint32_t config_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                            unsigned size)
{
    (void)host, (void)bus, (void)function, (void)offset;
    return controller.gone ? UINT32_MAX >> (32 - 8 * size) : 0x1b36;
}
static const struct bm_pci_host host = {.read = config_read};

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
}

void bm_pci_disable(struct bm_pci_device *device)
{
    (void)device;
    controller.disabled++;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    static unsigned char unused[4];
    (void)device, (void)offset;
    return index || length > 1 << 24 ? NULL : unused;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    (void)device;
    return !controller.messages ? -BM_ENODEV : (int)(controller.messages < max ? controller.messages : max);
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device, (void)handler, (void)arg;
    return index < controller.messages ? 0 : -BM_EINVAL;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index;
    controller.aimed = core;
    return 0;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    (void)device;
    line_handler = handler;
    line_arg = arg;
    return controller.line ? 0 : -BM_ENODEV;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    (void)device;
    controller.aimed = core;
    return 0;
}

// --- The controller ---

static uint32_t registers[64];
static struct {
    uint64_t commands, answers;
    unsigned entries, tail, head, answer_tail, phase;
    bool made;
} queues[CONTROLLER_QUEUES];

uint32_t nvme_read(const struct nvme *self, unsigned offset)
{
    (void)self;
    if (controller.gone)
        return UINT32_MAX;
    switch (offset) {
    case NVME_CAP:
        return (uint32_t)controller.capabilities;
    case NVME_CAP + 4:
        return (uint32_t)(controller.capabilities >> 32);
    case NVME_VS:
        return controller.version;
    case NVME_CSTS:
        return ((registers[NVME_CC / 4] & 1 && !controller.never_ready) || controller.never_idle) |
               (uint32_t)controller.fatal << 1;
    default:
        return registers[offset / 4];
    }
}

void nvme_write(struct nvme *self, unsigned offset, uint32_t value)
{
    (void)self;
    bool was = registers[NVME_CC / 4] & 1;
    if (offset == NVME_INTMS || offset == NVME_INTMC) {
        controller.line_masked = offset == NVME_INTMS;
        return;
    }
    registers[offset / 4] = value;
    if (offset != NVME_CC || (value & 1) == was)
        return;
    memset(queues, 0, sizeof queues);
    if (value & 1) {
        queues[0].commands = registers[NVME_ASQ / 4] | (uint64_t)registers[NVME_ASQ / 4 + 1] << 32;
        queues[0].answers = registers[NVME_ACQ / 4] | (uint64_t)registers[NVME_ACQ / 4 + 1] << 32;
        queues[0].entries = (registers[NVME_AQA / 4] & 0xfff) + 1;
        queues[0].phase = 1;
        queues[0].made = true;
    } else {
        controller.resets++;
    }
}

static void answer(unsigned number, uint16_t identifier, uint16_t status, uint32_t result)
{
    struct nvme_completion posted = {
        .result = result, .identifier = identifier, .status = (uint16_t)(status << 1)};
    if (controller.lie && !controller.lie(number, &posted))
        return;
    posted.status = (uint16_t)((posted.status & ~1u) | queues[number].phase);
    struct nvme_completion *answers = at(queues[number].answers);
    answers[queues[number].answer_tail++] = posted;
    if (queues[number].answer_tail == queues[number].entries) {
        queues[number].answer_tail = 0;
        queues[number].phase ^= 1;
    }
}

static void identify(const struct nvme_command *command)
{
    unsigned char *page = at(command->prp1);
    unsigned what = command->words[0];
    memset(page, 0, 4096);
    if (what == 1) {
        memcpy(page + 4, "serial-1            ", 20);
        page[77] = controller.mdts;
        page[512] = 0x66;
        page[513] = 0x44;
        page[516] = CONTROLLER_DISKS;
        page[520] = 0x0c;
        page[525] = 1;
    } else if (what == 2) {
        memcpy(page, controller.namespaces, sizeof controller.namespaces);
    } else {
        uint64_t size = CONTROLLER_SECTORS;
        memcpy(page, &size, 8);
        page[25] = 1;
        page[26] = 1;
        page[29] = controller.protection;
        page[128 + 4 + 2] = controller.sector_bits;
    }
    if (controller.lie_of_page)
        controller.lie_of_page(page);
}

static uint16_t administer(const struct nvme_command *command, uint32_t *result)
{
    unsigned number = command->words[0] & 0xffff;
    switch (command->operation & 0xff) {
    case NVME_ADMIN_IDENTIFY:
        identify(command);
        return 0;
    case NVME_ADMIN_SET_FEATURES:
        *result = (controller.queues - 1) | (controller.queues - 1) << 16;
        return command->words[0] == 7 ? 0 : 2;
    case NVME_ADMIN_CREATE_CQ:
        if (!number || number > controller.queues || !(command->words[1] & 1) || command->prp1 % 4096)
            return 2;
        queues[number].answers = command->prp1;
        queues[number].entries = (command->words[0] >> 16) + 1;
        queues[number].phase = 1;
        return 0;
    case NVME_ADMIN_CREATE_SQ:
        if (!number || number > controller.queues || !queues[number].answers ||
            command->words[1] >> 16 != number || command->prp1 % 4096)
            return 2;
        queues[number].commands = command->prp1;
        queues[number].made = true;
        return 0;
    default:
        return 1;
    }
}

// The pages of a transfer as the specification has them; false: they cannot be.
static bool transfer(const struct nvme_command *command, unsigned char *disk, size_t bytes, bool writes)
{
    const uint64_t *list = NULL;
    uint64_t address = command->prp1;
    for (unsigned page = 0; bytes; page++) {
        size_t length = 4096 - address % 4096;
        if (page && address % 4096)
            return false;
        length = length < bytes ? length : bytes;
        if (writes)
            memcpy(disk, at(address), length);
        else
            memcpy(at(address), disk, length);
        disk += length;
        bytes -= length;
        if (!list && bytes > 4096)
            list = at(command->prp2);
        if (list && page && (uintptr_t)(list + page) % 4096 == 0)
            return false; // the next page's list would begin here
        address = list ? list[page] : command->prp2;
    }
    return true;
}

static unsigned char *disk_of(const struct nvme_command *command)
{
    for (unsigned i = 0; i < CONTROLLER_DISKS; i++)
        if (command->namespace_id && controller.namespaces[i] == command->namespace_id)
            return controller.disks[i];
    return controller.disks[0];
}

static uint16_t carry_out(const struct nvme_command *command)
{
    unsigned opcode = command->operation & 0xff;
    uint64_t sector = command->words[0] | (uint64_t)command->words[1] << 32,
             count = (command->words[2] & 0xffff) + 1;
    unsigned char *disk = disk_of(command) + (sector << controller.sector_bits);
    if (opcode == NVME_FLUSH || opcode == NVME_DATASET)
        return 0;
    if (sector >= CONTROLLER_SECTORS || count > CONTROLLER_SECTORS - sector)
        return 0x80;
    if (opcode == NVME_WRITE_ZEROES)
        memset(disk, 0, count << controller.sector_bits);
    else if (!transfer(command, disk, count << controller.sector_bits, opcode == NVME_WRITE))
        return 0x13;
    return 0;
}

void controller_run(void)
{
    for (unsigned i = 0; i < CONTROLLER_QUEUES; i++)
        while (queues[i].made && !controller.held[i] && queues[i].head != queues[i].tail) {
            struct nvme_command command = ((struct nvme_command *)at(queues[i].commands))[queues[i].head];
            uint32_t result = 0;
            uint16_t status;
            queues[i].head = (queues[i].head + 1) % queues[i].entries;
            memcpy(controller.words, command.words, sizeof command.words);
            controller.prp2 = command.prp2;
            if (i) {
                controller.commands[command.operation & 0xff]++;
                status = controller.status ? controller.status : carry_out(&command);
            } else {
                status = administer(&command, &result);
            }
            answer(i, (uint16_t)(command.operation >> 16), status, result);
        }
}

void nvme_doorbell_write(struct nvme *self, unsigned index, uint32_t value)
{
    (void)self;
    controller.doorbells++;
    if (index / 2 >= CONTROLLER_QUEUES || controller.gone)
        return;
    if (index % 2 == 0) {
        if (queues[index / 2].made && value >= queues[index / 2].entries)
            abort();
        queues[index / 2].tail = value;
        controller_run();
    }
}

// --- For the tests ---

void controller_clear(void)
{
    memset(&controller, 0, offsetof(struct controller, disks)); // which keep what they have
    controller.capabilities = 1ull << 37 | 20ull << 24 | 1 << 16 | 1023;
    controller.version = 0x00010400;
    controller.queues = 8;
    controller.messages = 16;
    controller.namespaces[0] = 1;
    controller.sector_bits = 9;
    memset(registers, 0, sizeof registers);
    memset(queues, 0, sizeof queues);
    log_errors = log_warnings = poller_count = controller_disks = 0;
    memset(controller_pollers, 0, sizeof controller_pollers);
    controller_device = (struct bm_pci_device){.host = &host};
    controller_now = 0;
}

void controller_free(void)
{
    while (block_count)
        free(blocks[--block_count].memory);
}

int controller_attach(void)
{
    return bm_driver_nvme.attach(&controller_device.device);
}

void controller_poll(void)
{
    bool worked = true;
    for (unsigned round = 0; worked && round < 1000; round++) {
        worked = false;
        for (unsigned i = 0; i < poller_count; i++)
            worked |= controller_pollers[i]->poll(controller_pollers[i]->arg);
    }
}

void controller_interrupt(void)
{
    if (!controller.line_masked)
        line_handler(line_arg);
}
