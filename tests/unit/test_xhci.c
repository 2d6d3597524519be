// The xHCI driver between an invented controller with hubs and keyboards, which come, go, refuse and fall
// silent, and the kernel.
// SPDX-License-Identifier: MIT
// @sources drivers/usb/xhci/xhci.c drivers/usb/xhci/xhci_command.c drivers/usb/xhci/xhci_describe.c
// @sources drivers/usb/xhci/xhci_device.c drivers/usb/xhci/xhci_hub.c drivers/usb/xhci/xhci_keyboard.c
// @sources drivers/usb/xhci/xhci_port.c drivers/usb/xhci/xhci_reset.c drivers/usb/xhci/xhci_ring.c
// @sources drivers/usb/xhci/xhci_task.c drivers/usb/xhci/xhci_transfer.c
// @sources tests/unit/memory_host/permanent.c tests/unit/xhci_host/controller.c
// @sources tests/unit/xhci_host/gadgets.c tests/unit/xhci_host/kernel.c
#include "xhci_host/controller.h"

#include <baremetal/error.h>
#include <baremetal/keyboard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { A = 4, B, SHIFT_LEFT = 0xe1 };
static const uint8_t none[8], shift_a[8] = {2, 0, A}, a[8] = {0, 0, A}, a_b[8] = {0, 0, A, B},
                              b[8] = {0, 0, B};

static int set_up(void **state)
{
    (void)state;
    controller_clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    controller_free();
    return 0;
}

static struct gadget *start(void)
{
    assert_int_equal(controller_attach(), 0);
    controller_run(50);
    return gadget_plug(NULL, 1, USB_KEYBOARD, USB_SPEED_HIGH);
}

static void test_keys(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    controller_run(200);
    assert_int_equal(keyboard->idle, 1);
    assert_int_equal(keyboard->protocol, 1);
    assert_int_equal(keyboard->lights, 1); // Num Lock
    gadget_report(keyboard, shift_a);
    controller_poll();
    assert_true(keys[A] && keys[SHIFT_LEFT]);
    gadget_report(keyboard, a_b);
    controller_poll();
    assert_true(keys[A] && keys[B] && !keys[SHIFT_LEFT]);
    gadget_report(keyboard, (uint8_t[8]){0, 0, 1, 1, 1, 1, 1, 1}); // too many keys
    controller_poll();
    assert_true(keys[A] && keys[B]);
    gadget_report(keyboard, b);
    gadget_report(keyboard, (uint8_t[8]){0, 0, B, B, 0xe1, 0xff});
    controller_poll();
    assert_int_equal(keys_down, 1);
    gadget_report(keyboard, none);
    controller_poll();
    assert_int_equal(keys_down, 0);
    assert_int_equal(log_errors + log_warnings, 0);
}

static void test_repeat(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    controller_run(200);
    gadget_report(keyboard, a);
    controller_run(490);
    assert_int_equal(key_repeats, 0);
    controller_run(1020);
    assert_in_range(key_repeats, 28, 32);
    gadget_report(keyboard, a_b); // the last key repeats …
    controller_run(490);
    unsigned before = key_repeats;
    gadget_report(keyboard, a); // … and the one before does not go on
    controller_run(1000);
    assert_int_equal(key_repeats, before);
}

static void test_lights(void **state)
{
    (void)state;
    struct gadget *one = start(), *other = gadget_plug(NULL, 2, USB_KEYBOARD, USB_SPEED_LOW);
    controller_run(500);
    keyboard_modifiers = BM_KEY_CAPS_LOCK;
    controller_poll();
    assert_int_equal(one->lights, 2);
    assert_int_equal(other->lights, 2);
}

// All hubs, one behind the other, with a keyboard each; and then without.
static void test_hubs(void **state)
{
    (void)state;
    struct gadget *hub = start(), *first = NULL, *last = NULL;
    hub = NULL;
    for (unsigned depth = 0; depth < XHCI_DEPTH_MAX; depth++) {
        hub = gadget_plug(hub, 2, USB_HUB, depth ? USB_SPEED_FULL : USB_SPEED_HIGH);
        first = first ? first : hub;
        last = gadget_plug(hub, 3, USB_KEYBOARD, USB_SPEED_LOW);
        controller_run(800);
        assert_true(last->idle);
        gadget_report(last, a);
        gadget_report(last, none);
        gadget_report(last, b);
        controller_poll();
        assert_true(keys[B]);
        gadget_report(last, none);
        controller_poll();
        assert_false(keys[B]);
    }
    gadget_report(last, a);
    struct gadget *too_deep = gadget_plug(hub, 1, USB_HUB, USB_SPEED_FULL);
    controller_run(500);
    assert_false(too_deep->configured);
    assert_int_equal(log_errors + log_warnings, 0);
    unsigned blocks = controller_blocks();
    gadget_unplug(NULL, 2);
    controller_run(100);
    assert_int_equal(keys_down, 0);
    assert_int_equal(controller.commands[TRB_DISABLE_SLOT], 2 * XHCI_DEPTH_MAX + 1);
    hub = gadget_plug(NULL, 2, USB_HUB, USB_SPEED_HIGH);
    assert_non_null(gadget_plug(hub, 1, USB_KEYBOARD, USB_SPEED_HIGH));
    controller_run(800);
    assert_int_equal(controller_blocks(), blocks); // memory is used again
}

// What does not come up behind a hub, or is one too many, leaves the hub and its other devices alone.
static void test_hub_stays(void **state)
{
    (void)state;
    start();
    struct gadget *hub = gadget_plug(NULL, 2, USB_HUB, USB_SPEED_HIGH);
    struct gadget *keyboard = gadget_plug(hub, 1, USB_KEYBOARD, USB_SPEED_LOW);
    controller_run(800);
    gadget_plug(hub, 2, USB_KEYBOARD, USB_SPEED_LOW)->asleep = true;
    controller_run(XHCI_ATTEMPTS_MAX * 1500);
    assert_int_equal(log_warnings, XHCI_ATTEMPTS_MAX);
    for (unsigned port = 3; port <= HUB_PORTS; port++) {
        struct gadget *next = gadget_plug(hub, port, USB_HUB, USB_SPEED_HIGH);
        for (unsigned i = 1; i <= HUB_PORTS; i++)
            gadget_plug(next, i, USB_HUB, USB_SPEED_HIGH);
    }
    controller_run(5000);
    assert_int_equal(controller.commands[TRB_ENABLE_SLOT], 13);
    gadget_plug(NULL, 3, USB_HUB, USB_SPEED_HIGH);
    for (unsigned i = 1; i <= HUB_PORTS; i++)
        gadget_plug(controller.ports[3], i, USB_KEYBOARD, USB_SPEED_LOW);
    controller_run(5000);
    assert_int_equal(controller.commands[TRB_ENABLE_SLOT], XHCI_DEVICES_MAX);
    assert_int_equal(controller.commands[TRB_DISABLE_SLOT], 0);
    assert_int_equal(log_warnings, 3 * XHCI_ATTEMPTS_MAX); // of three ports
    gadget_report(keyboard, a);
    controller_poll();
    assert_true(keys[A]);
}

static void test_come_and_go(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    for (unsigned i = 0; i < 100; i++) {
        controller_run(i * 3); // at every moment of its beginning
        gadget_report(keyboard, a);
        gadget_unplug(NULL, 1);
        controller_run(i % 7);
        keyboard = gadget_plug(NULL, 1, USB_KEYBOARD, i & 1 ? USB_SPEED_HIGH : USB_SPEED_FULL);
    }
    controller_run(300);
    gadget_report(keyboard, b);
    controller_poll();
    assert_int_equal(keys_down, 1);
    assert_true(keys[B]);
    assert_int_equal(log_errors, 0);
    assert_true(controller_blocks() < 20);
}

static void test_refusals(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    keyboard->refuses = HID_SET_IDLE; // as some do
    controller_run(300);
    gadget_report(keyboard, a);
    controller_poll();
    assert_true(keys[A]);
    assert_int_equal(log_warnings, 0);
    assert_int_equal(controller.commands[TRB_SET_DEQUEUE], 1);
    struct gadget *other = gadget_plug(NULL, 2, USB_KEYBOARD, USB_SPEED_HIGH);
    other->refuses = USB_SET_CONFIGURATION; // without that it cannot be
    controller_run(2000);
    assert_int_equal(log_warnings, XHCI_ATTEMPTS_MAX);
    gadget_report(keyboard, none);
    controller_poll();
    assert_int_equal(keys_down, 0);
}

static void test_silence(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    keyboard->mute = true;
    controller_run(XHCI_ATTEMPTS_MAX * 5500);
    assert_int_equal(log_warnings, XHCI_ATTEMPTS_MAX);
    gadget_unplug(NULL, 1);
    keyboard = gadget_plug(NULL, 1, USB_KEYBOARD, USB_SPEED_HIGH);
    controller_run(300);
    assert_true(keyboard->idle);
}

static void test_halt(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    controller_run(300);
    keyboard->halted = true;
    gadget_report(keyboard, a);
    controller_poll();
    assert_int_equal(keyboard->cleared_halts, 1);
    assert_true(keys[A]);
}

// A port of USB 3 has come up by itself; a hub of that kind is left alone.
static void test_super(void **state)
{
    (void)state;
    start();
    struct gadget *keyboard = gadget_plug(NULL, 3, USB_KEYBOARD, USB_SPEED_SUPER);
    struct gadget *hub = gadget_plug(NULL, 4, USB_HUB, USB_SPEED_SUPER);
    controller_run(800);
    gadget_report(keyboard, a);
    controller_poll();
    assert_true(keys[A]);
    assert_false(hub->configured);
    assert_int_equal(log_errors + log_warnings, 0);
}

// A controller that stops, or answers no commands, starts again with what hangs on it; and not for ever.
static void test_restart(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    controller_run(300);
    gadget_report(keyboard, a);
    controller_poll();
    controller.status |= XHCI_STS_SYSTEM_ERROR;
    controller_run(1500);
    assert_int_equal(controller.resets, 2);
    assert_int_equal(keys_down, 0);
    assert_int_equal(keyboard->idle, 2);
    controller.mute = true;
    gadget_unplug(NULL, 1);
    controller_run(6000);
    assert_int_equal(controller.resets, 3);
    assert_non_null(gadget_plug(NULL, 1, USB_KEYBOARD, USB_SPEED_HIGH));
    controller_run(20000);
    assert_int_equal(controller.disabled, 1);
    assert_int_equal(log_errors, 1);
}

static void test_gone(void **state)
{
    (void)state;
    struct gadget *keyboard = start();
    controller_run(300);
    gadget_report(keyboard, a);
    controller_poll();
    controller.gone = true;
    controller_run(1100);
    assert_int_equal(controller.disabled, 1);
    assert_int_equal(keys_down, 0);
    assert_int_equal(controller_deadline(), UINT64_MAX);
}

static void test_contexts_and_lines(void **state)
{
    (void)state;
    controller.hccparams1 = (controller.hccparams1 & ~1u) | XHCI_HCC_CSZ;
    controller.no_messages = true;
    controller.firmware_stays = true;
    struct gadget *keyboard = start();
    controller_run(1500);
    assert_int_equal(log_warnings, 1); // the firmware's
    assert_true(keyboard->idle);
    controller_clear();
    controller.no_messages = controller.no_line = true;
    keyboard = start();
    controller_run(300);
    assert_true(keyboard->idle);
    assert_false(controller.command & XHCI_CMD_INTE);
}

// What cannot be is left alone.
static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        uint32_t *at, value;
    } wrong[] = {{&controller.hcsparams1, 0x00000120}, {&controller.hcsparams1, 0x04000100},
                 {&controller.caplength, 0x01000008},  {&controller.doorbells_at, 0xfffffffc},
                 {&controller.doorbells_at, 0x3ffc},   {&controller.pagesize, 2},
                 {&controller.caplength, 0x010000fd}};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        controller_clear();
        *wrong[i].at = wrong[i].value;
        assert_int_equal(controller_attach(), -BM_EIO);
        assert_int_equal(controller.disabled, 1);
        assert_int_equal(log_errors, 1);
    }
    controller_clear();
    controller.never_reset = true;
    assert_int_equal(controller_attach(), 0);
    controller_run(2000);
    assert_int_equal(controller.disabled, 1);
}

static void test_describe(void **state)
{
    (void)state;
    uint8_t bytes[] = {9, 2, 25, 0, 1, 1, 0, 0, 0, 9, 4, 0, 0, 1, 3, 1, 1, 0, 7, 5, 0x81, 3, 8, 0, 10};
    assert_int_equal(bm_usb_describe(bytes, sizeof bytes, true).kind, USB_KEYBOARD);
    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_equal(bm_usb_describe(bytes, length, true).kind, USB_OTHER);
    bytes[22] = 65; // longer than a report may be
    assert_int_equal(bm_usb_describe(bytes, sizeof bytes, true).kind, USB_OTHER);
    bytes[22] = 8;
    bytes[20] = 0x80; // endpoint 0
    assert_int_equal(bm_usb_describe(bytes, sizeof bytes, true).kind, USB_OTHER);
    bytes[20] = 0x81;
    bytes[9] = 0; // a descriptor of no length
    assert_int_equal(bm_usb_describe(bytes, sizeof bytes, true).kind, USB_OTHER);
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_keys),        TEST(test_repeat),   TEST(test_lights),    TEST(test_hubs),
        TEST(test_come_and_go), TEST(test_refusals), TEST(test_silence),   TEST(test_halt),
        TEST(test_restart),     TEST(test_gone),     TEST(test_super),     TEST(test_contexts_and_lines),
        TEST(test_wrong),       TEST(test_describe), TEST(test_hub_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
