// The path of every request: into a slot of its port, to the device, and back.
// SPDX-License-Identifier: MIT
#include "ahci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static struct ahci_port *port_of(struct bm_blockqueue *queue)
{
    return (struct ahci_port *)queue->device;
}

static int stage_of(const struct ahci_port *port)
{
    return atomic_load_explicit(&port->stage, memory_order_acquire);
}

static bool is_queued(const struct ahci_port *port, const struct ahci_slot *slot)
{
    return port->queues && !slot->alone && !slot->flushes && slot->request->operation <= BM_BLOCK_WRITE;
}

static void slot_wait(struct ahci_port *port, unsigned slot)
{
    port->waiting[(port->waiting_first + port->waiting_count++) % AHCI_SLOTS] = (uint8_t)slot;
}

// Sends what waits, in its order: queued commands beside each other, others alone (section 1.5). Under the
// lock.
static void waiting_send(struct ahci_port *port)
{
    uint32_t queued = 0, all = 0;
    if (stage_of(port) != PORT_LIVE)
        return;
    while (port->waiting_count) {
        unsigned number = port->waiting[port->waiting_first];
        struct ahci_slot *slot = &port->slots[number];
        bool beside = is_queued(port, slot);
        if (port->issued && (port->exclusive || !beside))
            break;
        bm_ahci_request_put(port, number, beside);
        slot->tick = port->tick;
        slot->attempts++;
        port->exclusive = !beside;
        port->issued |= 1u << number;
        all |= 1u << number;
        queued |= beside ? 1u << number : 0;
        port->waiting_first = (port->waiting_first + 1u) % AHCI_SLOTS;
        port->waiting_count--;
    }
    if (queued)
        port_write(port, PORT_SACT, queued);
    if (all)
        port_write(port, PORT_CI, all);
}

// Whether a controller of 32 bits reaches the memory.
static bool is_reached(const struct ahci_port *port, const struct bm_block_request *request)
{
    bool reached = true;
    for (unsigned i = 0; i < request->segment_count && !(port->ahci->capabilities & AHCI_CAP_64BIT); i++)
        reached &= request->segments[i].address + request->segments[i].length <= 1ull << 32;
    return reached;
}

// Under the lock.
static int request_put(struct ahci_port *port, struct bm_block_request *request)
{
    uint32_t depth_mask = port->queue.depth < 32 ? (1u << port->queue.depth) - 1 : UINT32_MAX;
    uint32_t unused = ~port->used & depth_mask;
    if (!unused)
        return -BM_EAGAIN;
    if (!is_reached(port, request))
        return -BM_EINVAL;
    unsigned number = (unsigned)__builtin_ctz(unused);
    if (!port->used) // nobody has looked since who knows when
        port->check = bm_time_monotonic() + AHCI_CHECK;
    port->used |= 1u << number;
    port->slots[number] = (struct ahci_slot){.request = request};
    slot_wait(port, number);
    return 0;
}

static int ahci_submit(struct bm_blockqueue *queue, struct bm_block_request *request)
{
    struct ahci_port *port = port_of(queue);
    bm_spinlock_acquire(&port->lock);
    int error = stage_of(port) == PORT_DEAD ? -BM_ENODEV : request_put(port, request);
    bm_spinlock_release(&port->lock);
    return error;
}

static void ahci_kick(struct bm_blockqueue *queue)
{
    struct ahci_port *port = port_of(queue);
    bm_spinlock_acquire(&port->lock);
    waiting_send(port);
    bm_spinlock_release(&port->lock);
}

// All ports have one interrupt.
static int ahci_aim(struct bm_blockqueue *queue, unsigned core)
{
    const struct ahci *self = port_of(queue)->ahci;
    if (self->interrupts == AHCI_POLLED)
        return 0;
    if (self->port_count > 1)
        return -BM_EBUSY;
    return self->interrupts == AHCI_MESSAGE ? bm_pci_interrupt_aim(self->pci, 0, core)
                                            : bm_pci_line_aim(self->pci, core);
}

const struct bm_blockdev_ops bm_ahci_ops = {.submit = ahci_submit, .kick = ahci_kick, .aim = ahci_aim};

// A write that is to be safe is flushed next. Returns the request if it is over. Under the lock.
static struct bm_block_request *slot_finish(struct ahci_port *port, unsigned number, bool failed)
{
    struct ahci_slot *slot = &port->slots[number];
    struct bm_block_request *request = slot->request;
    if (!failed && request->flags & BM_BLOCK_FUA && !slot->flushes &&
        port->blockdev.capabilities & BM_BLOCK_CAN_FLUSH) {
        slot->flushes = true;
        slot->attempts = 0;
        slot_wait(port, number);
        return NULL;
    }
    slot->request = NULL;
    port->used &= ~(1u << number);
    return request;
}

struct finished {
    struct bm_block_request *requests[AHCI_BATCH];
    int results[AHCI_BATCH];
    unsigned count;
};

static void slots_finish(struct ahci_port *port, uint32_t slots, bool failed, struct finished *finished)
{
    for (; slots; slots &= slots - 1) {
        struct bm_block_request *request = slot_finish(port, (unsigned)__builtin_ctz(slots), failed);
        if (!request)
            continue;
        finished->requests[finished->count] = request;
        finished->results[finished->count++] = failed ? -BM_EIO : 0;
    }
}

static bool deliver(struct ahci_port *port, const struct finished *finished)
{
    for (unsigned i = 0; i < finished->count; i++)
        bm_block_done(&port->queue, finished->requests[i], finished->results[i]);
    return finished->count;
}

// Which commands are over (section 5.5.1). An error of a command that was alone is its own; one among queued
// commands says nothing here of whose it is: all are sent again, each alone. Returns the status. Under the
// lock.
static uint32_t answers_take(struct ahci_port *port, struct finished *finished)
{
    uint32_t status = port_read(port, PORT_IS);
    if (status) {
        port_write(port, PORT_IS, status);
        ahci_write(port->ahci, AHCI_IS, 1u << port->number);
    }
    uint32_t over = port->issued & ~(port_read(port, PORT_CI) | port_read(port, PORT_SACT));
    if (port->exclusive && status & PORT_IS_TASK_FILE) {
        over = port->issued;
        port->issued = 0;
        slots_finish(port, over, true, finished);
        return status;
    }
    port->issued &= ~over;
    slots_finish(port, over, false, finished);
    if (status & PORT_IS_ERRORS)
        for (uint32_t left = port->issued; left; left &= left - 1)
            port->slots[__builtin_ctz(left)].alone = true;
    else
        waiting_send(port);
    return status;
}

static bool port_take(struct ahci_port *port)
{
    struct finished finished = {.count = 0};
    bm_spinlock_acquire(&port->lock);
    bool alone = port->exclusive;
    uint32_t status = answers_take(port, &finished);
    bm_spinlock_release(&port->lock);
    bool gone =
        status & PORT_IS_LINK && (port_read(port, PORT_SSTS) & PORT_SSTS_DETECTION) != PORT_SSTS_ESTABLISHED;
    bool error = status & PORT_IS_ERRORS;
    if (error || gone)
        bm_ahci_recover(port, gone || !alone || !(status & PORT_IS_TASK_FILE));
    return deliver(port, &finished) || status || gone;
}

// Requests that are over without an answer: all of a port that is at its end.
static bool port_give_up(struct ahci_port *port)
{
    struct finished finished = {.count = 0};
    bm_spinlock_acquire(&port->lock);
    uint32_t slots = stage_of(port) == PORT_DEAD ? port->used : port->failed;
    if (stage_of(port) == PORT_DEAD)
        port->waiting_count = 0;
    port->issued &= ~slots;
    port->failed = 0;
    port->failing = false;
    slots_finish(port, slots, true, &finished);
    bm_spinlock_release(&port->lock);
    return deliver(port, &finished);
}

// Once a second: whether a request has waited for too long; and whether an interrupt was lost.
static bool port_check(struct ahci_port *port)
{
    uint64_t now = bm_time_monotonic();
    if (now < port->check)
        return false;
    bool late = false;
    bm_spinlock_acquire(&port->lock);
    port->check = now + AHCI_CHECK;
    port->tick++;
    for (uint32_t left = port->issued; left; left &= left - 1)
        late |= (uint8_t)(port->tick - port->slots[__builtin_ctz(left)].tick) >= AHCI_AGE_MAX;
    bm_spinlock_release(&port->lock);
    if (port_take(port))
        return true;
    if (late) {
        bm_log_warn(port->ahci->pci->device.name, "port %u has not answered for some seconds: it is reset",
                    port->number);
        atomic_store(&port->reset_wanted, true);
    }
    return late;
}

static bool port_poll(void *arg)
{
    struct ahci_port *port = arg;
    int stage = stage_of(port);
    if (stage == PORT_DEAD || port->failing)
        return port_give_up(port);
    if (stage != PORT_LIVE)
        return bm_ahci_advance(port);
    if (atomic_load_explicit(&port->reset_wanted, memory_order_relaxed)) {
        bm_ahci_recover(port, true);
        return true;
    }
    bool raised =
        atomic_load_explicit(&port->raised, memory_order_relaxed) && atomic_exchange(&port->raised, false);
    bool works = port->ahci->interrupts == AHCI_MESSAGE ||
                 (port->ahci->interrupts == AHCI_LINE && port->ahci->line_works);
    if (raised || (port->issued && !works))
        if (port_take(port))
            return true;
    return port->issued && port_check(port);
}

static bool port_arm(void *arg)
{
    struct ahci_port *port = arg;
    struct ahci *self = port->ahci;
    int stage = stage_of(port);
    if (self->interrupts == AHCI_LINE && atomic_exchange(&self->line_raised, false))
        ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI | AHCI_GHC_IE);
    if (stage == PORT_DEAD)
        return port->used;
    return port->failing ||
           (stage == PORT_LIVE && (atomic_load(&port->raised) || atomic_load(&port->reset_wanted)));
}

static uint64_t port_deadline(void *arg)
{
    const struct ahci_port *port = arg;
    const struct ahci *self = port->ahci;
    int stage = stage_of(port);
    if (stage < PORT_LIVE)
        return bm_time_monotonic() + AHCI_POLL;
    if (!port->used)
        return UINT64_MAX;
    if (self->interrupts == AHCI_POLLED || (self->interrupts == AHCI_LINE && !self->line_works))
        return bm_time_monotonic() + AHCI_POLL;
    return port->check;
}

void bm_ahci_restart(struct ahci_port *port)
{
    bm_spinlock_acquire(&port->lock);
    for (uint32_t left = port->issued; left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctz(left);
        if (port->slots[number].attempts < AHCI_ATTEMPTS_MAX) {
            slot_wait(port, number);
        } else {
            port->failed |= 1u << number;
            port->failing = true;
        }
    }
    port->issued = 0;
    port->exclusive = false;
    port->check = bm_time_monotonic() + AHCI_CHECK;
    // Not before, or a request that comes meanwhile is sent by its submitter, and here a second time.
    atomic_store_explicit(&port->stage, PORT_LIVE, memory_order_release);
    waiting_send(port);
    bm_spinlock_release(&port->lock);
}

void bm_ahci_queue_prepare(struct ahci_port *port)
{
    port->queue.poller = (struct bm_poller){
        .name = "ahci", .poll = port_poll, .arm = port_arm, .deadline = port_deadline, .arg = port};
    bm_blockqueue_add(&port->blockdev, &port->queue);
}
