// Keyboards that speak the boot protocol: which keys are down (HID, section 7.2 and appendices B.1 and F.3).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/keyboard.h>
#include <baremetal/time.h>

enum { KEYS = 2, REPORT = 8, ROLL_OVER = 1, KEY_MIN = 4, MODIFIERS = 0xe0 };
enum { LIGHT_NUM_LOCK = 1, LIGHT_CAPS_LOCK = 2 };
#define REPEAT_DELAY  (500 * XHCI_MILLISECOND)
#define REPEAT_PERIOD (33 * XHCI_MILLISECOND)

static uint8_t lights_wanted(void)
{
    unsigned held = bm_keyboard_modifiers();
    return (uint8_t)((held & BM_KEY_NUM_LOCK ? LIGHT_NUM_LOCK : 0) |
                     (held & BM_KEY_CAPS_LOCK ? LIGHT_CAPS_LOCK : 0));
}

bool bm_usb_keyboard_lights_differ(const struct usb_device *device)
{
    return device->keyboard.lights != lights_wanted();
}

static int protocol(struct xhci *self, struct usb_device *device)
{
    return bm_usb_control(self, device, USB_OUT_CLASS_INTERFACE, HID_SET_PROTOCOL, 0,
                          device->function.interface, 0);
}

// Only changes are to be told.
static int idle(struct xhci *self, struct usb_device *device)
{
    return bm_usb_control(self, device, USB_OUT_CLASS_INTERFACE, HID_SET_IDLE, 0, device->function.interface,
                          0);
}

static int lights(struct xhci *self, struct usb_device *device)
{
    device->keyboard.lights = lights_wanted();
    device->memory->data[0] = device->keyboard.lights;
    return bm_usb_control(self, device, USB_OUT_CLASS_INTERFACE, HID_SET_REPORT, HID_OUTPUT_REPORT << 8,
                          device->function.interface, 1);
}

// Keyboards without lights, or that know but one protocol, refuse.
static int may_refuse(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return self->task.result == -BM_EIO ? STEP_DONE : self->task.result;
}

const struct usb_step bm_usb_keyboard_steps[] = {{"boot protocol", protocol, may_refuse},
                                                 {"idle rate", idle, may_refuse},
                                                 {"lights", lights, may_refuse},
                                                 {"begin", bm_usb_live, NULL},
                                                 {0}};
const struct usb_step bm_usb_lights_steps[] = {{"lights", lights, may_refuse}, {0}};

static bool holds(const uint8_t *report, uint8_t usage)
{
    for (unsigned i = KEYS; i < REPORT; i++)
        if (report[i] == usage)
            return true;
    return false;
}

static void modifiers_change(uint8_t before, uint8_t after)
{
    for (unsigned bit = 0; bit < 8; bit++)
        if ((before ^ after) >> bit & 1)
            bm_keyboard_key((uint8_t)(MODIFIERS + bit), after >> bit & 1);
}

static void change(struct usb_keyboard *keyboard, const uint8_t *report)
{
    modifiers_change(keyboard->report[0], report[0]);
    for (unsigned i = KEYS; i < REPORT; i++) {
        uint8_t before = keyboard->report[i];
        if (before >= KEY_MIN && !holds(report, before)) {
            bm_keyboard_key(before, false);
            keyboard->repeated = keyboard->repeated == before ? 0 : keyboard->repeated;
        }
    }
    for (unsigned i = KEYS; i < REPORT; i++) {
        uint8_t after = report[i];
        if (after < KEY_MIN || holds(keyboard->report, after))
            continue;
        bm_keyboard_key(after, true);
        keyboard->repeated = after;
        keyboard->repeat = bm_time_monotonic() + REPEAT_DELAY;
    }
    __builtin_memcpy(keyboard->report, report, REPORT);
}

void bm_usb_keyboard_report(struct usb_device *device, const uint8_t *bytes, size_t length)
{
    uint8_t report[REPORT] = {length ? bytes[0] : 0};
    // Modifiers are in the first byte; a key that comes twice is one.
    for (unsigned i = KEYS; i < REPORT && i < length; i++)
        report[i] = bytes[i] < MODIFIERS && !holds(report, bytes[i]) ? bytes[i] : 0;
    if (length > KEYS && report[KEYS] != ROLL_OVER) // more keys than it can tell are down
        change(&device->keyboard, report);
}

void bm_usb_keyboard_release(struct usb_device *device)
{
    static const uint8_t none[REPORT];
    change(&device->keyboard, none);
}

bool bm_usb_keyboard_repeat(struct usb_device *device, uint64_t now)
{
    struct usb_keyboard *keyboard = &device->keyboard;
    if (!keyboard->repeated || now < keyboard->repeat)
        return false;
    bm_keyboard_key(keyboard->repeated, true);
    keyboard->repeat = now + REPEAT_PERIOD;
    return true;
}
