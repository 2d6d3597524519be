// Address line 20, which firmware may have left masked: every second MiB would be missing.
// SPDX-License-Identifier: MIT
//
// In order of how little each can do harm: the BIOS (INT 15h 2401h), the keyboard controller, port 92h. A
// BIOS that opens the line for its own use may mask it again when it returns, so this is asked whenever
// memory above 1 MiB comes next.
#include "bios.h"

enum { KEYBOARD_DATA = 0x60, KEYBOARD_STATUS = 0x64, OUTPUT_FULL = 1, INPUT_FULL = 2, PORT_92 = 0x92 };

static bool is_open(void)
{
    static volatile uint32_t low;
    volatile uint32_t *high = (void *)((uint32_t)&low + 0x100000);
    uint32_t kept = *high;
    low = 0x12345678;
    *high = 0x87654321;
    bool open = low == 0x12345678;
    *high = kept;
    return open;
}

// Some machines take a while.
static bool opens(void)
{
    for (int i = 0; i < 1000; i++)
        if (is_open())
            return true;
    return false;
}

// Bounded: there may be no keyboard controller, or one that never gets ready.
static void wait_keyboard(uint8_t mask, uint8_t wanted)
{
    for (int i = 0; i < 0x10000 && (bm_bios_in8(KEYBOARD_STATUS) & mask) != wanted; i++)
        ;
}

static void command_keyboard(uint8_t command)
{
    wait_keyboard(INPUT_FULL, 0);
    bm_bios_out8(KEYBOARD_STATUS, command);
}

// Reads the controller's output port (d0h) and writes it back (d1h) with A20 set. The keyboard is off
// meanwhile.
static void ask_keyboard(void)
{
    if (bm_bios_in8(KEYBOARD_STATUS) == 0xff) // nothing there
        return;
    command_keyboard(0xad);
    command_keyboard(0xd0);
    wait_keyboard(OUTPUT_FULL, OUTPUT_FULL);
    uint8_t port = bm_bios_in8(KEYBOARD_DATA);
    command_keyboard(0xd1);
    wait_keyboard(INPUT_FULL, 0);
    bm_bios_out8(KEYBOARD_DATA, port | 2);
    command_keyboard(0xae);
    wait_keyboard(INPUT_FULL, 0);
}

void bm_bios_open_a20(void)
{
    if (is_open())
        return;
    bm_bios_registers.eax = 0x2401;
    bm_bios_call(0x15);
    if (opens())
        return;
    ask_keyboard();
    if (opens())
        return;
    bm_bios_out8(PORT_92, (bm_bios_in8(PORT_92) | 2) & (uint8_t)~1u); // bit 0 would reset the machine
    if (!opens())
        bm_bios_fail("address line 20 cannot be switched on");
}
