// What the files of the NVMe driver share. Section numbers are those of NVM Express Base Specification 1.4.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/block.h>
#include <baremetal/lock.h>
#include <baremetal/pci.h>

#include <stdatomic.h>
#include <stddef.h>

// Controller registers (section 3.1).
enum nvme_register {
    NVME_CAP = 0x00, // 64 bits
    NVME_VS = 0x08,
    NVME_INTMS = 0x0c,
    NVME_INTMC = 0x10,
    NVME_CC = 0x14,
    NVME_CSTS = 0x1c,
    NVME_AQA = 0x24,
    NVME_ASQ = 0x28,
    NVME_ACQ = 0x30,
    NVME_DOORBELLS = 0x1000
};
enum { NVME_CC_ENABLE = 1, NVME_CC_ENTRIES = 6 << 16 | 4 << 20 }; // 64 bytes a command, 16 an answer
enum { NVME_CSTS_READY = 1 << 0, NVME_CSTS_FATAL = 1 << 1 };

// Opcodes (section 5 and NVM Command Set: section 6).
enum nvme_opcode {
    NVME_ADMIN_CREATE_SQ = 0x01,
    NVME_ADMIN_CREATE_CQ = 0x05,
    NVME_ADMIN_IDENTIFY = 0x06,
    NVME_ADMIN_SET_FEATURES = 0x09,
    NVME_FLUSH = 0x00,
    NVME_WRITE = 0x01,
    NVME_READ = 0x02,
    NVME_WRITE_ZEROES = 0x08,
    NVME_DATASET = 0x09
};

enum {
    NVME_DEPTH_MAX = 64,      // requests under way in a queue
    NVME_ENTRIES_MAX = 128,   // of a ring
    NVME_ADMIN_ENTRIES = 4,   // one command at a time is under way
    NVME_PAIRS_MAX = 8,       // queue pairs of a controller: the vectors are for all devices
    NVME_NAMESPACES_MAX = 16, // of a controller
    NVME_TRANSFER_MAX = 1 << 20,
    NVME_LIST_SIZE = 2048, // bytes of a request's PRP list: 1 MiB, whatever page it begins in
    NVME_LIST_MAX = NVME_LIST_SIZE / 8,
    NVME_BATCH = 16
};
#define NVME_SECOND 1000000000ull                 // ns
#define NVME_CHECK  NVME_SECOND                   // between looks at requests that are under way
#define NVME_POLL   1000000ull                    // between looks at what cannot interrupt
enum { NVME_AGE_MAX = 8, NVME_ATTEMPTS_MAX = 2 }; // checks that a request may take; times that it is sent
#define NVME_RECOVERY_MAX (10 * NVME_SECOND)      // of a reset that is to save requests

struct nvme_command {   // section 4.2
    uint32_t operation; // opcode, and the identifier in the upper half
    uint32_t namespace_id;
    uint64_t reserved, metadata;
    uint64_t prp1, prp2;
    uint32_t words[6]; // command dwords 10 to 15
};
_Static_assert(sizeof(struct nvme_command) == 64, "a command is 64 bytes");

struct nvme_completion { // section 4.6
    uint32_t result, reserved;
    uint16_t head, queue;
    uint16_t identifier;
    uint16_t status; // bit 0: the phase
};
_Static_assert(sizeof(struct nvme_completion) == 16, "an answer is 16 bytes");

// The rings of a queue pair and where one is in them.
struct nvme_rings {
    struct nvme_command *commands;
    struct nvme_completion *completions;
    uint16_t number, entries;
    uint16_t tail, shown; // of the commands: next free entry, and what the doorbell was told
    uint16_t head, phase; // of the answers
};

// A request on its way.
struct nvme_slot {
    struct bm_block_request *request; // NULL: the slot is free
    uint64_t *list;                   // its PRP list, NVME_LIST_SIZE bytes; of a discard its range
    uint8_t next;                     // free one
    uint8_t tick;                     // of the queue, when it was sent
    uint8_t attempts;                 // times that it was sent
    bool over;                        // it has failed, as its submitter is to hear
};

struct nvme;

// A queue pair of a namespace.
struct nvme_pair {
    struct bm_blockqueue queue; // first
    struct nvme *nvme;
    uint32_t namespace_id;
    uint16_t vector;
    uint64_t lists_address;  // for the device
    struct bm_spinlock lock; // of what follows
    struct nvme_rings rings;
    bool live;      // the controller has the rings
    bool failing;   // some slots are over
    uint8_t free;   // slots
    uint8_t busy;   // how many are not free
    uint8_t tick;   // counts the checks
    uint64_t check; // when the next one is due
    struct nvme_slot slots[NVME_DEPTH_MAX];
};

struct nvme_namespace {
    struct bm_blockdev blockdev; // first
    uint32_t number;
};

// What becomes of a controller: it is reset, started, given its queues; and so again when it is stuck.
enum nvme_stage { NVME_DISABLING, NVME_ENABLING, NVME_QUEUES, NVME_LIVE, NVME_DEAD };

// How requests wait to be looked at.
enum nvme_interrupts { NVME_POLLED, NVME_MESSAGES, NVME_LINE };

struct nvme {
    struct bm_pci_device *pci;
    volatile uint8_t *registers, *doorbells;
    unsigned number; // in names
    unsigned stride; // bytes between doorbells
    uint16_t entries_max;
    uint64_t ready_max; // ns that the controller may take to be ready
    uint32_t transfer_max;
    bool can_flush, can_discard, can_zero;
    char serial[BM_BLOCK_SERIAL_MAX];
    enum nvme_interrupts interrupts;
    unsigned vectors;
    atomic_bool line_raised; // by the handler, which has masked the line
    atomic_bool line_works;  // there was an interrupt
    struct nvme_rings admin;
    void *identified;         // a page for answers
    atomic_int stage;         // enum nvme_stage
    atomic_bool reset_wanted; // by a queue
    uint64_t stage_end;       // when this stage has taken too long
    bool was_live;            // else a failure is boot's
    bool admin_busy;          // a command is under way
    unsigned step;            // of NVME_QUEUES
    unsigned pair_count;
    struct nvme_pair *pairs[NVME_PAIRS_MAX]; // [i] has number i + 1
    unsigned namespace_count;
    struct nvme_namespace *namespaces[NVME_NAMESPACES_MAX];
    struct bm_poller poller;
};

#ifdef BM_HOST_TEST
uint32_t nvme_read(const struct nvme *self, unsigned offset);
void nvme_write(struct nvme *self, unsigned offset, uint32_t value);
void nvme_doorbell_write(struct nvme *self, unsigned index, uint32_t value);
#else
static inline uint32_t nvme_read(const struct nvme *self, unsigned offset)
{
    return *(volatile uint32_t *)(self->registers + offset);
}
static inline void nvme_write(struct nvme *self, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(self->registers + offset) = value;
}
// Doorbell `index`: 2 * the queue's number is that of commands, one more that of answers (section 3.1.24).
static inline void nvme_doorbell_write(struct nvme *self, unsigned index, uint32_t value)
{
    __atomic_signal_fence(__ATOMIC_RELEASE); // stores stay in order by themselves
    *(volatile uint32_t *)(self->doorbells + (size_t)index * self->stride) = value;
}
#endif

// --- nvme_rings.c ---

// Rings of `entries` in permanent memory. Returns 0 or -BM_ENOMEM.
int bm_nvme_rings_create(struct nvme_rings *rings, unsigned number, unsigned entries);
// As the controller finds them after a reset.
void bm_nvme_rings_reset(struct nvme_rings *rings);

// The next command's place, all zeros; and what is there belongs to the ring.
struct nvme_command *bm_nvme_command_new(const struct nvme_rings *rings);
void bm_nvme_command_add(struct nvme_rings *rings);

// Shows what is new to the controller.
void bm_nvme_rings_show(struct nvme *self, struct nvme_rings *rings);

// Whether there is an answer.
static inline bool nvme_rings_ready(const struct nvme_rings *rings)
{
    uint16_t status = __atomic_load_n(&rings->completions[rings->head].status, __ATOMIC_ACQUIRE);
    return (status & 1) == rings->phase;
}
// Takes the answer that is there.
struct nvme_completion bm_nvme_rings_take(struct nvme_rings *rings);
// Tells the controller what was taken.
void bm_nvme_rings_taken(struct nvme *self, struct nvme_rings *rings);

// --- nvme_admin.c ---

// Runs the administrative commands one at a time. Returns 0; -BM_EAGAIN while the answer is not there (ask
// again); another negative error when it is none of that command, or says that it failed.
int bm_nvme_admin_poll(struct nvme *self, uint32_t *result);
// Sends one and waits, at boot.
int bm_nvme_admin(struct nvme *self, const struct nvme_command *command, uint32_t *result);
void bm_nvme_admin_send(struct nvme *self, const struct nvme_command *command);

// --- nvme_namespace.c ---

// What the controller says of itself; its namespaces, each a disk; their queue pairs, of which there are at
// most `queues`. Return 0 or a negative error.
int bm_nvme_identify(struct nvme *self);
int bm_nvme_namespaces_find(struct nvme *self);
int bm_nvme_pairs_make(struct nvme *self, unsigned queues);

// --- nvme_queue.c ---

extern const struct bm_blockdev_ops bm_nvme_ops;
// A pair for a namespace.
int bm_nvme_pair_create(struct nvme_pair *pair, struct nvme *self, struct nvme_namespace *space,
                        unsigned number);
// The controller is about to be reset; has the queues again, and gets what it had not answered.
void bm_nvme_pair_stop(struct nvme_pair *pair);
void bm_nvme_pair_restart(struct nvme_pair *pair);

// --- nvme_reset.c ---

// Begins with the reset; goes on, and returns whether anything changed.
void bm_nvme_reset(struct nvme *self);
bool bm_nvme_advance(struct nvme *self);
// The controller is at its end: its requests fail, and it can no longer write to memory.
void bm_nvme_fail(struct nvme *self, const char *why);
bool bm_nvme_has_gone(const struct nvme *self);
