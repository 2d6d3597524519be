// Registers, TRBs and requests: numbers out of the specifications (xhci.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Capability registers (section 5.3).
enum {
    XHCI_CAPLENGTH = 0x00,
    XHCI_HCSPARAMS1 = 0x04,
    XHCI_HCSPARAMS2 = 0x08,
    XHCI_HCCPARAMS1 = 0x10,
    XHCI_DBOFF = 0x14,
    XHCI_RTSOFF = 0x18,
    XHCI_CAPABILITIES_SIZE = 0x20
};
enum { XHCI_HCC_AC64 = 1 << 0, XHCI_HCC_CSZ = 1 << 2 };

// Operational registers (section 5.4), behind CAPLENGTH.
enum {
    XHCI_USBCMD = 0x00,
    XHCI_USBSTS = 0x04,
    XHCI_PAGESIZE = 0x08,
    XHCI_CRCR = 0x18,
    XHCI_DCBAAP = 0x30,
    XHCI_CONFIG = 0x38,
    XHCI_PORTSC = 0x400, // of port 1; those of the others follow
    XHCI_PORT_SIZE = 0x10
};
enum { XHCI_CMD_RUN = 1 << 0, XHCI_CMD_RESET = 1 << 1, XHCI_CMD_INTE = 1 << 2 };
enum {
    XHCI_STS_HALTED = 1 << 0,
    XHCI_STS_SYSTEM_ERROR = 1 << 2,
    XHCI_STS_EVENT = 1 << 3,
    XHCI_STS_NOT_READY = 1 << 11,
    XHCI_STS_ERROR = 1 << 12
};
enum {
    XHCI_PORT_CONNECTED = 1 << 0,
    XHCI_PORT_ENABLED = 1 << 1, // writing 1 disables it
    XHCI_PORT_RESET = 1 << 4,
    XHCI_PORT_POWER = 1 << 9,
    XHCI_PORT_SPEED_SHIFT = 10,
    XHCI_PORT_KEPT = 0x0e00c200, // what a write has to give back as it was: power, indicators, wake bits
    XHCI_PORT_CHANGE_CONNECT = 1 << 17,
    XHCI_PORT_CHANGE_ENABLE = 1 << 18,
    XHCI_PORT_CHANGES = 0x7f << 17 // cleared by writing 1
};

// Runtime registers (section 5.5) of interrupter 0, behind RTSOFF.
enum {
    XHCI_IMAN = 0x20,
    XHCI_IMOD = 0x24,
    XHCI_ERSTSZ = 0x28,
    XHCI_ERSTBA = 0x30,
    XHCI_ERDP = 0x38,
    XHCI_RUNTIME_SIZE = 0x40
};
enum { XHCI_IMAN_PENDING = 1 << 0, XHCI_IMAN_ENABLED = 1 << 1, XHCI_ERDP_BUSY = 1 << 3 };

// The legacy capability (section 7.1) and the register behind it.
enum { XHCI_CAPABILITY_LEGACY = 1, XHCI_LEGACY_FIRMWARE = 1 << 16, XHCI_LEGACY_SYSTEM = 1 << 24 };
enum { XHCI_LEGACY_CONTROL = 4 };
#define XHCI_LEGACY_EVENTS 0xe0000000u // cleared by writing 1; all else 0: no interrupts for the firmware

// TRB types (section 6.4.6), and bits of their last word.
enum {
    TRB_NORMAL = 1,
    TRB_SETUP = 2,
    TRB_DATA = 3,
    TRB_STATUS = 4,
    TRB_LINK = 6,
    TRB_ENABLE_SLOT = 9,
    TRB_DISABLE_SLOT = 10,
    TRB_ADDRESS_DEVICE = 11,
    TRB_CONFIGURE_ENDPOINT = 12,
    TRB_EVALUATE_CONTEXT = 13,
    TRB_RESET_ENDPOINT = 14,
    TRB_SET_DEQUEUE = 16,
    TRB_TRANSFER_EVENT = 32,
    TRB_COMMAND_EVENT = 33,
    TRB_PORT_EVENT = 34,
    TRB_HOST_EVENT = 37
};
enum {
    TRB_CYCLE = 1 << 0,
    TRB_LINK_TOGGLE = 1 << 1,
    TRB_SHORT_EVENT = 1 << 2, // an event when less has come
    TRB_EVENT = 1 << 5,
    TRB_IMMEDIATE = 1 << 6,
    TRB_TYPE_SHIFT = 10,
    TRB_ENDPOINT_SHIFT = 16,
    TRB_IN = 1 << 16,        // of data and status stages
    TRB_SETUP_OUT = 2 << 16, // a data stage follows
    TRB_SETUP_IN = 3 << 16
};
#define TRB_SLOT_SHIFT 24

// Completion codes (section 6.4.5).
enum {
    CODE_SUCCESS = 1,
    CODE_TRANSACTION_ERROR = 4,
    CODE_STALL = 6,
    CODE_SHORT_PACKET = 13,
    CODE_STOPPED = 26,
    CODE_STOPPED_LENGTH = 27,
    CODE_STOPPED_SHORT = 28
};

// Requests to devices: USB 2.0, sections 9.3, 9.4 and 11.24.2; HID, section 7.2.
enum {
    USB_OUT_DEVICE = 0x00,
    USB_OUT_ENDPOINT = 0x02,
    USB_IN_DEVICE = 0x80,
    USB_OUT_CLASS_INTERFACE = 0x21,
    USB_OUT_CLASS_DEVICE = 0x20,
    USB_OUT_CLASS_PORT = 0x23,
    USB_IN_CLASS_DEVICE = 0xa0,
    USB_IN_CLASS_PORT = 0xa3
};
enum {
    USB_GET_STATUS = 0,
    USB_CLEAR_FEATURE = 1,
    USB_SET_FEATURE = 3,
    USB_GET_DESCRIPTOR = 6,
    USB_SET_CONFIGURATION = 9,
    HID_SET_REPORT = 0x09,
    HID_SET_IDLE = 0x0a,
    HID_SET_PROTOCOL = 0x0b
};
enum {
    USB_DESCRIPTOR_DEVICE = 1,
    USB_DESCRIPTOR_CONFIGURATION = 2,
    USB_DESCRIPTOR_INTERFACE = 4,
    USB_DESCRIPTOR_ENDPOINT = 5,
    USB_DESCRIPTOR_HUB = 0x29
};
enum { USB_CLASS_HID = 3, USB_CLASS_HUB = 9, HID_BOOT = 1, HID_KEYBOARD = 1, HID_OUTPUT_REPORT = 2 };
enum { USB_ENDPOINT_HALT = 0 };
enum { HUB_PORT_RESET = 4, HUB_PORT_POWER = 8, HUB_CHANGE_CONNECTION = 16, HUB_CHANGES = 5 };
enum {
    HUB_STATUS_CONNECTED = 1 << 0,
    HUB_STATUS_ENABLED = 1 << 1,
    HUB_STATUS_RESET = 1 << 4,
    HUB_STATUS_LOW = 1 << 9,
    HUB_STATUS_HIGH = 1 << 10
};
