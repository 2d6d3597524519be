// What the parts of the memory-mapped virtio transport share.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where a device's registers and its interrupt are, as firmware or the command line says.
struct virtio_mmio_place {
    uint64_t base, size; // physical address, bytes
    uint32_t interrupt;  // the interrupt's number
    bool wired;          // it has an interrupt
    bool isa;            // `interrupt` is an ISA interrupt, of which the machine's tables know the way
    bool level, active_low;
};

// Reads `<size>@<base>:<irq>[:<id>]` (Linux, Documentation/admin-guide/kernel-parameters.txt,
// virtio_mmio.device): numbers are decimal or 0x…, size and base may end in K, M or G. Returns what is wrong
// with it, or NULL and *place. Any context.
const char *bm_virtio_mmio_word(const char *text, struct virtio_mmio_place *place);

// What makes it impossible that a device is there; NULL when nothing does. Any context.
const char *bm_virtio_mmio_place_check(const struct virtio_mmio_place *place);

// Adds the device at that place to the registry, unless nothing or something else is there. Core 0, at boot.
void bm_virtio_mmio_add(const struct virtio_mmio_place *place);
