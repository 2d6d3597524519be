// Interrupts: vectors, and routing of device interrupts to them.
// SPDX-License-Identifier: MIT
//
// Interrupts only wake. A handler acknowledges its device, sets a flag and returns; the kernel then marks the
// core as woken, so that bm_wait_until looks again. A handler runs on an interrupt stack with interrupts
// disabled; it must not take locks, allocate, wait or use vector registers (compile its file with
// -mgeneral-regs-only or keep it to integers).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A handler; `arg` is the one that it was installed with.
typedef void (*bm_interrupt_handler)(void *arg);

// Where a message-signalled interrupt is to be written (PCI Local Bus 3.0 section 6.8, Intel SDM volume 3
// section 11.11).
struct bm_interrupt_message {
    uint64_t address;
    uint32_t data;
};

// Reserves a vector and installs its handler (NULL: only wake). Returns the vector, or -BM_ENOSPC when all
// are taken. Not in handlers.
int bm_interrupt_allocate(bm_interrupt_handler handler, void *arg);

// Gives a vector back. Its device must be silent. Not in handlers.
void bm_interrupt_free(int vector);

// Says in *message what raises `vector` on `core`. Returns 0, or -BM_EINVAL when no such core runs or no
// message reaches it (local APIC ids above 254). Any context.
int bm_interrupt_message_get(int vector, unsigned core, struct bm_interrupt_message *message);

// Routes ISA interrupt `irq` (0 to 15, by the MADT's overrides) to `vector` on core 0 through the I/O APIC
// and unmasks it. Returns 0, -BM_ENODEV when no I/O APIC has that input, or -BM_EBUSY when another device
// uses it. Not in handlers.
int bm_interrupt_route_isa(unsigned irq, int vector);

// Routes global system interrupt `input` to `vector` on core 0 through the I/O APIC and unmasks it. A device
// that holds its line until it is acknowledged has level; its handler acknowledges. Returns 0, -BM_ENODEV
// when no I/O APIC has that input, or -BM_EBUSY when another device uses it: inputs are not shared. Not in
// handlers. `active_low`: the line's level, or the edge, that means an interrupt.
int bm_interrupt_route(uint32_t input, bool level, bool active_low, int vector);

// Aims a routed vector at another core, as often as wanted. What comes meanwhile is raised on the one or the
// other. Returns 0, or -BM_EINVAL when the vector is not routed, no such core runs, or no message reaches it.
// Not in handlers.
int bm_interrupt_route_aim(int vector, unsigned core);

#ifdef __cplusplus
}
#endif
