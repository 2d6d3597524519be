// The first serial port: a 16550 at COM1, 115200 baud, 8 data bits, no parity, 1 stop bit (QEMU: -serial …).
// SPDX-License-Identifier: MIT
//
// Register names and bits: National Semiconductor PC16550D data sheet, section 8.
#include "console.h"

#include <baremetal/cpu.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdint.h>

enum {
    PORT = 0x3f8,
    ISA_IRQ = 4,

    DATA = PORT + 0,             // receive and transmit buffer; divisor low byte with LCR_DIVISOR
    INTERRUPT_ENABLE = PORT + 1, // divisor high byte with LCR_DIVISOR
    FIFO_CONTROL = PORT + 2,     // written
    INTERRUPT_ID = PORT + 2,     // read
    LINE_CONTROL = PORT + 3,
    MODEM_CONTROL = PORT + 4,
    LINE_STATUS = PORT + 5,
    SCRATCH = PORT + 7,

    IER_RECEIVED = 1,
    IID_FIFO = 0xc0, // both bits: FIFOs work
    LCR_8N1 = 3,
    LCR_DIVISOR = 0x80,
    MCR_DTR_RTS = 3,
    MCR_INTERRUPT = 8, // OUT2: on a PC the gate of the interrupt line
    LSR_RECEIVED = 1,
    LSR_TRANSMIT_EMPTY = 0x20,

    DIVISOR_115200 = 1,
    FIFO_SIZE = 16,
    RECEIVE_BATCH = 256, // bytes taken per interrupt at most: a broken chip must not hold the core
    // Reads of LINE_STATUS until the transmitter counts as stuck. A read takes about 1 us on hardware and far
    // less only where the chip is emulated and never busy; 16 bytes take 1.4 ms.
    TRANSMIT_TRIES = 100000
};
#define POLL_INTERVAL 20000000ul // ns between looks when there is no interrupt

static struct {
    bool probed, present, stuck;
    uint8_t burst; // bytes that an empty transmitter takes
} serial;

// The scratch register keeps what is written; where no chip is, reads give all ones.
static bool serial_detect(void)
{
    bm_port_out8(SCRATCH, 0x5a);
    bool kept = bm_port_in8(SCRATCH) == 0x5a;
    bm_port_out8(SCRATCH, 0xa5);
    return kept && bm_port_in8(SCRATCH) == 0xa5 && bm_port_in8(LINE_STATUS) != 0xff;
}

static void serial_setup(void)
{
    bm_port_out8(INTERRUPT_ENABLE, 0);
    bm_port_out8(LINE_CONTROL, LCR_DIVISOR);
    bm_port_out8(DATA, DIVISOR_115200);
    bm_port_out8(INTERRUPT_ENABLE, 0);
    bm_port_out8(LINE_CONTROL, LCR_8N1);
    bm_port_out8(FIFO_CONTROL, 0x07); // on, both cleared, interrupt from the first byte
    bm_port_out8(MODEM_CONTROL, MCR_DTR_RTS | MCR_INTERRUPT);
    serial.burst = (bm_port_in8(INTERRUPT_ID) & IID_FIFO) == IID_FIFO ? FIFO_SIZE : 1;
}

// Whether the transmitter took its bytes. One that did not in a long time is asked only once from then on.
static bool serial_transmit_wait(void)
{
    unsigned tries = serial.stuck ? 1 : TRANSMIT_TRIES;
    while (!(bm_port_in8(LINE_STATUS) & LSR_TRANSMIT_EMPTY)) {
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
    if (!serial.present)
        return;
    unsigned room = 0;
    bool returned = false; // the carriage return before this newline is out
    while (size) {
        if (room == 0) {
            if (!serial_transmit_wait())
                return;
            room = serial.burst;
        }
        room--;
        if (*text == '\n' && !returned) {
            bm_port_out8(DATA, '\r');
            returned = true;
            continue;
        }
        bm_port_out8(DATA, (uint8_t)*text++);
        returned = false;
        size--;
    }
}

static struct bm_console serial_console = {.name = "serial", .write = serial_write};

struct bm_console *bm_serial_console(void)
{
    if (!serial.probed) {
        serial.probed = true;
        serial.present = serial_detect();
        if (serial.present)
            serial_setup();
    }
    return &serial_console;
}

bool bm_serial_present(void)
{
    return serial.present;
}

static bool serial_receive(void)
{
    unsigned count = 0;
    while (count < RECEIVE_BATCH && bm_port_in8(LINE_STATUS) & LSR_RECEIVED) {
        bm_console_input((char)bm_port_in8(DATA));
        count++;
    }
    return count != 0;
}

static void serial_interrupt(void *arg)
{
    (void)arg;
    serial_receive();
    bm_port_in8(INTERRUPT_ID); // reading it is the acknowledgement of what else may be pending
}

static bool serial_poll(void *arg)
{
    (void)arg;
    return serial_receive();
}

static uint64_t serial_poll_deadline(void *arg)
{
    (void)arg;
    return bm_time_monotonic() + POLL_INTERVAL;
}

void bm_serial_listen(void)
{
    static struct bm_poller poller = {
        .name = "serial", .poll = serial_poll, .deadline = serial_poll_deadline};
    if (!serial.present)
        return;
    int vector = bm_interrupt_allocate(serial_interrupt, NULL);
    if (vector >= 0 && bm_interrupt_route_isa(ISA_IRQ, vector) == 0) {
        serial_receive(); // bytes that came before would keep the line asserted without an edge
        bm_port_out8(INTERRUPT_ENABLE, IER_RECEIVED);
        return;
    }
    if (vector >= 0)
        bm_interrupt_free(vector);
    bm_log_info("serial", "no interrupt for input: looking every %lu ms", POLL_INTERVAL / 1000000);
    bm_poller_add(&poller);
}
