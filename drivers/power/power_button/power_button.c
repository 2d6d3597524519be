// The power button of machines with ACPI's fixed hardware: a press ends the program as SIGTERM does.
// SPDX-License-Identifier: MIT
//
// QEMU: `system_powerdown` on the monitor, `virsh shutdown`; a cloud's "stop"; a finger on a real machine
//
// Section numbers are those of the ACPI specification, version 6.4. The button raises the system control
// interrupt. Its handler acknowledges and wakes a thread of the driver's own, since what a program does at
// its end waits and takes locks. Machines whose button is a device of AML (hardware-reduced ones) have none
// here, and the log says so.
#include "power_button.h"

#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/error.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/waitqueue.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
    STATUS_BUTTON = 1 << 8, // PWRBTN_STS and PWRBTN_EN, sections 4.8.3.1.1 and 4.8.3.1.2
    STATUS_ALL = 0xcf31,    // every status bit that is defined
    CONTROL_ENABLED = 1     // SCI_EN, section 4.8.3.2.1
};
#define MILLISECOND 1000000ull
#define ENABLE_TIME (3000 * MILLISECOND) // until firmware must have switched to ACPI
#define POLL_TIME   (250 * MILLISECOND)  // of a button without an interrupt

// What the C library's layer, or Linux' calls, make of a press: SIGTERM. Returns when the program goes on.
void bm_program_terminate(void);

static struct {
    struct power_button_ports ports;
    atomic_bool raised;  // by the handler, taken by the poller
    atomic_bool pressed; // by the poller, taken by the thread
    bool found;
    bool polled; // its interrupt cannot be had
    uint64_t next_look;
    struct bm_poller poller;
    struct bm_waitqueue queue; // the thread's
} button;

// Whether the button was pressed; acknowledges whatever the block has to tell, as the line stays raised till
// then.
static bool status_take(uint16_t block)
{
    uint16_t status = block ? bm_port_in16(block) & STATUS_ALL : 0;
    if (status)
        bm_port_out16(block, status);
    return status & STATUS_BUTTON;
}

// A handler, and the poller of a button without an interrupt.
static void look(void *arg)
{
    (void)arg;
    bool a = status_take(button.ports.event_a);
    if (status_take(button.ports.event_b) || a)
        atomic_store(&button.raised, true);
}

static bool button_poll(void *arg)
{
    if (button.polled && bm_time_monotonic() >= button.next_look) {
        button.next_look = bm_time_monotonic() + POLL_TIME;
        look(arg);
    }
    if (!atomic_load_explicit(&button.raised, memory_order_relaxed))
        return false;
    atomic_store(&button.raised, false);
    atomic_store(&button.pressed, true);
    bm_waitqueue_wake_all(&button.queue);
    return true;
}

static uint64_t button_deadline(void *arg)
{
    (void)arg;
    return button.polled ? button.next_look : UINT64_MAX;
}

static bool is_pressed(void *arg)
{
    (void)arg;
    return atomic_load(&button.pressed);
}

static void *button_thread(void *arg)
{
    for (;;) {
        bm_waitqueue_wait(&button.queue, is_pressed, arg, UINT64_MAX);
        atomic_store(&button.pressed, false);
        bm_log_info("power_button", "pressed: the program gets SIGTERM");
        bm_program_terminate();
    }
    return NULL;
}

// Section 4.8.2.5: from the firmware's mode to ACPI's.
static bool acpi_enable(const struct power_button_ports *ports)
{
    if (bm_port_in16(ports->control) & CONTROL_ENABLED)
        return true;
    if (!ports->smi_command || !ports->acpi_enable)
        return false;
    bm_port_out8(ports->smi_command, ports->acpi_enable);
    uint64_t deadline = bm_time_monotonic() + ENABLE_TIME;
    while (!(bm_port_in16(ports->control) & CONTROL_ENABLED))
        if (bm_time_monotonic() > deadline)
            return false;
    return true;
}

// General-purpose events are AML's, which nobody runs here: they would hold the line for ever.
static void events_silence(const struct power_button_ports *ports)
{
    for (unsigned i = 0; i < 2; i++)
        for (uint16_t offset = 0; ports->general[i] && offset < ports->general_size[i] / 2; offset++)
            bm_port_out8((uint16_t)(ports->general[i] + ports->general_size[i] / 2 + offset), 0);
}

// Only the button of the event block may interrupt from now on.
static void block_enable(uint16_t block, uint16_t size)
{
    if (!block)
        return;
    bm_port_out16((uint16_t)(block + size / 2), STATUS_BUTTON);
    bm_port_out16(block, STATUS_ALL);
}

static void interrupt_start(uint16_t line)
{
    int vector = bm_interrupt_allocate(look, NULL);
    int error = vector < 0 ? vector : bm_interrupt_route_isa(line, vector);
    if (!error)
        return;
    if (vector >= 0)
        bm_interrupt_free(vector);
    button.polled = true;
    bm_log_info("power_button", "interrupt %u cannot be used (error %d); the button is polled", line, -error);
}

static int power_button_attach(struct bm_device *machine)
{
    (void)machine;
    const struct bm_acpi_header *fadt = bm_acpi_find("FACP", 0);
    if (!fadt || !bm_power_button_parse(fadt, &button.ports) || !acpi_enable(&button.ports)) {
        bm_log_info("power_button", "this machine has no power button in ACPI's fixed hardware");
        return 0;
    }
    button.found = true;
    button.poller.name = "power_button";
    button.poller.poll = button_poll;
    button.poller.deadline = button_deadline;
    bm_poller_add(&button.poller);
    events_silence(&button.ports);
    interrupt_start(button.ports.interrupt);
    block_enable(button.ports.event_a, button.ports.event_size);
    block_enable(button.ports.event_b, button.ports.event_size);
    return 0;
}

// Threads have the C library's thread-local variables, so there is none before the program begins.
__attribute__((constructor)) static void thread_start(void)
{
    struct bm_thread *thread;
    const struct bm_thread_options options = {.name = "power button", .detached = true};
    int error = button.found ? bm_thread_create(&thread, button_thread, NULL, &options) : 0;
    if (error)
        bm_log_error("power_button", "no thread can be made (error %d)", -error);
}

static const struct bm_device_id power_button_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(power_button) = {.name = "power_button", .ids = power_button_ids, .attach = power_button_attach};
