// An invented NVMe controller with the kernel around the driver, for test_nvme.c and fuzz_nvme.c.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/block/nvme/nvme.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONTROLLER_QUEUES = 9, CONTROLLER_SECTORS = 256, CONTROLLER_DISKS = 3 };

// What the controller says and does. All zeros but what controller_clear sets: an honest one.
struct controller {
    uint64_t capabilities;
    uint32_t version;
    unsigned queues;   // that it grants
    unsigned messages; // MSI-X; 0: none
    bool line, gone, never_ready, never_idle, fatal;
    bool held[CONTROLLER_QUEUES]; // does not look at these queues
    uint16_t status;              // of each answer to reads and writes
    uint32_t namespaces[CONTROLLER_DISKS + 1];
    uint8_t sector_bits, mdts, protection;
    // Changes an answer before it is posted; of a fuzzer. Returns whether it is posted at all.
    bool (*lie)(unsigned queue, struct nvme_completion *answer);
    void (*lie_of_page)(unsigned char *page); // what it says of itself
    // What happened:
    unsigned resets, commands[256], disabled, doorbells, requests_fetched;
    uint32_t words[6]; // of the last command
    uint64_t prp2;
    bool line_masked;
    unsigned aimed;
    unsigned char disks[CONTROLLER_DISKS][CONTROLLER_SECTORS * 4096];
};
extern struct controller controller;
extern unsigned log_errors, log_warnings;
extern struct bm_blockdev *controller_added[CONTROLLER_QUEUES];
extern unsigned controller_disks; // added
extern struct bm_poller *controller_pollers[4 + CONTROLLER_QUEUES];
extern uint64_t controller_now;
extern struct bm_pci_device controller_device;

void controller_clear(void);
void controller_free(void);
int controller_attach(void);
// Lets the controller look at all queues.
void controller_run(void);
// Serves the pollers until nobody has work.
void controller_poll(void);
// The interrupt line is raised.
void controller_interrupt(void);
