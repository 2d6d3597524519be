// Receiving on the first serial port.
// SPDX-License-Identifier: MIT
//
// When the buffer of received bytes is full, the chip is left alone with its own until the program has read:
// a sender that minds flow control (every emulator does) then loses nothing.
#include "console.h"

#include <baremetal/cpu.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdatomic.h>
#include <stdint.h>

// Nanoseconds between looks when there is no interrupt: few while bytes come (the chip holds 16, 1.4 ms
// worth), then more and more.
#define INTERVAL_MIN 500000ul
#define INTERVAL_MAX 20000000ul

static atomic_bool paused;

// Takes what the chip holds, while there is room.
static bool receive(void)
{
    size_t room = bm_console_input_room(), count = 0;
    for (; count < room && bm_port_in8(BM_SERIAL_LINE_STATUS) & BM_SERIAL_LSR_RECEIVED; count++)
        bm_console_input((char)bm_port_in8(BM_SERIAL_DATA));
    return count != 0;
}

static void handle_interrupt(void *arg)
{
    (void)arg;
    receive();
    if (bm_console_input_room() == 0) {
        bm_port_out8(BM_SERIAL_INTERRUPT_ENABLE, 0);
        atomic_store(&paused, true);
    }
    bm_port_in8(BM_SERIAL_INTERRUPT_ID); // reading it is the acknowledgement of what else may be pending
}

void bm_serial_resume(void)
{
    if (atomic_load(&paused) && atomic_exchange(&paused, false))
        bm_port_out8(BM_SERIAL_INTERRUPT_ENABLE,
                     BM_SERIAL_IER_RECEIVED); // raises the interrupt when bytes wait
}

static uint64_t interval = INTERVAL_MAX;

static bool poll(void *arg)
{
    (void)arg;
    bool received = receive();
    if (received)
        interval = INTERVAL_MIN;
    return received;
}

static uint64_t poll_deadline(void *arg)
{
    (void)arg;
    uint64_t deadline = bm_time_monotonic() + interval;
    interval = interval < INTERVAL_MAX / 2 ? interval * 2 : INTERVAL_MAX;
    return deadline;
}

void bm_serial_listen(void)
{
    static struct bm_poller poller = {.name = "serial", .poll = poll, .deadline = poll_deadline};
    if (!bm_serial_present())
        return;
    int vector = bm_interrupt_allocate(handle_interrupt, NULL);
    if (vector >= 0 && bm_interrupt_route_isa(BM_SERIAL_IRQ, vector) == 0) {
        receive(); // bytes that came before would keep the line asserted without an edge
        bm_port_out8(BM_SERIAL_INTERRUPT_ENABLE, BM_SERIAL_IER_RECEIVED);
        return;
    }
    if (vector >= 0)
        bm_interrupt_free(vector);
    bm_log_info("serial", "no interrupt for input: looking every %lu ms", INTERVAL_MAX / 1000000);
    bm_poller_add(&poller);
}
