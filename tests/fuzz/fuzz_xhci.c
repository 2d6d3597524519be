// Fuzzer of the xHCI driver: a controller whose registers, events and devices say anything.
// SPDX-License-Identifier: MIT
// @sources drivers/usb/xhci/xhci.c drivers/usb/xhci/xhci_command.c drivers/usb/xhci/xhci_describe.c
// @sources drivers/usb/xhci/xhci_device.c drivers/usb/xhci/xhci_hub.c drivers/usb/xhci/xhci_keyboard.c
// @sources drivers/usb/xhci/xhci_port.c drivers/usb/xhci/xhci_reset.c drivers/usb/xhci/xhci_ring.c
// @sources drivers/usb/xhci/xhci_task.c drivers/usb/xhci/xhci_transfer.c
// @sources tests/unit/memory_host/permanent.c tests/unit/xhci_host/controller.c
// @sources tests/unit/xhci_host/gadgets.c tests/unit/xhci_host/kernel.c
// @max_len 512
#include "../unit/xhci_host/controller.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;
static uint8_t registers_lie; // of 256

static uint8_t byte(void)
{
    return left ? left--, *input++ : 0;
}

static uint32_t word(void)
{
    return byte() | (uint32_t)byte() << 8 | (uint32_t)byte() << 16 | (uint32_t)byte() << 24;
}

// One event in four is changed, or does not come; one in eight is followed by nothing that anybody asked for.
static bool lie(struct xhci_trb *event)
{
    uint8_t how = byte();
    if (how < 160)
        return true;
    if (how == 255)
        return false;
    if (how & 1)
        event->parameter = how & 32 ? event->parameter + 16 * byte() : word();
    if (how & 2)
        event->status = word();
    if (how & 4)
        event->control = (event->control & 0xff00ffffu) | (uint32_t)byte() << 16;
    if (how & 8)
        event->control = (event->control & 0x00ffffffu) | (uint32_t)byte() << 24;
    if (how & 16)
        event->control = (event->control & ~0xfc00u) | (uint32_t)(byte() & 63) << 10;
    return true;
}

static uint32_t lie_of_register(uint32_t offset, uint32_t value)
{
    if (!left || byte() >= registers_lie)
        return value;
    value = word();
    if (offset == XHCI_HCCPARAMS1)
        controller.hccparams1 = value; // it finds its contexts by what it has said
    // Registers that are elsewhere than it thinks would be taken for each other.
    controller.deaf |= offset == XHCI_CAPLENGTH || offset == XHCI_DBOFF || offset == XHCI_RTSOFF;
    return value;
}

static void lie_of_data(uint8_t *bytes, unsigned length)
{
    for (unsigned count = byte() % 8; count > 3; count--)
        bytes[byte() % length] = byte();
}

static struct gadget *any(void)
{
    struct gadget *gadget = &gadgets[byte() % GADGETS];
    return gadget->speed ? gadget : NULL;
}

static void step(void)
{
    uint8_t how = byte(), report[8];
    struct gadget *gadget = any(), *hub = gadget && gadget->kind == USB_HUB ? gadget : NULL;
    switch (how % 8) {
    case 0:
        gadget_plug(hub, byte() % PORTS + 1, byte() & 1 ? USB_HUB : USB_KEYBOARD, byte() % 4 + 1);
        break;
    case 1:
        gadget_unplug(hub, byte() % PORTS + 1);
        break;
    case 2:
        if (gadget)
            gadget->mute = byte() & 1;
        break;
    case 3:
        if (gadget)
            gadget->refuses = byte() % 12;
        break;
    case 4:
        controller.mute = byte() > 200;
        controller_now += 1000 * XHCI_MILLISECOND;
        break;
    case 5:
        controller_run(150);
        break;
    default:
        for (unsigned i = 0; i < 8; i++)
            report[i] = byte();
        if (gadget)
            gadget_report(gadget, report);
    }
    controller_run(byte() % 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    controller_clear();
    uint8_t how = byte();
    registers_lie = how & 128 ? byte() / 8 : 0;
    if (how & 1)
        controller.hccparams1 = how & 2 ? word() : controller.hccparams1 ^ XHCI_HCC_CSZ;
    if (how & 4)
        controller.hcsparams1 = word();
    if (how & 8)
        controller.hcsparams2 = word() & 0x8fe00000; // memory for more than that takes the time
    if (how & 16)
        controller.caplength = word();
    if (how & 32)
        controller.doorbells_at = word();
    controller.deaf = how & (16 | 32);
    controller.no_messages = how & 64;
    controller.lie = lie;
    controller.lie_of_register = lie_of_register;
    controller.lie_of_data = lie_of_data;
    if (controller_attach() == 0) {
        gadget_plug(NULL, 1, USB_KEYBOARD, USB_SPEED_HIGH);
        gadget_plug(gadget_plug(NULL, 2, USB_HUB, USB_SPEED_FULL), 1, USB_KEYBOARD, USB_SPEED_LOW);
        controller_run(200);
        while (left)
            step();
        controller.gone = true; // whatever it was, then no key is down
        controller.lie_of_register = NULL;
        controller_now += 2000 * XHCI_MILLISECOND;
        controller_poll();
        if (keys_down)
            abort();
    }
    controller_free();
    return 0;
}
