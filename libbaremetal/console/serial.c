// The first serial port, a 16550 at COM1, 115200 8N1 (QEMU: -serial …): writing.
// SPDX-License-Identifier: MIT
#include "console.h"

#include <baremetal/cpu.h>

enum {
    IID_FIFO = 0xc0, // both bits: FIFOs work
    LCR_8N1 = 3,
    LCR_DIVISOR = 0x80,
    FCR_ON_CLEAR = 7,        // on, both cleared, interrupt from the first byte
    MCR_DTR_RTS_OUT2 = 0x0b, // OUT2 is the gate of the interrupt line on a PC
    DIVISOR_115200 = 1,
    FIFO_SIZE = 16,
    // Reads of the line status until the transmitter counts as stuck. A read takes 0.2 us under an emulator
    // and up to 2 us elsewhere, so this is one to eight seconds. 16 bytes take 1.4 ms, but who reads a
    // virtual machine's console may be slow or paused.
    TRANSMIT_TRIES = 4000000
};

static struct {
    bool probed, present, stuck;
    uint8_t burst; // bytes that an empty transmitter takes
} serial;

// The scratch register keeps what is written; where no chip is, reads give all ones.
static bool detect(void)
{
    bm_port_out8(BM_SERIAL_SCRATCH, 0x5a);
    bool kept = bm_port_in8(BM_SERIAL_SCRATCH) == 0x5a;
    bm_port_out8(BM_SERIAL_SCRATCH, 0xa5);
    return kept && bm_port_in8(BM_SERIAL_SCRATCH) == 0xa5 && bm_port_in8(BM_SERIAL_LINE_STATUS) != 0xff;
}

static void set_up(void)
{
    bm_port_out8(BM_SERIAL_INTERRUPT_ENABLE, 0);
    bm_port_out8(BM_SERIAL_LINE_CONTROL, LCR_DIVISOR);
    bm_port_out8(BM_SERIAL_DATA, DIVISOR_115200);
    bm_port_out8(BM_SERIAL_INTERRUPT_ENABLE, 0);
    bm_port_out8(BM_SERIAL_LINE_CONTROL, LCR_8N1);
    bm_port_out8(BM_SERIAL_FIFO_CONTROL, FCR_ON_CLEAR);
    bm_port_out8(BM_SERIAL_MODEM_CONTROL, MCR_DTR_RTS_OUT2);
    serial.burst = (bm_port_in8(BM_SERIAL_INTERRUPT_ID) & IID_FIFO) == IID_FIFO ? FIFO_SIZE : 1;
}

// Whether the transmitter took its bytes. One that did not in a long time is asked only once from then on.
static bool transmit_wait(void)
{
    unsigned tries = serial.stuck ? 1 : TRANSMIT_TRIES;
    while (!(bm_port_in8(BM_SERIAL_LINE_STATUS) & BM_SERIAL_LSR_TRANSMIT_EMPTY)) {
        if (--tries == 0) {
            serial.stuck = true;
            return false;
        }
        __builtin_ia32_pause();
    }
    serial.stuck = false;
    return true;
}

static void serial_write(struct bm_console *console, const char *text, size_t size)
{
    (void)console;
    unsigned room = 0;
    bool returned = false; // the carriage return before this newline is out
    while (serial.present && size) {
        if (room-- == 0) {
            if (!transmit_wait())
                return;
            room = serial.burst - 1u;
        }
        returned = *text == '\n' && !returned;
        bm_port_out8(BM_SERIAL_DATA, returned ? '\r' : (uint8_t)*text);
        text += !returned;
        size -= !returned;
    }
}

struct bm_console *bm_serial_console(void)
{
    static struct bm_console console = {.name = "serial", .write = serial_write};
    if (!serial.probed) {
        serial.probed = true;
        serial.present = detect();
        if (serial.present)
            set_up();
    }
    return &console;
}

bool bm_serial_present(void)
{
    return serial.present;
}
