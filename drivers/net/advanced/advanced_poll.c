// When Intel's controllers with advanced descriptors are looked at: poller, interrupts, link, and the reset
// of one that is stuck.
// SPDX-License-Identifier: MIT
//
// Sections are those of Intel's 82576EB datasheet (revision 2.87). A message masks itself (EIAM, section
// 7.3.4.2) until a core is to halt: while one works, there are none. A line, or the only message, costs a
// read, and is masked by hand when it finds a core at work. Interrupts for sent frames are asked for when the
// ring is full, and only then.
#include "advanced.h"

#include <baremetal/error.h>
#include <baremetal/log.h>

// --- Handlers ---

static uint32_t causes_line(const struct advanced *self)
{
    return self->family->causes_frames | self->family->cause_link;
}

// The line, or the only message: reading the causes acknowledges them (section 8.8.1). Another device of the
// same line finds none; one that is gone reads as all ones.
static void causes_interrupt(void *arg)
{
    struct advanced *self = arg;
    const struct advanced_family *family = self->family;
    uint32_t causes = advanced_read(self, family->causes_get);
    if (!causes)
        return;
    atomic_store_explicit(&self->heard, true, memory_order_relaxed);
    if (causes & family->cause_link)
        atomic_store_explicit(&self->link_event, true, memory_order_relaxed);
    if (atomic_load_explicit(&self->armed, memory_order_relaxed))
        return;
    advanced_write(self, family->causes_clear, UINT32_MAX);
    atomic_store(&self->masked, true);
    // A core that has begun to halt meanwhile has seen that, or is seen here.
    if (atomic_load(&self->armed) && atomic_exchange(&self->masked, false))
        advanced_write(self, family->causes_set, causes_line(self));
}

// With a message for each kind nothing has to be read: EIAC clears the causes, EIAM masks the message.
static void frames_interrupt(void *arg)
{
    atomic_store_explicit(&((struct advanced *)arg)->masked, true, memory_order_relaxed);
}

static void other_interrupt(void *arg)
{
    atomic_store_explicit(&((struct advanced *)arg)->link_event, true, memory_order_relaxed);
}

// One message for both.
static void any_interrupt(void *arg)
{
    frames_interrupt(arg);
    other_interrupt(arg);
}

// What was masked is asked for again. What has come meanwhile is looked at afterwards, and is no reason for
// an interrupt.
static void causes_unmask(struct advanced *self)
{
    const struct advanced_family *family = self->family;
    if (self->interrupts == ADVANCED_MESSAGES) {
        advanced_write(self, family->vectors_set, 1 << 0);
        return;
    }
    if (advanced_read(self, family->causes_get) & family->cause_link)
        atomic_store_explicit(&self->link_event, true, memory_order_relaxed);
    advanced_write(self, family->causes_set, causes_line(self));
}

// Whether sent frames are to interrupt, too.
static void sent_ask(struct advanced *self, bool on)
{
    if (self->interrupts == ADVANCED_POLLED || self->sent_interrupts == on)
        return;
    self->sent_interrupts = on;
    if (self->interrupts == ADVANCED_MESSAGES || !self->family->cause_sent)
        self->family->sent_interrupt(self, on);
    else
        advanced_write(self, on ? self->family->causes_set : self->family->causes_clear,
                       self->family->cause_sent);
}

// --- Set-up ---

static int messages_prepare(struct advanced *self)
{
    int count = bm_pci_interrupt_start(self->pci, 2);
    if (count < 0)
        return count;
    bool several = self->pci->msix;
    self->one_message = count == 1;
    self->interrupts = several ? ADVANCED_MESSAGES : ADVANCED_LINE;
    int error = bm_pci_interrupt_set(self->pci, 0,
                                     !several            ? causes_interrupt
                                     : self->one_message ? any_interrupt
                                                         : frames_interrupt,
                                     self);
    return error || !several || self->one_message ? error
                                                  : bm_pci_interrupt_set(self->pci, 1, other_interrupt, self);
}

void bm_advanced_interrupts_prepare(struct advanced *self)
{
    if (self->interrupts != ADVANCED_UNKNOWN)
        return;
    int error = messages_prepare(self);
    if (error == -BM_ENODEV) {
        self->interrupts = ADVANCED_LINE;
        self->has_line = true;
        error = bm_pci_line_set(self->pci, causes_interrupt, self);
    }
    if (!error)
        return;
    self->interrupts = ADVANCED_POLLED;
    bm_log_info(self->pci->device.name, "has no interrupt that could be used: it is polled");
}

void bm_advanced_interrupts_enable(struct advanced *self)
{
    atomic_store(&self->link_event, true);
    atomic_store(&self->masked, false);
    self->sent_interrupts = false;
    if (self->interrupts == ADVANCED_MESSAGES)
        self->family->messages_start(self);
    else if (self->interrupts == ADVANCED_LINE) {
        self->family->line_start(self);
        advanced_write(self, self->family->causes_set, causes_line(self));
    }
}

int bm_advanced_aim(struct bm_netqueue *queue, unsigned core)
{
    struct advanced *self = advanced_of(queue);
    if (self->interrupts == ADVANCED_POLLED)
        return -BM_ENODEV;
    if (self->has_line)
        return bm_pci_line_aim(self->pci, core);
    int error = bm_pci_interrupt_aim(self->pci, 0, core);
    bool one = self->one_message || self->interrupts == ADVANCED_LINE;
    return error || one ? error : bm_pci_interrupt_aim(self->pci, 1, core);
}

// --- The poller ---

// Reads what the device says of itself now and then: whether it is there, its link, what it has dropped.
static void link_look(struct advanced *self)
{
    const struct advanced_family *family = self->family;
    if (self->interrupts == ADVANCED_MESSAGES)
        family->link_acknowledge(self);
    bool up = family->link_read(self);
    uint32_t missed = family->missed_read(self);
    if (advanced_read(self, family->status) == UINT32_MAX) {
        bm_advanced_fail(self, "does not answer any more");
        return;
    }
    self->queue.receive_dropped += missed;
    bm_netdev_link_set(&self->netdev, up);
}

// No frame has left for long: the device is reset, which loses those in its rings, and goes on.
static __attribute__((cold)) void restart(struct advanced *self)
{
    self->stuck_since = 0;
    if (self->restarts++ == RESTARTS_MAX) {
        bm_advanced_fail(self, "sends nothing any more, resets or not");
        return;
    }
    bm_log_warn(self->pci->device.name, "no frame has left for 2 s: it is reset");
    unsigned abandoned = bm_advanced_send_stop(self);
    if (!self->family->reset(self))
        bm_advanced_fail(self, "does not come back from its reset");
    else if (bm_advanced_program(self))
        bm_advanced_interrupts_enable(self);
    bm_advanced_send_start(self, abandoned);
}

// Frames leave at the latest when those before them have. Without a link they wait.
static __attribute__((cold)) void stuck_look(struct advanced *self)
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
static __attribute__((cold)) bool abandon(struct advanced *self)
{
    unsigned abandoned = bm_advanced_send_stop(self);
    bm_advanced_send_start(self, abandoned);
    bm_netdev_link_set(&self->netdev, false);
    return bm_advanced_receive_abandon(self) || abandoned;
}

static bool advanced_poll(void *arg)
{
    struct advanced *self = arg;
    if (__builtin_expect(self->broken, 0))
        return abandon(self);
    if (atomic_load_explicit(&self->armed, memory_order_relaxed))
        atomic_store_explicit(&self->armed, false, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&self->link_event, memory_order_relaxed), 0)) {
        atomic_store(&self->link_event, false);
        link_look(self);
    }
    bool worked = bm_advanced_send_ready(self) && bm_advanced_reclaim(self);
    worked |= bm_advanced_receive(self);
    if (__builtin_expect(self->stuck_since || self->send.full, 0))
        stuck_look(self);
    return worked || self->broken;
}

// Before a core halts.
static bool advanced_arm(void *arg)
{
    struct advanced *self = arg;
    if (self->broken)
        return false;
    uint64_t now = bm_time_monotonic();
    if (now >= self->look_at) {
        self->look_at = now + LOOK_INTERVAL;
        atomic_store(&self->link_event, true);
    }
    atomic_store(&self->armed, true); // an interrupt from here on is no longer masked
    if (atomic_exchange(&self->masked, false) && self->interrupts != ADVANCED_POLLED)
        causes_unmask(self);
    bm_spinlock_acquire(&self->lock);
    bool full = self->send.full;
    if (self->send.first != self->send.rung && !self->stuck_since)
        self->stuck_since = now;
    bm_spinlock_release(&self->lock);
    sent_ask(self, full);
    return bm_advanced_receive_ready(self) || (full && bm_advanced_send_ready(self)) ||
           atomic_load_explicit(&self->link_event, memory_order_relaxed);
}

// Once a second in any case; one without interrupts, or with a line that nothing has come by yet, often: what
// the firmware says of lines need not be so.
static uint64_t advanced_deadline(void *arg)
{
    struct advanced *self = arg;
    if (self->broken)
        return UINT64_MAX;
    if (self->interrupts == ADVANCED_POLLED || (self->has_line && !self->heard))
        return bm_time_monotonic() + POLL_INTERVAL;
    uint64_t stuck = self->stuck_since ? self->stuck_since + STUCK_MAX + 1 : UINT64_MAX;
    return stuck < self->look_at ? stuck : self->look_at;
}

void bm_advanced_poll_prepare(struct advanced *self)
{
    self->queue.poller = (struct bm_poller){.name = self->family->name,
                                            .poll = advanced_poll,
                                            .arm = advanced_arm,
                                            .deadline = advanced_deadline,
                                            .arg = self};
}
