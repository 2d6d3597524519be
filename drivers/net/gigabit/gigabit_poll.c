// When Intel's gigabit controllers are looked at: poller, interrupts, link, and the reset of one that is
// stuck.
// SPDX-License-Identifier: MIT
//
// Sections without a name are those of Intel's manual of the 8254x (317453). Interrupts are not masked and
// unmasked around each batch, which would be two exits: the device's own throttling keeps them rare while
// frames keep coming, and with a message each costs next to nothing. A line costs a read, so that one which
// finds a core at work masks it until a core is to halt. Those for sent frames are asked for when the ring is
// full, and only then.
#include "gigabit.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

// --- Handlers ---

enum { CAUSES_LINE = CAUSE_RECEIVED | CAUSE_RECEIVE_FEW | CAUSE_RECEIVE_OVERRUN | CAUSE_LINK };

// The line, or the only message: reading the causes acknowledges them (section 13.4.17). Another device of
// the same line finds none; one that is gone reads as all ones.
static void causes_interrupt(void *arg)
{
    struct gigabit *self = arg;
    uint32_t causes = gigabit_read(self, ICR);
    if (!causes)
        return;
    atomic_store_explicit(&self->heard, true, memory_order_relaxed);
    if (causes & CAUSE_LINK)
        atomic_store_explicit(&self->link_event, true, memory_order_relaxed);
    if (atomic_load_explicit(&self->armed, memory_order_relaxed))
        return;
    gigabit_write(self, IMC, UINT32_MAX);
    atomic_store(&self->masked, true);
    // A core that has begun to halt meanwhile has seen that, or is seen here.
    if (atomic_load(&self->armed) && atomic_exchange(&self->masked, false))
        gigabit_write(self, IMS, CAUSES_LINE);
}

// What the handler has masked is asked for again. What has come meanwhile is looked at afterwards, and is no
// reason for an interrupt.
static uint32_t causes_unmask(struct gigabit *self)
{
    if (self->interrupts == GIGABIT_MESSAGES)
        return CAUSE_QUEUE_RECEIVE | CAUSE_OTHER | CAUSE_LINK;
    if (gigabit_read(self, ICR) & CAUSE_LINK)
        atomic_store_explicit(&self->link_event, true, memory_order_relaxed);
    return CAUSES_LINE;
}

// With a message for each kind (82574 section 7.4) nothing has to be read: EIAC clears the causes.
static void frames_interrupt(void *arg)
{
    atomic_store_explicit(&((struct gigabit *)arg)->masked, true, memory_order_relaxed);
}

static void other_interrupt(void *arg)
{
    struct gigabit *self = arg;
    atomic_store_explicit(&self->masked, true, memory_order_relaxed);
    atomic_store_explicit(&self->link_event, true, memory_order_relaxed);
}

// --- Set-up ---

static int messages_prepare(struct gigabit *self)
{
    int count = bm_pci_interrupt_start(self->pci, 2);
    if (count < 0)
        return count;
    bool several = self->pci->msix;
    int error = bm_pci_interrupt_set(self->pci, 0,
                                     !several    ? causes_interrupt
                                     : count > 1 ? frames_interrupt
                                                 : other_interrupt,
                                     self);
    if (!error && several && count > 1)
        error = bm_pci_interrupt_set(self->pci, 1, other_interrupt, self);
    self->interrupts = several ? GIGABIT_MESSAGES : GIGABIT_MESSAGE;
    return error;
}

// 8254x have messages on PCI-X alone, and errata of them: they get their line.
void bm_gigabit_interrupts_prepare(struct gigabit *self)
{
    if (self->interrupts != GIGABIT_UNKNOWN)
        return;
    int error = self->chip->express ? messages_prepare(self) : -BM_ENODEV;
    if (error == -BM_ENODEV) {
        self->interrupts = GIGABIT_LINE;
        error = bm_pci_line_set(self->pci, causes_interrupt, self);
    }
    if (!error)
        return;
    self->interrupts = GIGABIT_POLLED;
    bm_log_info(self->pci->device.name, "has no interrupt that could be used: it is polled");
}

void bm_gigabit_interrupts_enable(struct gigabit *self)
{
    enum { THROTTLE = 200 }; // times 256 ns between two interrupts (section 13.4.18)
    atomic_store(&self->link_event, true);
    atomic_store(&self->masked, false);
    if (self->interrupts == GIGABIT_POLLED)
        return;
    gigabit_write(self, RDTR, 0);
    gigabit_write(self, ITR, THROTTLE);
    if (self->interrupts != GIGABIT_MESSAGES) {
        gigabit_write(self, IMS, CAUSES_LINE);
        return;
    }
    unsigned other = IVAR_VALID | (self->pci->vectors[1] ? 1 : 0);
    gigabit_write(self, EITR, THROTTLE);
    gigabit_write(self, EITR + 4, THROTTLE);
    gigabit_write(self, IVAR, IVAR_VALID | IVAR_VALID << 8 | other << 16);
    gigabit_write(self, EIAC, CAUSE_QUEUE_RECEIVE | CAUSE_QUEUE_TRANSMIT | CAUSE_OTHER);
    gigabit_write(self, IAM, 0);
    gigabit_write(self, CTRL_EXT, gigabit_read(self, CTRL_EXT) | CTRL_EXT_AUTO_MASK);
    gigabit_write(self, IMS, CAUSE_QUEUE_RECEIVE | CAUSE_OTHER | CAUSE_LINK);
}

int bm_gigabit_aim(struct bm_netqueue *queue, unsigned core)
{
    struct gigabit *self = gigabit_of(queue);
    if (self->interrupts == GIGABIT_POLLED)
        return -BM_ENODEV;
    if (self->interrupts == GIGABIT_LINE)
        return bm_pci_line_aim(self->pci, core);
    int error = bm_pci_interrupt_aim(self->pci, 0, core);
    return error || !self->pci->vectors[1] ? error : bm_pci_interrupt_aim(self->pci, 1, core);
}

// --- The poller ---

void bm_gigabit_link_look(struct gigabit *self)
{
    if (self->interrupts == GIGABIT_MESSAGES) {
        gigabit_write(self, ICR, CAUSES_OTHER);
        atomic_store(&self->masked, true); // asks for the next one, too
    }
    uint32_t status = gigabit_read(self, STATUS);
    if (status == UINT32_MAX)
        bm_gigabit_fail(self, "does not answer any more");
    else
        bm_netdev_link_set(&self->netdev, status & STATUS_LINK);
}

// No frame has left for long: the device is reset, which loses those in its rings, and goes on.
static __attribute__((cold)) void restart(struct gigabit *self)
{
    self->stuck_since = 0;
    if (self->restarts++ == RESTARTS_MAX) {
        bm_gigabit_fail(self, "sends nothing any more, resets or not");
        return;
    }
    bm_log_warn(self->pci->device.name, "no frame has left for 2 s: it is reset");
    unsigned abandoned = bm_gigabit_send_stop(self);
    if (bm_gigabit_reset(self)) {
        bm_gigabit_program(self);
        bm_gigabit_interrupts_enable(self);
    } else {
        bm_gigabit_fail(self, "does not come back from its reset");
    }
    bm_gigabit_send_start(self, abandoned);
}

// Frames leave at the latest when those before them have. Without a link they wait.
static __attribute__((cold)) void stuck_look(struct gigabit *self)
{
    uint64_t now = bm_time_monotonic();
    bm_spinlock_acquire(&self->lock);
    bool waits = self->send.first != self->send.rung && self->netdev.link_up;
    if (!waits || !self->stuck_since)
        self->stuck_since = waits ? now : 0;
    bool stuck = waits && now - self->stuck_since > STUCK_MAX;
    bm_spinlock_release(&self->lock);
    if (stuck)
        restart(self);
}

// The device was switched off: gives the stack and the pool back what it still had.
static __attribute__((cold)) bool abandon(struct gigabit *self)
{
    unsigned abandoned = bm_gigabit_send_stop(self);
    bm_gigabit_send_start(self, abandoned);
    bm_netdev_link_set(&self->netdev, false);
    return bm_gigabit_receive_abandon(self) || abandoned;
}

static bool gigabit_poll(void *arg)
{
    struct gigabit *self = arg;
    if (__builtin_expect(self->broken, 0))
        return abandon(self);
    if (atomic_load_explicit(&self->armed, memory_order_relaxed))
        atomic_store_explicit(&self->armed, false, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&self->link_event, memory_order_relaxed), 0)) {
        atomic_store(&self->link_event, false);
        bm_gigabit_link_look(self);
    }
    bool worked = bm_gigabit_send_ready(self) && bm_gigabit_reclaim(self);
    worked |= bm_gigabit_receive(self);
    if (__builtin_expect(self->stuck_since || self->send.full, 0))
        stuck_look(self);
    return worked || self->broken;
}

// Before a core halts.
static bool gigabit_arm(void *arg)
{
    struct gigabit *self = arg;
    if (self->broken)
        return false;
    uint64_t now = bm_time_monotonic();
    if (now >= self->look_at) {
        self->look_at = now + LOOK_INTERVAL;
        atomic_store(&self->link_event, true);
    }
    uint32_t causes = 0;
    atomic_store(&self->armed, true); // an interrupt from here on is no longer masked
    if (atomic_exchange(&self->masked, false) && self->interrupts != GIGABIT_POLLED)
        causes = causes_unmask(self);
    bm_spinlock_acquire(&self->lock);
    bool full = self->send.full;
    if (self->send.first != self->send.rung && !self->stuck_since)
        self->stuck_since = now;
    bm_spinlock_release(&self->lock);
    if (full)
        causes |= self->interrupts == GIGABIT_MESSAGES ? CAUSE_QUEUE_TRANSMIT : CAUSE_TRANSMITTED;
    if (causes && self->interrupts != GIGABIT_POLLED)
        gigabit_write(self, IMS, causes);
    return bm_gigabit_receive_ready(self) || (full && bm_gigabit_send_ready(self)) ||
           atomic_load_explicit(&self->link_event, memory_order_relaxed);
}

// Once a second in any case; one without interrupts, or with a line that nothing has come by yet, often: what
// the firmware says of lines need not be so.
static uint64_t gigabit_deadline(void *arg)
{
    struct gigabit *self = arg;
    if (self->broken)
        return UINT64_MAX;
    if (self->interrupts == GIGABIT_POLLED || (self->interrupts == GIGABIT_LINE && !self->heard))
        return bm_time_monotonic() + POLL_INTERVAL;
    uint64_t stuck = self->stuck_since ? self->stuck_since + STUCK_MAX + 1 : UINT64_MAX;
    return stuck < self->look_at ? stuck : self->look_at;
}

void bm_gigabit_poll_prepare(struct gigabit *self)
{
    self->queue.poller = (struct bm_poller){.name = self->chip->name,
                                            .poll = gigabit_poll,
                                            .arm = gigabit_arm,
                                            .deadline = gigabit_deadline,
                                            .arg = self};
}
