// What the files of the AHCI driver share. Section numbers are those of Serial ATA AHCI 1.3.1; ATA commands
// and words of IDENTIFY those of ACS-3.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/block.h>
#include <baremetal/lock.h>
#include <baremetal/pci.h>

#include <stdatomic.h>
#include <stddef.h>

// Registers of the controller (section 3.1), and of a port (section 3.3) from AHCI_PORTS + its number *
// AHCI_PORT_SIZE.
enum ahci_register {
    AHCI_CAP = 0x00,
    AHCI_GHC = 0x04,
    AHCI_IS = 0x08,
    AHCI_PI = 0x0c,
    AHCI_CAP2 = 0x24,
    AHCI_BOHC = 0x28,
    AHCI_PORTS = 0x100,
    AHCI_PORT_SIZE = 0x80
};
enum ahci_port_register {
    PORT_CLB = 0x00,
    PORT_FB = 0x08,
    PORT_IS = 0x10,
    PORT_IE = 0x14,
    PORT_CMD = 0x18,
    PORT_TFD = 0x20,
    PORT_SIG = 0x24,
    PORT_SSTS = 0x28,
    PORT_SCTL = 0x2c,
    PORT_SERR = 0x30,
    PORT_SACT = 0x34,
    PORT_CI = 0x38
};
#define AHCI_CAP_64BIT    (1u << 31)
#define AHCI_CAP_NCQ      (1u << 30)
#define AHCI_GHC_AHCI     (1u << 31)
#define AHCI_GHC_IE       (1u << 1)
#define AHCI_GHC_RESET    (1u << 0)
#define PORT_IS_TASK_FILE (1u << 30)
// Fatal ones of the host bus and the interface, overflow; a task file error (section 6.2.2).
#define PORT_IS_ERRORS (PORT_IS_TASK_FILE | 1u << 29 | 1u << 28 | 1u << 27 | 1u << 24)
#define PORT_IS_LINK   (1u << 22 | 1u << 6) // the device was plugged in or out
#define PORT_IE_ALL    (PORT_IS_ERRORS | PORT_IS_LINK | 1u << 3 | 1u << 2 | 1u << 1 | 1u << 0)
enum {
    PORT_CMD_START = 1 << 0,
    PORT_CMD_SPIN_UP = 1 << 1,
    PORT_CMD_POWER_ON = 1 << 2,
    PORT_CMD_FIS = 1 << 4,
    PORT_CMD_FIS_RUNS = 1 << 14,
    PORT_CMD_RUNS = 1 << 15,
    PORT_CMD_ATAPI = 1 << 24
};
enum { PORT_TFD_BUSY = 0x80, PORT_TFD_REQUEST = 0x08, PORT_TFD_ERROR = 0x01 };
enum { PORT_SSTS_DETECTION = 15, PORT_SSTS_ESTABLISHED = 3, PORT_SCTL_RESET = 0x301, PORT_SCTL_NONE = 0x300 };
#define PORT_SIG_DISK   0x00000101u
#define PORT_SIG_PACKET 0xeb140101u

enum {
    AHCI_SLOTS = 32,
    AHCI_PORTS_MAX = 32,
    AHCI_SEGMENTS = 248, // of a command: its table is a page
    AHCI_TRANSFER_MAX = 1 << 20,
    AHCI_BATCH = AHCI_SLOTS
};
#define AHCI_MILLISECOND 1000000ull // ns
#define AHCI_SECOND      1000000000ull
#define AHCI_CHECK       AHCI_SECOND               // between looks at requests that are under way
#define AHCI_POLL        AHCI_MILLISECOND          // between looks at what cannot interrupt
enum { AHCI_AGE_MAX = 10, AHCI_ATTEMPTS_MAX = 2 }; // checks that a request may take; times that it is sent

struct ahci_header { // section 4.2.2
    uint16_t flags, segments;
    uint32_t moved; // bytes, by the controller
    uint64_t table;
    uint32_t reserved[4];
};
struct ahci_segment { // section 4.2.3.3
    uint64_t address;
    uint32_t reserved, bytes; // less one
};
struct ahci_table { // section 4.2.3
    uint8_t fis[64], packet[16], reserved[48];
    struct ahci_segment segments[AHCI_SEGMENTS];
};
_Static_assert(sizeof(struct ahci_table) == 4096, "a table is a page");
// What the controller reads and writes of a port.
struct ahci_memory {
    struct ahci_table tables[AHCI_SLOTS];
    struct ahci_header headers[AHCI_SLOTS]; // 1 KiB
    uint8_t received[256];
    uint8_t answer[512];            // of IDENTIFY and the like
    uint64_t range[AHCI_SLOTS][64]; // of discards
};

// A command of ATA: what becomes a register FIS (section 5.5.3 of Serial ATA 3.3).
struct ahci_command {
    uint8_t operation, device;
    uint16_t features, count;
    uint64_t sector;
    bool writes;
    const uint8_t *packet; // 12 bytes; NULL: none
};

struct ahci_slot {
    struct bm_block_request *request; // NULL: the slot is free
    uint8_t tick;                     // of the port, when it was sent
    uint8_t attempts;                 // times that it was sent
    bool alone;                       // no command beside it: there was an error with others
    bool flushes;                     // it is written; what follows is the flush that is to make it safe
};

enum ahci_stage { PORT_STOPPING, PORT_RESETTING, PORT_LINKING, PORT_READYING, PORT_LIVE, PORT_DEAD };

struct ahci;

// A port with a device.
struct ahci_port {
    struct bm_blockdev blockdev; // first
    struct bm_blockqueue queue;
    struct ahci *ahci;
    volatile uint8_t *registers;
    unsigned number;
    struct ahci_memory *memory;
    uint64_t memory_address;  // for the device
    bool packet;              // a drive of discs
    bool queues, wide;        // NCQ; 48-bit commands
    uint16_t range_max;       // ranges of a discard's block
    atomic_int stage;         // enum ahci_stage
    atomic_bool raised;       // by the interrupt
    atomic_bool reset_wanted; // by a request that is late
    uint64_t stage_end;       // when this stage has taken too long
    struct bm_spinlock lock;  // of what follows
    uint32_t used, issued;    // slots
    bool exclusive;           // the command that is issued is no queued one
    bool with_reset;          // of the recovery: of the link, too
    bool failing;             // some slots are in `failed`
    uint32_t failed;
    uint8_t waiting[AHCI_SLOTS]; // slots to be issued, a ring
    uint8_t waiting_first, waiting_count;
    uint8_t tick;
    uint64_t check; // when the next look is due
    struct ahci_slot slots[AHCI_SLOTS];
};

enum ahci_interrupts { AHCI_POLLED, AHCI_MESSAGE, AHCI_LINE };

struct ahci {
    struct bm_pci_device *pci;
    volatile uint8_t *registers;
    uint32_t capabilities;
    enum ahci_interrupts interrupts;
    atomic_bool line_raised; // by the handler, which has masked the line
    atomic_bool line_works;
    unsigned port_count;
    struct ahci_port *ports[AHCI_PORTS_MAX];
};

#ifdef BM_HOST_TEST
uint32_t ahci_read(const struct ahci *self, unsigned offset);
void ahci_write(const struct ahci *self, unsigned offset, uint32_t value);
#else
static inline uint32_t ahci_read(const struct ahci *self, unsigned offset)
{
    return *(volatile uint32_t *)(self->registers + offset);
}
static inline void ahci_write(const struct ahci *self, unsigned offset, uint32_t value)
{
    __atomic_signal_fence(__ATOMIC_RELEASE); // stores stay in order by themselves
    *(volatile uint32_t *)(self->registers + offset) = value;
}
#endif
static inline uint32_t port_read(const struct ahci_port *port, unsigned offset)
{
    return ahci_read(port->ahci, AHCI_PORTS + port->number * AHCI_PORT_SIZE + offset);
}
static inline void port_write(const struct ahci_port *port, unsigned offset, uint32_t value)
{
    ahci_write(port->ahci, AHCI_PORTS + port->number * AHCI_PORT_SIZE + offset, value);
}

// --- ahci_command.c ---

// Writes a command with its data into a slot's header and table.
void bm_ahci_command_put(struct ahci_port *port, unsigned slot, const struct ahci_command *command,
                         const struct bm_dma_segment *segments, unsigned count);
// The slot's request as a command, queued (section 5.6.4) or not.
void bm_ahci_request_put(struct ahci_port *port, unsigned slot, bool queued);
// Sends a command that reads up to 512 bytes into memory->answer, and waits: at boot. Returns 0 or a negative
// error.
int bm_ahci_ask(struct ahci_port *port, const struct ahci_command *command, unsigned bytes);

// --- ahci_identify.c ---

// What the device says of itself, into the port's blockdev. Returns NULL, or why it cannot be used.
const char *bm_ahci_identify(struct ahci_port *port);

// --- ahci_port.c ---

extern const struct bm_blockdev_ops bm_ahci_ops;
void bm_ahci_queue_prepare(struct ahci_port *port);
// The port was started: its requests are sent, those that were sent as often as they may be fail.
void bm_ahci_restart(struct ahci_port *port);

// --- ahci_reset.c ---

// Begins to stop the port, with a reset of its link or without; goes on, and returns whether anything
// changed.
void bm_ahci_recover(struct ahci_port *port, bool with_reset);
bool bm_ahci_advance(struct ahci_port *port);
// Waits until the port stands still, before anybody uses it. Returns whether it does.
bool bm_ahci_stop(const struct ahci_port *port);
// The port is at its end: its requests fail.
void bm_ahci_fail(struct ahci_port *port, const char *why);
