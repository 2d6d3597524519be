// USB devices: keyboards, hubs and others.
// SPDX-License-Identifier: MIT
#include "controller.h"

#include <stdlib.h>
#include <string.h>

struct gadget gadgets[GADGETS];

enum { CONNECTED = 1, ENABLED = 2, POWER = 0x100, LOW = 0x200, HIGH = 0x400 };

struct gadget *gadget_plug(struct gadget *hub, unsigned port, enum usb_kind kind, uint8_t speed)
{
    struct gadget *gadget = NULL;
    for (unsigned i = 0; i < GADGETS && !gadget; i++)
        if (!gadgets[i].speed)
            gadget = &gadgets[i];
    if (!gadget || (hub ? hub->ports[port] : controller.ports[port]))
        return NULL;
    *gadget = (struct gadget){.kind = kind,
                              .speed = speed,
                              .packet = speed == USB_SPEED_SUPER ? 9
                                        : speed == USB_SPEED_LOW ? 8
                                                                 : 64};
    gadget->class = kind == USB_HUB ? USB_CLASS_HUB : USB_CLASS_HID;
    if (hub) {
        hub->ports[port] = gadget;
        hub->status[port] = (uint16_t)(POWER | CONNECTED |
                                       (speed == USB_SPEED_LOW    ? LOW
                                        : speed == USB_SPEED_HIGH ? HIGH
                                                                  : 0));
        hub->changes[port] |= 1;
        controller_endpoints();
    } else {
        controller.ports[port] = gadget;
        controller.portsc[port] = XHCI_PORT_CONNECTED | XHCI_PORT_POWER | XHCI_PORT_CHANGE_CONNECT |
                                  (uint32_t)speed << XHCI_PORT_SPEED_SHIFT |
                                  (speed == USB_SPEED_SUPER ? XHCI_PORT_ENABLED : 0);
        controller_port_changed(port);
    }
    return gadget;
}

static void remove_all(struct gadget *gadget)
{
    for (unsigned i = 1; i <= HUB_PORTS; i++)
        if (gadget->ports[i])
            remove_all(gadget->ports[i]);
    memset(gadget, 0, sizeof *gadget);
}

void gadget_unplug(struct gadget *hub, unsigned port)
{
    struct gadget **place = hub ? &hub->ports[port] : &controller.ports[port];
    if (!*place)
        return;
    remove_all(*place);
    *place = NULL;
    if (hub) {
        hub->status[port] = POWER;
        hub->changes[port] |= 1;
        controller_endpoints();
    } else {
        controller.portsc[port] = XHCI_PORT_POWER | XHCI_PORT_CHANGE_CONNECT;
        controller_port_changed(port);
    }
}

void gadget_report(struct gadget *gadget, const uint8_t *report)
{
    if (gadget->report_count == REPORTS)
        return;
    memcpy(gadget->reports[gadget->report_count++], report, 8);
    controller_endpoints();
}

struct gadget *gadget_find(unsigned port, uint32_t route)
{
    struct gadget *gadget = port && port <= PORTS ? controller.ports[port] : NULL;
    for (; gadget && route; route >>= 4)
        gadget = (route & 15) <= HUB_PORTS ? gadget->ports[route & 15] : NULL;
    return gadget;
}

static int describe(const struct gadget *gadget, unsigned kind, uint8_t *data, unsigned length)
{
    const uint8_t device[] = {18, 1, 0, 2, 0, 0, 0, gadget->packet, 1, 2, 3, 4, 0, 0, 0, 0, 0, 1};
    // A configuration, an interface that is something else, HID's own descriptor, endpoints of other kinds
    const uint8_t configuration[] = {9,
                                     2,
                                     52,
                                     0,
                                     2,
                                     7,
                                     0,
                                     0xa0,
                                     50, //
                                     9,
                                     4,
                                     0,
                                     0,
                                     1,
                                     8,
                                     6,
                                     80,
                                     0, //
                                     7,
                                     5,
                                     1,
                                     2,
                                     64,
                                     0,
                                     0, //
                                     9,
                                     4,
                                     1,
                                     0,
                                     1,
                                     gadget->class,
                                     gadget->kind == USB_KEYBOARD,
                                     gadget->kind == USB_KEYBOARD,
                                     0, //
                                     9,
                                     0x21,
                                     0x11,
                                     1,
                                     0,
                                     1,
                                     0x22,
                                     63,
                                     0, //
                                     7,
                                     5,
                                     0x83,
                                     3,
                                     8,
                                     0,
                                     10,
                                     2,
                                     0xff};
    const uint8_t hub[] = {9, USB_DESCRIPTOR_HUB, HUB_PORTS, 0x20, 0, 5, 0, 0};
    const uint8_t *from = kind == 1 ? device : kind == 2 ? configuration : hub;
    unsigned size = kind == 1 ? sizeof device : kind == 2 ? sizeof configuration : sizeof hub;
    memcpy(data, from, length < size ? length : size);
    return (int)(length < size ? length : size);
}

static int hub_control(struct gadget *gadget, const uint8_t *setup, uint8_t *data, unsigned length)
{
    unsigned value = setup[2], port = setup[4];
    if (setup[0] == USB_OUT_CLASS_DEVICE)
        return 0;
    if (!port || port > HUB_PORTS)
        return -1;
    if (setup[1] == USB_GET_STATUS && length >= 4) {
        memcpy(data, &gadget->status[port], 2);
        memcpy(data + 2, &gadget->changes[port], 2);
        return 4;
    }
    if (setup[1] == USB_CLEAR_FEATURE)
        gadget->changes[port] &= (uint16_t) ~(1u << (value - HUB_CHANGE_CONNECTION));
    else if (value == HUB_PORT_RESET && gadget->ports[port] && !gadget->ports[port]->asleep) {
        gadget->status[port] |= ENABLED;
        gadget->changes[port] |= 1 << 4;
        controller_endpoints();
    }
    return 0;
}

int gadget_control(struct gadget *gadget, const uint8_t *setup, uint8_t *data, unsigned length)
{
    if (gadget->mute)
        return -2;
    if (gadget->refuses && setup[1] == gadget->refuses)
        return -1;
    if (setup[1] == USB_GET_DESCRIPTOR)
        return describe(gadget, setup[3], data, length);
    if (setup[0] == USB_OUT_DEVICE && setup[1] == USB_SET_CONFIGURATION) {
        gadget->configured = setup[2] == 7;
        return gadget->configured ? 0 : -1;
    }
    if (setup[0] == USB_OUT_ENDPOINT) {
        gadget->halted = false;
        gadget->cleared_halts++;
        return 0;
    }
    if (gadget->kind == USB_HUB)
        return hub_control(gadget, setup, data, length);
    if (setup[4] != 1)
        return -1; // another interface
    gadget->idle += setup[1] == HID_SET_IDLE;
    gadget->protocol += setup[1] == HID_SET_PROTOCOL;
    if (setup[1] == HID_SET_REPORT && length == 1)
        gadget->lights = data[0];
    return (int)length;
}

int gadget_interrupt(struct gadget *gadget, uint8_t *data, unsigned length)
{
    if (gadget->halted)
        return -1;
    if (!gadget->configured)
        return -3;
    if (gadget->kind == USB_HUB) {
        if (gadget->told == controller_now / XHCI_MILLISECOND)
            return -3;
        gadget->told = controller_now / XHCI_MILLISECOND;
        data[0] = 0;
        for (unsigned port = 1; port <= HUB_PORTS; port++)
            data[0] |= (uint8_t)(!!gadget->changes[port] << port);
        return data[0] ? 1 : -3;
    }
    if (!gadget->report_count)
        return -3;
    memcpy(data, gadget->reports[0], length < 8 ? length : 8);
    memmove(gadget->reports[0], gadget->reports[1], sizeof gadget->reports - 8);
    gadget->report_count--;
    return length < 8 ? (int)length : 8;
}
