// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/console.h>

// Registers of the 16550 at COM1 and their bits (National Semiconductor PC16550D data sheet, section 8).
enum {
    BM_SERIAL_PORT = 0x3f8,
    BM_SERIAL_IRQ = 4,

    BM_SERIAL_DATA = BM_SERIAL_PORT + 0, // receive and transmit buffer; divisor's low byte with LCR_DIVISOR
    BM_SERIAL_INTERRUPT_ENABLE = BM_SERIAL_PORT + 1, // divisor's high byte with LCR_DIVISOR
    BM_SERIAL_FIFO_CONTROL = BM_SERIAL_PORT + 2,     // written
    BM_SERIAL_INTERRUPT_ID = BM_SERIAL_PORT + 2,     // read
    BM_SERIAL_LINE_CONTROL = BM_SERIAL_PORT + 3,
    BM_SERIAL_MODEM_CONTROL = BM_SERIAL_PORT + 4,
    BM_SERIAL_LINE_STATUS = BM_SERIAL_PORT + 5,
    BM_SERIAL_SCRATCH = BM_SERIAL_PORT + 7,

    BM_SERIAL_IER_RECEIVED = 1,
    BM_SERIAL_LSR_RECEIVED = 1,
    BM_SERIAL_LSR_TRANSMIT_EMPTY = 0x20
};

// serial.c: the console of that port, set up on the first call; without such a chip it swallows what is
// written.
struct bm_console *bm_serial_console(void);
bool bm_serial_present(void);

// serial_input.c: received bytes come by interrupt, or by polling when the interrupt cannot be routed.
void bm_serial_listen(void);
// serial_input.c: goes on receiving after the buffer of received bytes was full.
void bm_serial_resume(void);

// input.c: how many bytes bm_console_input can still take. Any context.
size_t bm_console_input_room(void);

// console.c, or names.c in images with more consoles than the serial one: warns of names of the word console=
// that mean nothing.
void bm_console_names_check(void);
