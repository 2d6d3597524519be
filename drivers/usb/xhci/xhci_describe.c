// What a device says that it is: its configuration (USB 2.0, sections 9.6.3 to 9.6.6; HID, appendix E).
// SPDX-License-Identifier: MIT
#include "xhci.h"

enum { CONFIGURATION_VALUE = 5, HEAD = 9, INTERFACE_SIZE = 9, ENDPOINT_SIZE = 7 };
enum { ENDPOINT_IN = 0x80, ENDPOINT_NUMBER = 0x0f, TYPE_MASK = 3, TYPE_INTERRUPT = 3, PACKET_MASK = 0x7ff };

static enum usb_kind interface_kind(const uint8_t *interface, bool may_hub)
{
    uint8_t class = interface[5], subclass = interface[6], protocol = interface[7];
    if (class == USB_CLASS_HID && subclass == HID_BOOT && protocol == HID_KEYBOARD)
        return USB_KEYBOARD;
    return class == USB_CLASS_HUB && may_hub ? USB_HUB : USB_OTHER;
}

// Takes the endpoint if it is the one that tells of changes.
static bool endpoint_take(struct usb_function *function, const uint8_t *endpoint)
{
    unsigned packet = (endpoint[4] | (unsigned)endpoint[5] << 8) & PACKET_MASK;
    if (!(endpoint[2] & ENDPOINT_IN) || !(endpoint[2] & ENDPOINT_NUMBER) ||
        (endpoint[3] & TYPE_MASK) != TYPE_INTERRUPT || !packet || packet > XHCI_REPORT_SIZE)
        return false;
    function->endpoint = endpoint[2] & ENDPOINT_NUMBER;
    function->packet = (uint16_t)packet;
    function->interval = endpoint[6];
    return true;
}

struct usb_function bm_usb_describe(const uint8_t *bytes, size_t length, bool may_hub)
{
    struct usb_function function = {.kind = USB_OTHER};
    if (length < HEAD)
        return function;
    enum usb_kind kind = USB_OTHER; // of the interface that one is in
    function.configuration = bytes[CONFIGURATION_VALUE];
    for (size_t at = 0; length - at >= 2 && bytes[at] >= 2 && bytes[at] <= length - at; at += bytes[at]) {
        const uint8_t *descriptor = bytes + at;
        if (descriptor[1] == USB_DESCRIPTOR_INTERFACE && descriptor[0] >= INTERFACE_SIZE) {
            // Other settings of an interface would have to be chosen: this driver takes the first.
            kind = descriptor[3] ? USB_OTHER : interface_kind(descriptor, may_hub);
            function.interface = descriptor[2];
        } else if (kind != USB_OTHER && descriptor[1] == USB_DESCRIPTOR_ENDPOINT &&
                   descriptor[0] >= ENDPOINT_SIZE && endpoint_take(&function, descriptor)) {
            function.kind = kind;
            break;
        }
    }
    return function;
}
