// The PS/2 keyboard behind an i8042 controller.
// SPDX-License-Identifier: MIT
//
// QEMU: every machine pc and q35; i8042=on of microvm
//
// Controller and keyboard: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
// Controller". The controller translates to scan code set 1 (scancodes.c). The interrupt's handler takes the
// bytes, as the controller holds one only; a poller makes keys of them.
#include "scancodes.h"

#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/interrupt.h>
#include <baremetal/keyboard.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stddef.h>

enum { DATA = 0x60, STATUS = 0x64, COMMAND = 0x64, INTERRUPT = 1, RING = 64, FLUSH_MAX = 64 };
enum { STATUS_OUTPUT = 1, STATUS_INPUT = 2, STATUS_MOUSE = 0x20, STATUS_NONE = 0xff };
enum {
    CONFIGURATION_READ = 0x20,
    CONFIGURATION_WRITE = 0x60,
    MOUSE_OFF = 0xa7,
    SELF_TEST = 0xaa,
    KEYBOARD_OFF = 0xad,
    KEYBOARD_ON = 0xae,
    SELF_TEST_PASSED = 0x55
};
enum {
    CONFIGURATION_INTERRUPT = 1,
    CONFIGURATION_MOUSE_INTERRUPT = 2,
    CONFIGURATION_KEYBOARD_STILL = 0x10,
    CONFIGURATION_MOUSE_STILL = 0x20,
    CONFIGURATION_TRANSLATE = 0x40
};
enum { KEYBOARD_SCAN = 0xf4, KEYBOARD_ACKNOWLEDGE = 0xfa };
#define MILLISECOND 1000000ull
#define ANSWER_TIME (50 * MILLISECOND)  // of controller and keyboard
#define TEST_TIME   (500 * MILLISECOND) // of the controller's self-test
#define POLL_TIME   (10 * MILLISECOND)  // of a keyboard without an interrupt

static struct {
    _Atomic(uint8_t) ring[RING]; // written by the handler, or the poller where there is no interrupt
    atomic_uint head, tail;
    bool polled;
    uint64_t next_look;
    struct bm_scancodes scancodes;
    struct bm_poller poller;
} keyboard;

static bool status_wait(uint8_t bit, bool wanted, uint64_t time)
{
    uint64_t deadline = bm_time_monotonic() + time;
    while (!(bm_port_in8(STATUS) & bit) == wanted)
        if (bm_time_monotonic() > deadline)
            return false;
    return true;
}

static void send(uint16_t port, uint8_t byte)
{
    status_wait(STATUS_INPUT, false, ANSWER_TIME);
    bm_port_out8(port, byte);
}

// The next byte, or -1 when none has come in time.
static int receive(uint64_t time)
{
    return status_wait(STATUS_OUTPUT, true, time) ? bm_port_in8(DATA) : -1;
}

static void bytes_take(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < RING; i++) {
        uint8_t status = bm_port_in8(STATUS);
        if (!(status & STATUS_OUTPUT) || status == STATUS_NONE)
            return;
        uint8_t byte = bm_port_in8(DATA);
        unsigned head = atomic_load(&keyboard.head);
        if (status & STATUS_MOUSE || head - atomic_load(&keyboard.tail) >= RING)
            continue;
        keyboard.ring[head % RING] = byte;
        atomic_store(&keyboard.head, head + 1);
    }
}

static bool keyboard_poll(void *arg)
{
    if (keyboard.polled && bm_time_monotonic() >= keyboard.next_look) {
        keyboard.next_look = bm_time_monotonic() + POLL_TIME;
        bytes_take(arg);
    }
    bool worked = false;
    for (unsigned tail = keyboard.tail; tail != atomic_load(&keyboard.head); worked = true) {
        struct bm_scancode_key key;
        if (bm_scancodes_take(&keyboard.scancodes, keyboard.ring[tail % RING], &key))
            bm_keyboard_key(key.usage, key.pressed);
        atomic_store(&keyboard.tail, ++tail);
    }
    return worked;
}

static uint64_t keyboard_deadline(void *arg)
{
    (void)arg;
    return keyboard.polled ? keyboard.next_look : UINT64_MAX;
}

// Brings the controller into a known state. False: there is none.
static bool controller_start(void)
{
    if (bm_port_in8(STATUS) == STATUS_NONE)
        return false;
    send(COMMAND, KEYBOARD_OFF);
    send(COMMAND, MOUSE_OFF);
    for (unsigned i = 0; i < FLUSH_MAX && bm_port_in8(STATUS) & STATUS_OUTPUT; i++)
        bm_port_in8(DATA);
    send(COMMAND, CONFIGURATION_READ);
    int configuration = receive(ANSWER_TIME);
    send(COMMAND, SELF_TEST);
    if (configuration < 0 || receive(TEST_TIME) != SELF_TEST_PASSED)
        return false;
    configuration |= CONFIGURATION_INTERRUPT | CONFIGURATION_TRANSLATE | CONFIGURATION_MOUSE_STILL;
    configuration &= ~(CONFIGURATION_MOUSE_INTERRUPT | CONFIGURATION_KEYBOARD_STILL);
    send(COMMAND, CONFIGURATION_WRITE);
    send(DATA, (uint8_t)configuration);
    send(COMMAND, KEYBOARD_ON);
    return true;
}

static void interrupt_start(void)
{
    int vector = bm_interrupt_allocate(bytes_take, NULL);
    if (vector >= 0 && bm_interrupt_route_isa(INTERRUPT, vector) == 0)
        return;
    if (vector >= 0)
        bm_interrupt_free(vector);
    keyboard.polled = true;
    bm_log_info("ps2_keyboard", "no interrupt can be had: looking every %u ms",
                (unsigned)(POLL_TIME / MILLISECOND));
}

static int ps2_keyboard_attach(struct bm_device *machine)
{
    (void)machine;
    if (!controller_start()) {
        bm_log_info("ps2_keyboard", "this machine has no keyboard controller");
        return 0;
    }
    send(DATA, KEYBOARD_SCAN);
    if (receive(ANSWER_TIME) != KEYBOARD_ACKNOWLEDGE)
        bm_log_info("ps2_keyboard", "no keyboard answers; one that is plugged in later works");
    keyboard.poller =
        (struct bm_poller){.name = "ps2_keyboard", .poll = keyboard_poll, .deadline = keyboard_deadline};
    bm_poller_add(&keyboard.poller);
    interrupt_start();
    return 0;
}

static const struct bm_device_id ps2_keyboard_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(ps2_keyboard) = {.name = "ps2_keyboard", .ids = ps2_keyboard_ids, .attach = ps2_keyboard_attach};
