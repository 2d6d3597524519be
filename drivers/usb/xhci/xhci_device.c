// Devices: from a port that was reset to one that works, and back (section 4.3.3 to 4.3.7).
// SPDX-License-Identifier: MIT
#include "xhci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

enum { HEAD = 8, CONFIGURATION_HEAD = 9, PACKET_HIGH = 64, PACKET_SUPER = 512, PACKET_SLOW = 8 };
#define ADDRESS_RECOVERY (2 * XHCI_MILLISECOND) // USB 2.0, section 9.2.6.3

static struct usb_device *device_find(struct xhci *self)
{
    for (unsigned i = 0; i < XHCI_DEVICES_MAX; i++)
        if (!self->devices[i].used)
            return &self->devices[i];
    return NULL;
}

// Where it hangs: the route goes through the hubs (USB 3.2, section 8.9). A fast hub translates to what is
// slow behind it (section 4.3.3).
static void place(struct usb_device *device, struct usb_device *hub, uint8_t port)
{
    device->hub = hub;
    device->port = port;
    device->root_port = port;
    if (!hub)
        return;
    device->depth = hub->depth + 1;
    device->root_port = hub->root_port;
    device->route = hub->route | (uint32_t)port << 4 * hub->depth;
    device->translator = hub->translator;
    device->translator_port = hub->translator_port;
    if (hub->speed == USB_SPEED_HIGH && device->speed < USB_SPEED_HIGH) {
        device->translator = hub->slot;
        device->translator_port = port;
    }
}

static int slot_begin(struct xhci *self, struct usb_device *device)
{
    const struct usb_task *task = &self->task;
    device = device_find(self);
    if (!device)
        return -BM_ENOSPC;
    struct xhci_device_memory *memory = device->memory ? device->memory : bm_xhci_memory(self, 0);
    if (!memory)
        return -BM_ENOSPC;
    __builtin_memset(memory, 0, sizeof *memory);
    *device = (struct usb_device){
        .used = true, .memory = memory, .address = bm_dma_address(memory), .speed = task->status.speed};
    place(device, task->hub, task->port);
    device->packet = device->speed == USB_SPEED_SUPER  ? PACKET_SUPER
                     : device->speed == USB_SPEED_HIGH ? PACKET_HIGH
                                                       : PACKET_SLOW;
    bm_xhci_ring_begin(&device->control, memory->control,
                       device->address + offsetof(struct xhci_device_memory, control), XHCI_TRANSFERS);
    self->task.device = device;
    return bm_xhci_slot_enable(self);
}

static int slot_end(struct xhci *self, struct usb_device *device)
{
    unsigned slot = self->task.slot;
    if (self->task.result)
        return self->task.result;
    if (!slot || slot > self->slots || self->by_slot[slot])
        return -BM_EPROTO;
    device->slot = (uint8_t)slot;
    self->by_slot[slot] = device;
    self->memory->contexts[slot] = device->address + offsetof(struct xhci_device_memory, context);
    return STEP_DONE;
}

static int address_recovery(struct xhci *self, struct usb_device *device)
{
    (void)device;
    return bm_usb_delay(self, ADDRESS_RECOVERY);
}

static int describe(struct xhci *self, struct usb_device *device, unsigned kind, unsigned length)
{
    return bm_usb_control(self, device, USB_IN_DEVICE, USB_GET_DESCRIPTOR, (uint16_t)(kind << 8), 0,
                          (uint16_t)length);
}

static int head_begin(struct xhci *self, struct usb_device *device)
{
    return describe(self, device, USB_DESCRIPTOR_DEVICE, HEAD);
}

// The largest packet of endpoint 0 is in the first bytes (USB 2.0, section 9.6.1).
static int head_end(struct xhci *self, struct usb_device *device)
{
    if (self->task.result)
        return self->task.result;
    const uint8_t *data = device->memory->data;
    unsigned packet = data[7];
    if (device->length < HEAD || data[1] != USB_DESCRIPTOR_DEVICE)
        return -BM_EPROTO;
    if (device->speed == USB_SPEED_SUPER)
        return packet == 9 ? STEP_DONE : -BM_EPROTO; // as an exponent
    if (packet != 8 && packet != 16 && packet != 32 && packet != 64)
        return -BM_EPROTO;
    self->task.count = device->packet != packet;
    device->packet = (uint16_t)packet;
    return STEP_DONE;
}

static int packet_size(struct xhci *self, struct usb_device *device)
{
    return self->task.count && device->speed != USB_SPEED_SUPER ? bm_xhci_packet_size(self, device)
                                                                : STEP_DONE;
}

static int configuration_head_begin(struct xhci *self, struct usb_device *device)
{
    return describe(self, device, USB_DESCRIPTOR_CONFIGURATION, CONFIGURATION_HEAD);
}

static int configuration_head_end(struct xhci *self, struct usb_device *device)
{
    if (self->task.result)
        return self->task.result;
    const uint8_t *data = device->memory->data;
    unsigned length = data[2] | (unsigned)data[3] << 8;
    if (device->length < CONFIGURATION_HEAD || data[1] != USB_DESCRIPTOR_CONFIGURATION ||
        length < CONFIGURATION_HEAD)
        return -BM_EPROTO;
    self->task.count = length < XHCI_DATA_SIZE ? length : XHCI_DATA_SIZE;
    return STEP_DONE;
}

static int configuration_begin(struct xhci *self, struct usb_device *device)
{
    return describe(self, device, USB_DESCRIPTOR_CONFIGURATION, self->task.count);
}

static int configuration_end(struct xhci *self, struct usb_device *device)
{
    if (self->task.result)
        return self->task.result;
    // Hubs of SuperSpeed are another kind; each has one of the older kind beside it, with the keyboards.
    bool may_hub = device->depth < XHCI_DEPTH_MAX && device->speed != USB_SPEED_SUPER;
    device->function = bm_usb_describe(device->memory->data, device->length, may_hub);
    if (device->function.kind != USB_OTHER)
        return STEP_DONE;
    bm_log_info(self->pci->device.name, "port %u%s: neither a keyboard nor a hub", device->port,
                device->hub ? " of a hub" : "");
    bm_usb_gone(self, device);
    bm_usb_ports(self, device->hub)->attempts[device->port] = XHCI_ATTEMPTS_MAX;
    return bm_usb_go(self, NULL);
}

static int configure(struct xhci *self, struct usb_device *device)
{
    return bm_usb_control(self, device, USB_OUT_DEVICE, USB_SET_CONFIGURATION, device->function.configuration,
                          0, 0);
}

static int kind_go(struct xhci *self, struct usb_device *device)
{
    return bm_usb_go(self, device->function.kind == USB_HUB ? bm_usb_hub_steps : bm_usb_keyboard_steps);
}

const struct usb_step bm_usb_device_steps[] = {
    {"slot", slot_begin, slot_end},
    {"address", bm_xhci_address, NULL},
    {"address", address_recovery, NULL},
    {"device descriptor", head_begin, head_end},
    {"packet size", packet_size, NULL},
    {"configuration descriptor", configuration_head_begin, configuration_head_end},
    {"configuration descriptor", configuration_begin, configuration_end},
    {"endpoint", bm_xhci_endpoint_add, NULL},
    {"configuration", configure, NULL},
    {"kind", kind_go, NULL},
    {0}};

int bm_usb_live(struct xhci *self, struct usb_device *device)
{
    device->live = true;
    bm_log_info(self->pci->device.name, "port %u%s: a %s", device->port, device->hub ? " of a hub" : "",
                device->function.kind == USB_HUB ? "hub" : "keyboard");
    bm_usb_interrupt_ask(self, device);
    return STEP_DONE;
}

const struct usb_step bm_usb_release_steps[] = {{"release", bm_xhci_slot_disable, NULL}, {0}};

// --- An endpoint that stands still (section 4.8.3) ---

static int endpoint_reset(struct xhci *self, struct usb_device *device)
{
    return bm_xhci_endpoint_reset(self, device, 2u * device->function.endpoint + 1);
}

static int endpoint_empty(struct xhci *self, struct usb_device *device)
{
    return bm_xhci_endpoint_empty(self, device, 2u * device->function.endpoint + 1);
}

static int halt_clear(struct xhci *self, struct usb_device *device)
{
    return bm_usb_control(self, device, USB_OUT_ENDPOINT, USB_CLEAR_FEATURE, USB_ENDPOINT_HALT,
                          0x80 | device->function.endpoint, 0);
}

static int ask_again(struct xhci *self, struct usb_device *device)
{
    bm_usb_interrupt_ask(self, device);
    return STEP_DONE;
}

const struct usb_step bm_usb_recover_steps[] = {{"reset of the endpoint", endpoint_reset, NULL},
                                                {"endpoint's ring", endpoint_empty, NULL},
                                                {"halt of the endpoint", halt_clear, NULL},
                                                {"question", ask_again, NULL},
                                                {0}};

static int control_reset(struct xhci *self, struct usb_device *device)
{
    return bm_xhci_endpoint_reset(self, device, 1);
}

static int control_empty(struct xhci *self, struct usb_device *device)
{
    return bm_xhci_endpoint_empty(self, device, 1);
}

// The step that failed hears of it.
static int resume(struct xhci *self, struct usb_device *device)
{
    struct usb_task *task = &self->task;
    (void)device;
    if (task->device == task->hub)
        task->device = NULL; // it was about a port of that hub
    task->step = task->resumed;
    task->asked = NULL; // else it would come here again
    task->result = -BM_EIO;
    task->begun = true;
    return STEP_WAIT;
}

const struct usb_step bm_usb_control_steps[] = {{"reset of endpoint 0", control_reset, NULL},
                                                {"ring of endpoint 0", control_empty, NULL},
                                                {"going on", resume, NULL},
                                                {0}};
