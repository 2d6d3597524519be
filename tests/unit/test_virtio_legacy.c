// The virtio transport over PCI of before virtio 1.0 against ports of an invented device.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/pci_parse.c drivers/virtio/virtio.c drivers/virtio/virtqueue.c
// @sources drivers/virtio/virtio_config.c
// @sources tests/unit/memory_host/permanent.c
#include "../../drivers/virtio/legacy/virtio_legacy.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The device ---

enum { PORTS = 0xc040, PORT_COUNT = 64, QUEUES = 2 };

static uint8_t space[256], ports[PORT_COUNT];
static uint32_t decoded[6], pages[QUEUES], accepted;
static uint16_t sizes[QUEUES], vectors[1 + QUEUES], selected, notified;
static bool no_vectors, forgets_pages;
static unsigned errors;
static struct bm_device *child;
static struct bm_pci_device pci;
static bm_interrupt_handler handlers[4];
static void *handler_arguments[4];

static uint16_t *vector_at(unsigned offset)
{
    return offset == CONFIG_VECTOR ? &vectors[0] : selected < QUEUES ? &vectors[1 + selected] : NULL;
}

uint32_t virtio_legacy_in(const struct virtio_legacy *self, unsigned offset, unsigned size)
{
    assert_int_equal(self->ports, PORTS);
    assert_true(offset + size <= PORT_COUNT && offset % size == 0);
    if (offset == QUEUE_SIZE)
        return selected < QUEUES ? sizes[selected] : 0;
    if (offset == QUEUE_PAGE)
        return selected < QUEUES ? pages[selected] : 0;
    if (pci.msix && (offset == CONFIG_VECTOR || offset == QUEUE_VECTOR))
        return *vector_at(offset);
    uint32_t value = 0;
    memcpy(&value, ports + offset, size);
    return value;
}

void virtio_legacy_out(const struct virtio_legacy *self, unsigned offset, unsigned size, uint32_t value)
{
    assert_int_equal(self->ports, PORTS);
    if (offset == QUEUE_SELECT)
        selected = (uint16_t)value;
    else if (offset == QUEUE_NOTIFY)
        notified = (uint16_t)value;
    else if (offset == QUEUE_PAGE)
        pages[selected] = forgets_pages ? 0 : value;
    else if (offset == DRIVER_FEATURES)
        accepted = value;
    else if (offset == STATUS)
        ports[STATUS] = (uint8_t)value;
    else if (pci.msix && (offset == CONFIG_VECTOR || offset == QUEUE_VECTOR))
        *vector_at(offset) = no_vectors ? 0xffff : (uint16_t)value;
    else if (offset >= CONFIG_BEHIND_MSIX && offset + size <= PORT_COUNT)
        memcpy(ports + offset, &value, size);
    else
        fail_msg("%u bytes are written at %u", size, offset);
}

// --- Its configuration space ---

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                          unsigned size)
{
    (void)host, (void)bus, (void)function;
    uint32_t value = 0;
    assert_true(offset % size == 0 && offset + size <= sizeof space);
    memcpy(&value, space + offset, size);
    return value;
}

static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host, (void)bus, (void)function;
    if (offset >= BM_PCI_BAR0 && offset < BM_PCI_BAR0 + 24) {
        uint32_t mask = decoded[(offset - BM_PCI_BAR0) / 4], old;
        memcpy(&old, space + offset, 4);
        value = (old & ~mask) | (value & mask);
    }
    memcpy(space + offset, &value, size);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write};

// --- The kernel ---

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    errors += level == BM_LOG_ERROR;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

void bm_pci_enable(struct bm_pci_device *device)
{
    bm_pci_write16(device, BM_PCI_COMMAND, BM_PCI_COMMAND_MEMORY | BM_PCI_COMMAND_MASTER);
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    if (!(device->device.class_code & 1)) // the test's: it has MSI-X
        return -BM_ENODEV;
    device->msix = 0x80;
    return max < 3 ? (int)max : 3;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device;
    handlers[index] = handler;
    handler_arguments[index] = arg;
    return 0;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index, (void)core;
    return -BM_EINVAL;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 1000000;
}

static uint64_t dma_offset;
static void *blocks[64];
static unsigned block_count;

void *bm_frame_allocate(unsigned order)
{
    assert_true(block_count < sizeof blocks / sizeof *blocks);
    return blocks[block_count++] = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block, (void)order; // after the test
}

uint64_t bm_dma_address(const void *address)
{
    return (uintptr_t)address % (1ull << 40) + dma_offset;
}

void bm_device_add(struct bm_device *device)
{
    child = device;
}

// --- Set-up ---

static void put(unsigned offset, unsigned size, uint32_t value)
{
    memcpy(space + offset, &value, size);
}

static int clear(void **state)
{
    (void)state;
    while (block_count)
        free(blocks[--block_count]);
    memset(space, 0, sizeof space);
    memset(ports, 0, sizeof ports);
    memset(pages, 0, sizeof pages);
    memset(decoded, 0, sizeof decoded);
    put(BM_PCI_BAR0, 4, PORTS | 1);
    decoded[0] = ~(uint32_t)(PORT_COUNT - 1);
    put(BM_PCI_SUBSYSTEM, 2, BM_VIRTIO_NET);
    sizes[0] = 256;
    sizes[1] = 8;
    ports[3] = 0x20; // EVENT_IDX
    for (unsigned i = CONFIG; i < PORT_COUNT; i++)
        ports[i] = (uint8_t)i;
    errors = 0;
    child = NULL;
    no_vectors = forgets_pages = false;
    dma_offset = 0;
    pci = (struct bm_pci_device){
        .host = &host,
        .device = {.vendor = 0x1af4, .device = 0x1000, .class_code = 1, .name = "pci 00:03.0"}};
    return 0;
}

static struct bm_virtio_device *attached(void)
{
    assert_int_equal(virtio_legacy_attach(&pci.device), 0);
    assert_non_null(child);
    return bm_virtio_device_of(child);
}

static struct bm_virtio_device *begun(void)
{
    uint64_t features;
    struct bm_virtio_device *device = attached();
    assert_int_equal(bm_virtio_begin(device, &features), 0);
    assert_int_equal(features, BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX);
    assert_int_equal(bm_virtio_negotiate(device, 0), 0);
    bm_virtio_interrupt_start(device, 2);
    return device;
}

// --- The tests ---

static void device_starts(void **state)
{
    (void)state;
    struct bm_virtqueue queue;
    struct bm_virtio_device *device = attached();
    assert_string_equal(device->device.name, "virtio 00:03.0");
    assert_int_equal(device->device.device, BM_VIRTIO_NET);
    assert_true(device->legacy);
    assert_int_equal(bm_pci_read16(&pci, BM_PCI_COMMAND) & 7, 7); // ports, memory, DMA
    assert_int_equal(bm_virtio_config_read(device, 2, 2), 23 << 8 | 22);
    device = begun();
    assert_int_equal(accepted, BM_VIRTIO_F_EVENT_IDX);
    assert_int_equal(device->interrupts, 3);
    assert_int_equal(vectors[0], 0);
    // The two vectors stand in front of the configuration now.
    assert_int_equal(bm_virtio_config_read(device, 2, 2), 27 << 8 | 26);
    assert_int_equal(bm_virtqueue_create(&queue, device, 1, 2), 0);
    assert_int_equal(queue.size, 8); // the device's choice
    assert_int_equal(pages[1], bm_dma_address(queue.descriptors) / BM_PAGE_SIZE);
    assert_int_equal((uintptr_t)queue.descriptors % BM_PAGE_SIZE, 0);
    assert_int_equal((uintptr_t)queue.used - (uintptr_t)queue.descriptors, BM_PAGE_SIZE);
    assert_int_equal(vectors[2], 2);
    bm_virtio_ready(device);
    assert_int_equal(ports[STATUS], 7); // no FEATURES_OK
    handlers[0](handler_arguments[0]);
    assert_true(atomic_load(&device->config_changed));
    const struct bm_dma_segment segment = {0x1000, 16};
    queue.event_index = false;
    assert_int_equal(bm_virtqueue_add(&queue, &segment, 1, 0, &queue), 0);
    notified = 9;
    bm_virtqueue_kick(&queue);
    assert_int_equal(notified, 1);
    assert_int_equal(errors, 0);
}

static void device_without_messages_is_polled(void **state)
{
    (void)state;
    struct bm_virtqueue queue;
    pci.device.class_code = 0;
    struct bm_virtio_device *device = begun();
    assert_int_equal(device->interrupts, 0);
    assert_int_equal(bm_virtio_config_read(device, 0, 1), 20);
    assert_int_equal(bm_virtqueue_create(&queue, device, 0, 2), 0);
    assert_int_equal(queue.size, 256);
}

static void configuration_ends_with_the_ports(void **state)
{
    (void)state;
    struct bm_virtio_device *device = begun();
    assert_int_equal(bm_virtio_config_read(device, PORT_COUNT - 25, 1), PORT_COUNT - 1);
    assert_int_equal(bm_virtio_config_read(device, PORT_COUNT - 24, 1), 0xff);
    assert_int_equal(bm_virtio_config_read(device, PORT_COUNT - 26, 4), 0xffffffff);
    bm_virtio_config_write(device, 4, 4, 0x11223344);
    bm_virtio_config_write(device, PORT_COUNT - 25, 1, 0x55);
    bm_virtio_config_write(device, PORT_COUNT - 24, 1, 0x66); // beyond
    assert_int_equal(bm_virtio_config_read(device, 4, 4), 0x11223344);
    assert_int_equal(ports[PORT_COUNT - 1], 0x55);
    uint32_t before = device->transport->config_generation(device);
    assert_int_equal(device->transport->config_generation(device), before);
    ports[CONFIG_BEHIND_MSIX + 6] ^= 1;
    assert_int_not_equal(device->transport->config_generation(device), before);
}

static void queues_that_cannot_be_are_refused(void **state)
{
    struct bm_virtqueue queue;
    static const uint16_t wrong[] = {100, 2048, 32768};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clear(state);
        sizes[0] = wrong[i];
        assert_int_equal(bm_virtqueue_create(&queue, begun(), 0, 64), -BM_EIO);
        assert_int_equal(pages[0], 0);
    }
    clear(state);
    sizes[0] = 0;
    assert_int_equal(bm_virtqueue_create(&queue, begun(), 0, 64), -BM_ENOENT);
    assert_int_equal(bm_virtqueue_create(&queue, begun(), 2, 64), -BM_ENOENT);
    clear(state);
    struct bm_virtio_device *device = begun();
    pages[0] = 7; // in use
    assert_int_equal(bm_virtqueue_create(&queue, device, 0, 64), -BM_EIO);
    assert_int_equal(pages[0], 7);
    pages[0] = 0;
    forgets_pages = true;
    assert_int_equal(bm_virtqueue_create(&queue, device, 0, 64), -BM_EIO);
    forgets_pages = false;
    dma_offset = 1ull << 44; // beyond the register's reach
    assert_int_equal(bm_virtqueue_create(&queue, device, 0, 64), -BM_EIO);
    assert_int_equal(pages[0], 0);
    dma_offset = 0;
    no_vectors = true;
    assert_int_equal(bm_virtqueue_create(&queue, device, 0, 64), -BM_EIO);
    assert_int_equal(pages[0], 0);
}

static void devices_of_others_are_left_alone(void **state)
{
    pci.device.device = 0x1041;
    assert_int_equal(virtio_legacy_attach(&pci.device), -BM_ENODEV);
    clear(state);
    put(BM_PCI_REVISION, 1, 1);
    assert_int_equal(virtio_legacy_attach(&pci.device), -BM_ENODEV);
    clear(state);
    put(BM_PCI_STATUS, 2, 1 << 4);
    put(BM_PCI_CAPABILITIES, 1, 0x40);
    put(0x40, 4, BM_PCI_CAP_VENDOR | 0x50 << 8 | 16 << 16 | 2u << 24); // a doorbell alone is no interface
    put(0x50, 4, BM_PCI_CAP_VENDOR | 0x40 << 8 | 16 << 16 | 3u << 24); // … and the list is a loop
    attached();
    put(0x50, 4, BM_PCI_CAP_VENDOR | 0x00 << 8 | 16 << 16 | 1u << 24);
    assert_int_equal(virtio_legacy_attach(&pci.device), -BM_ENODEV);
    assert_int_equal(errors, 0);
}

static void ports_that_cannot_be_are_refused(void **state)
{
    static const struct {
        uint32_t value, decoded;
    } wrong[] = {
        {0xfe000000, 0xffffffc0},     // memory
        {0x0001, 0xffffffc0},         // no address
        {PORTS | 1, 0xfffffff0},      // too few
        {0x00010001, 0xffffffc0},     // beyond the ports
        {0xffffffc0 | 1, 0xffffffc0}, //
        {0, 0},                       // none
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clear(state);
        put(BM_PCI_BAR0, 4, wrong[i].value);
        decoded[0] = wrong[i].decoded;
        assert_int_equal(virtio_legacy_attach(&pci.device), -BM_EINVAL);
        assert_int_equal(errors, 1);
        assert_null(child);
        assert_int_equal(bm_pci_read16(&pci, BM_PCI_COMMAND), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(device_starts, clear, clear),
        cmocka_unit_test_setup_teardown(device_without_messages_is_polled, clear, clear),
        cmocka_unit_test_setup_teardown(configuration_ends_with_the_ports, clear, clear),
        cmocka_unit_test_setup_teardown(queues_that_cannot_be_are_refused, clear, clear),
        cmocka_unit_test_setup_teardown(devices_of_others_are_left_alone, clear, clear),
        cmocka_unit_test_setup_teardown(ports_that_cannot_be_are_refused, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
