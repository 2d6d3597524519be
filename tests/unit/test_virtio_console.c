// The virtio console driver between an invented device and an invented kernel; a device that says anything.
// SPDX-License-Identifier: MIT
// @sources drivers/console/virtio_console/virtio_console.c
// @sources drivers/console/virtio_console/virtio_console_control.c
// @sources drivers/console/virtio_console/virtio_console_port.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c tests/unit/memory_host/permanent.c
#include "virtio_console/machine.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The device ---

static bool deaf; // takes nothing that is sent
static char heard[1 << 16];
static size_t heard_count;
static struct virtio_console_control controls[256];
static unsigned control_count;

static void give_back(unsigned number, uint32_t id, uint32_t length)
{
    struct bm_virtqueue_used *used = queues[number]->used;
    used->ring[used->index % queues[number]->size] = (struct bm_virtqueue_used_element){id, length};
    used->index++;
}

static bool has_buffer(unsigned number)
{
    return queues[number] && queues[number]->available->index != seen[number];
}

static uint16_t take(unsigned number)
{
    assert_true(has_buffer(number));
    return queues[number]->available->ring[seen[number]++ % queues[number]->size];
}

static void notify(struct bm_virtqueue *queue)
{
    unsigned number = queue->number;
    while (!deaf && number % 2 && has_buffer(number)) {
        uint16_t id = take(number);
        const struct bm_virtqueue_descriptor *descriptor = &queue->descriptors[id];
        assert_int_equal(descriptor->flags, 0);
        if (number == 3) {
            assert_int_equal(descriptor->length, sizeof *controls);
            memcpy(&controls[control_count++ % 256], frames + descriptor->address, sizeof *controls);
        } else if (heard_count + descriptor->length <= sizeof heard) {
            memcpy(heard + heard_count, frames + descriptor->address, descriptor->length);
            heard_count += descriptor->length;
        }
        give_back(number, id, 0);
    }
    if (!deaf) // tell me of the next one, too (section 2.7.10)
        *(uint16_t *)&queue->used->ring[queue->size] = seen[number];
}

static void device_writes(unsigned number, const void *data, uint32_t size)
{
    uint16_t id = take(number);
    assert_int_equal(queues[number]->descriptors[id].flags, BM_VIRTQUEUE_WRITE);
    assert_true(size <= queues[number]->descriptors[id].length);
    memcpy(frames + queues[number]->descriptors[id].address, data, size);
    give_back(number, id, size);
}

static void device_says(uint32_t port, uint16_t event, uint16_t value, const char *name)
{
    unsigned char note[VIRTIO_CONSOLE_NOTE];
    const struct virtio_console_control control = {port, event, value};
    size_t length = strlen(name) < sizeof note - sizeof control ? strlen(name) : sizeof note - sizeof control;
    memcpy(note, &control, sizeof control);
    memcpy(note + sizeof control, name, length);
    device_writes(2, note, (uint32_t)(sizeof control + length));
}

// --- Set-up ---

static struct bm_virtio_device device;
enum { MULTIPORT = 2, ADD = 1, REMOVE = 2, READY = 3, CONSOLE = 4, OPEN = 6, NAME = 7 };

static int set_up(void **state)
{
    (void)state;
    machine_reset();
    heard_count = control_count = 0;
    room = 256;
    deaf = false;
    port_count = 31;
    queue_max = 64;
    offered = MULTIPORT | BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX;
    device = (struct bm_virtio_device){.transport = &transport};
    return 0;
}

static int attach(void)
{
    return bm_driver_virtio_console.attach(&device.device);
}

static bool poll(void)
{
    return poller->poll(poller->arg);
}

// --- Tests ---

// A console's text that the host takes late lets the machine sleep again.
static void text_that_is_taken_late(void **state)
{
    (void)state;
    offered &= ~(uint64_t)MULTIPORT;
    assert_int_equal(attach(), 0);
    deaf = true;
    console->write(console, "hello", 5);
    assert_false(poller->arm(poller->arg));
    give_back(1, take(1), 0);
    assert_true(poller->arm(poller->arg));
    assert_true(poll());
    assert_false(poll());
    assert_false(poller->arm(poller->arg));
}

// Nothing comes, since all buffers are full: that the last bytes were taken must wake by itself.
static void what_is_taken_wakes(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    device_says(1, ADD, 1, "");
    device_says(1, NAME, 1, "a.port");
    assert_true(poll());
    struct bm_virtio_port *port = bm_virtio_port_open("a.port");
    assert_non_null(port);
    while (poll())
        ;
    deaf = true;
    assert_int_equal(bm_virtio_port_write(port, "first", 5), 5);
    assert_false(bm_virtio_port_writable(port));
    assert_false(poller->arm(poller->arg));
    assert_int_equal(port->transmit.available->ring[port->transmit.size],
                     port->transmit.used_index); // 2.7.10
    give_back(5, take(5), 0);
    assert_true(poller->arm(poller->arg));
    assert_true(poll());
    assert_true(bm_virtio_port_writable(port));
    assert_false(poller->arm(poller->arg));
    // Who takes it without the poller, with a write that is too late for those that wait, tells them, too.
    assert_int_equal(bm_virtio_port_write(port, "second", 6), 6);
    give_back(5, take(5), 0);
    assert_true(bm_virtio_port_writable(port));
    assert_int_equal(bm_virtio_port_write(port, "third", 5), 5);
    assert_true(poller->arm(poller->arg));
    assert_true(poll());
    assert_false(poll());
    assert_false(poller->arm(poller->arg));
}

// A port that is gone, by a message or with its device, lets nobody wait.
static void what_is_gone_wakes(void **state)
{
    char text[4];
    for (unsigned breaks = 0; breaks < 2; breaks++) {
        assert_int_equal(attach(), 0);
        device_says(1, ADD, 1, "");
        device_says(1, NAME, 1, "a.port");
        device_says(1, OPEN, 1, "");
        assert_true(poll());
        struct bm_virtio_port *port = bm_virtio_port_open("a.port");
        while (poll())
            ;
        assert_true(bm_virtio_port_connected(port) && !bm_virtio_port_readable(port));
        device_writes(4, "rest", 4);
        assert_true(poll());
        if (breaks) {
            give_back(2, 77, 0);
            assert_true(poll() || poll()); // it is noticed, and told
        } else {
            device_says(1, REMOVE, 1, "");
            assert_true(poll());
        }
        assert_false(poll() || poller->arm(poller->arg));
        assert_true(bm_virtio_port_readable(port) && bm_virtio_port_writable(port));
        assert_false(bm_virtio_port_connected(port));
        assert_int_equal(bm_virtio_port_read(port, text, 4), 4);
        assert_int_equal(bm_virtio_port_read(port, text, 4), -BM_EIO);
        assert_int_equal(bm_virtio_port_write(port, text, 4), -BM_EIO);
        set_up(state);
    }
}

static void device_without_ports_is_a_console(void **state)
{
    (void)state;
    offered &= ~(uint64_t)MULTIPORT;
    assert_int_equal(attach(), 0);
    assert_int_equal(consoles, 1);
    console->write(console, "hello", 5);
    assert_int_equal(heard_count, 5);
    assert_memory_equal(heard, "hello", 5);
    static char text[10000];
    memset(text, 'x', sizeof text);
    console->write(console, text, sizeof text);
    assert_int_equal(heard_count, 5 + sizeof text);
    device_writes(0, "keys", 4);
    assert_true(poll());
    assert_int_equal(typed_count, 4);
    assert_memory_equal(typed, "keys", 4);
    assert_false(poll());
    room = 2; // the others wait
    device_writes(0, "more", 4);
    assert_true(poll());
    assert_false(poll());
    assert_int_equal(typed_count, 6);
    room = 10;
    assert_true(poll());
    assert_memory_equal(typed, "keysmore", 8);
}

static void host_that_does_not_read_is_not_waited_for(void **state)
{
    (void)state;
    offered &= ~(uint64_t)MULTIPORT;
    assert_int_equal(attach(), 0);
    deaf = true;
    uint64_t before = bm_time_monotonic();
    console->write(console, "lost", 4);
    assert_in_range(bm_time_monotonic() - before, 100000000, 200000000);
    before = bm_time_monotonic();
    console->write(console, "lost, too", 9);
    assert_true(bm_time_monotonic() - before < 20000000);
    deaf = false;
    notify(queues[1]);
    console->write(console, "again", 5);
    assert_int_equal(heard_count, 4 + 5);
    assert_memory_equal(heard, "lostagain", 9);
}

static void ports_are_what_the_device_says(void **state)
{
    (void)state;
    assert_int_equal(attach(), 0);
    assert_int_equal(control_count, 1); // DEVICE_READY
    assert_int_equal(controls[0].event, 0);
    assert_int_equal(controls[0].value, 1);
    assert_null(bm_virtio_port_open("a.b"));
    device_says(0, ADD, 1, "");
    device_says(3, ADD, 1, "");
    device_says(30, ADD, 1, ""); // beyond what is used
    device_says(3, NAME, 1, "a.b");
    device_says(3, NAME, 1, "other"); // it has one
    device_says(0, CONSOLE, 1, "");
    device_says(0, CONSOLE, 1, "");
    device_says(3, OPEN, 1, "");
    assert_true(poll());
    assert_int_equal(consoles, 1);
    assert_int_equal(control_count, 5);
    assert_true(controls[1].event == READY && controls[1].port == 0 && controls[1].value == 1);
    assert_true(controls[2].event == READY && controls[2].port == 3 && controls[2].value == 1);
    assert_true(controls[3].event == READY && controls[3].port == 30 && controls[3].value == 0);
    assert_true(controls[4].event == OPEN && controls[4].port == 0 && controls[4].value == 1);
    struct bm_virtio_port *port = bm_virtio_port_open("a.b");
    assert_non_null(port);
    assert_true(bm_virtio_port_connected(port));
    assert_null(bm_virtio_port_open("a."));
    assert_null(bm_virtio_port_open("other"));
    assert_null(bm_virtio_port_open(""));
    assert_ptr_equal(bm_virtio_port_open("a.b"), port);
    assert_int_equal(control_count, 6); // open, said once
    assert_false(bm_virtio_port_readable(port));
    device_writes(8, "12345", 5);
    assert_true(bm_virtio_port_readable(port));
    poll();
    char text[8];
    assert_int_equal(bm_virtio_port_read(port, text, 3), 3);
    assert_int_equal(bm_virtio_port_read(port, text + 3, 5), 2);
    assert_memory_equal(text, "12345", 5);
    assert_int_equal(typed_count, 0);
    deaf = true;
    assert_int_equal(bm_virtio_port_write(port, "abc", 3), 3);
    assert_int_equal(bm_virtio_port_write(port, "def", 3), 0);
    assert_false(bm_virtio_port_writable(port));
    deaf = false;
    notify(queues[9]);
    assert_true(bm_virtio_port_writable(port));
    assert_int_equal(bm_virtio_port_write(port, "def", 3), 3);
    assert_memory_equal(heard, "abcdef", 6);
    device_says(3, REMOVE, 1, "");
    poll();
    assert_int_equal(bm_virtio_port_write(port, "ghi", 3), -BM_EIO);
    assert_null(bm_virtio_port_open("a.b"));
}

static void devices_that_cannot_be_used_are_given_up(void **state)
{
    (void)state;
    port_count = 0;
    assert_int_equal(attach(), -BM_EIO);
    assert_int_equal(errors, 1);
    port_count = 1;
    queue_max = 0;
    device.broken = false;
    assert_true(attach() < 0);
    assert_int_equal(errors, 2);
}

// A device that writes what it likes where it may, and more than it may into the rings.
static void any_device(unsigned seed)
{
    srand(seed);
    port_count = (uint32_t)rand() % 3 ? (uint32_t)rand() : (uint32_t)rand() % 4;
    queue_max = 1u << rand() % 8;
    if (attach())
        return;
    for (unsigned step = 0; step < 200; step++) {
        unsigned number = (unsigned)rand() % QUEUES;
        deaf = rand() % 4 == 0;
        room = (size_t)rand() % 300;
        if (number % 2 == 0 && has_buffer(number) && rand() % 50) {
            unsigned char data[VIRTIO_CONSOLE_PIECE];
            uint16_t id = queues[number]->available->ring[seen[number] % queues[number]->size];
            uint32_t length = (uint32_t)rand() % (queues[number]->descriptors[id].length + 1);
            for (unsigned i = 0; i < sizeof data; i++)
                data[i] = (unsigned char)(rand() % 3 ? rand() % 10 : rand());
            data[1] = data[2] = data[3] = data[5] = 0; // ports and events that there are, mostly
            device_writes(number, data, length);
        } else if (rand() % 40 == 0 && queues[number]) {
            give_back(number, (uint32_t)rand() % 70, (uint32_t)rand() % 1000);
        }
        if (console && rand() % 4 == 0)
            console->write(console, "text", 4);
        struct bm_virtio_port *port = bm_virtio_port_open("\1");
        char text[100];
        if (port && bm_virtio_port_readable(port))
            bm_virtio_port_read(port, text, (size_t)rand() % sizeof text);
        if (port)
            bm_virtio_port_write(port, text, 1 + (size_t)rand() % 10);
        poll();
        poller->arm(poller->arg);
    }
}

static void hostile_devices_reach_nothing(void **state)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        any_device(seed);
        set_up(state);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(device_without_ports_is_a_console),
        TEST(host_that_does_not_read_is_not_waited_for),
        TEST(ports_are_what_the_device_says),
        TEST(devices_that_cannot_be_used_are_given_up),
        TEST(what_is_taken_wakes),
        TEST(text_that_is_taken_late),
        TEST(what_is_gone_wakes),
        TEST(hostile_devices_reach_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
