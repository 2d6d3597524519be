// When vmxnet3 is looked at: poller, interrupts, events, and the reset of one that is stuck.
// SPDX-License-Identifier: MIT
//
// The device masks an interrupt when it raises it: one comes, and the next when it has been asked for, which
// is a write of a register, before a core halts. Messages: the first for frames that come and events, the
// second, masked as a rule, for frames that have left, when the ring was full.
#include "vmxnet3.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

// --- Handlers ---

static void message_interrupt(void *arg)
{
    atomic_store_explicit(&((struct vmxnet3 *)arg)->masked, true, memory_order_relaxed);
}

// Another device of the same line finds nothing; reading lowers the line.
static void line_interrupt(void *arg)
{
    struct vmxnet3 *self = arg;
    uint32_t causes = vmxnet3_read(self, CAUSES);
    if (!causes || causes == UINT32_MAX)
        return;
    atomic_store_explicit(&self->heard, true, memory_order_relaxed);
    atomic_store_explicit(&self->masked, true, memory_order_relaxed);
}

// --- Set-up ---

static int messages_prepare(struct vmxnet3 *self)
{
    int count = bm_pci_interrupt_start(self->pci, 2);
    if (count < 0)
        return count;
    int error = bm_pci_interrupt_set(self->pci, 0, message_interrupt, self);
    if (!error && count > 1) {
        error = bm_pci_interrupt_set(self->pci, 1, NULL, NULL);
        self->send_interrupt = 1;
    }
    self->interrupts = VMXNET3_MESSAGES;
    return error;
}

void bm_vmxnet3_interrupts_prepare(struct vmxnet3 *self)
{
    if (self->interrupts != VMXNET3_UNKNOWN)
        return;
    int error = messages_prepare(self);
    if (error == -BM_ENODEV) {
        self->interrupts = VMXNET3_LINE;
        error = bm_pci_line_set(self->pci, line_interrupt, self);
    }
    if (!error)
        return;
    self->interrupts = VMXNET3_POLLED;
    self->send_interrupt = 0;
    bm_log_info(self->pci->device.name, "has no interrupt that could be used: it is polled");
}

int bm_vmxnet3_aim(struct bm_netqueue *queue, unsigned core)
{
    struct vmxnet3 *self = vmxnet3_of(queue);
    if (self->interrupts == VMXNET3_POLLED)
        return -BM_ENODEV;
    if (self->interrupts == VMXNET3_LINE)
        return bm_pci_line_aim(self->pci, core);
    int error = bm_pci_interrupt_aim(self->pci, 0, core);
    return error || !self->send_interrupt ? error : bm_pci_interrupt_aim(self->pci, 1, core);
}

static void unmask(struct vmxnet3 *self, unsigned interrupt)
{
    if (self->interrupts != VMXNET3_POLLED)
        vmxnet3_ring(self, INTERRUPT_MASK + 8 * interrupt, 0);
}

// --- The poller ---

// The device has stopped, or no frame has left for long: it is reset, which loses those in its rings, and
// goes on.
static __attribute__((cold)) void restart(struct vmxnet3 *self, const char *why)
{
    self->stuck_since = 0;
    if (self->restarts++ == RESTARTS_MAX) {
        bm_vmxnet3_fail(self, "sends nothing any more, resets or not");
        return;
    }
    bm_log_warn(self->pci->device.name, "%s: it is reset", why);
    unsigned abandoned = bm_vmxnet3_send_stop(self);
    bm_vmxnet3_reset(self);
    if (!bm_vmxnet3_program(self))
        bm_vmxnet3_fail(self, "does not come back from its reset");
    bm_vmxnet3_send_start(self, abandoned);
}

static inline uint32_t events_of(const struct vmxnet3 *self)
{
    return __atomic_load_n(&self->shared->events, __ATOMIC_RELAXED);
}

static __attribute__((cold)) void events_take(struct vmxnet3 *self)
{
    uint32_t events = events_of(self);
    vmxnet3_write(self, EVENTS, events);
    if (events & EVENT_LINK) {
        uint32_t link = bm_vmxnet3_command(self, (uint32_t)COMMAND_LINK);
        if (link == UINT32_MAX) {
            bm_vmxnet3_fail(self, "does not answer any more");
            return;
        }
        bm_netdev_link_set(&self->netdev, link & 1);
    }
    if (events & (EVENT_RECEIVE_ERROR | EVENT_SEND_ERROR))
        restart(self, "a queue has stopped");
}

// Frames leave at the latest when those before them have. Without a link they wait.
static __attribute__((cold)) void stuck_look(struct vmxnet3 *self)
{
    uint64_t now = bm_time_monotonic();
    bm_spinlock_acquire(&self->lock);
    bool waits = self->send.first != self->send.rung && self->netdev.link_up;
    if (!waits || !self->stuck_since)
        self->stuck_since = waits ? now : 0;
    bool stuck = waits && now - self->stuck_since > STUCK_MAX;
    bm_spinlock_release(&self->lock);
    if (stuck)
        restart(self, "no frame has left for 2 s");
}

// The device was switched off: gives the stack and the pool back what it still had.
static __attribute__((cold)) bool abandon(struct vmxnet3 *self)
{
    unsigned abandoned = bm_vmxnet3_send_stop(self);
    bm_vmxnet3_send_start(self, abandoned);
    bm_netdev_link_set(&self->netdev, false);
    return bm_vmxnet3_receive_abandon(self) || abandoned;
}

static bool vmxnet3_poll(void *arg)
{
    struct vmxnet3 *self = arg;
    if (__builtin_expect(self->broken, 0))
        return abandon(self);
    if (__builtin_expect(events_of(self), 0))
        events_take(self);
    bool worked = vmxnet3_completed(&self->send.completions) && bm_vmxnet3_reclaim(self);
    if (__builtin_expect(!self->broken, 1))
        worked |= bm_vmxnet3_receive(self);
    if (__builtin_expect((self->stuck_since || self->send.full) && !self->broken, 0))
        stuck_look(self);
    return worked || self->broken;
}

// Frames that found no buffer are lost in the device, which has to be asked for their number. A number that
// is less than before counts from there.
static __attribute__((cold)) void missed_look(struct vmxnet3 *self, uint64_t now)
{
    self->look_at = now + LOOK_INTERVAL;
    vmxnet3_write(self, COMMAND, (uint32_t)COMMAND_STATISTICS); // it has no answer
    uint64_t missed = __atomic_load_n(&self->queues->receive.missed, __ATOMIC_RELAXED);
    if (missed > self->missed)
        self->queue.receive_dropped += missed - self->missed;
    self->missed = missed;
}

// Before a core halts.
static bool vmxnet3_arm(void *arg)
{
    struct vmxnet3 *self = arg;
    if (self->broken)
        return false;
    uint64_t now = bm_time_monotonic();
    if (now >= self->look_at)
        missed_look(self, now);
    if (atomic_exchange_explicit(&self->masked, false, memory_order_relaxed))
        unmask(self, 0);
    bm_spinlock_acquire(&self->lock);
    bool full = self->send.full;
    if (self->send.first != self->send.rung && !self->stuck_since)
        self->stuck_since = now;
    bm_spinlock_release(&self->lock);
    if (full && self->send_interrupt)
        unmask(self, self->send_interrupt);
    // The wish is with the device before its memory is looked at.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return vmxnet3_completed(&self->receive.completions) || events_of(self) ||
           (full && vmxnet3_completed(&self->send.completions));
}

// One without interrupts, or with a line that nothing has come by yet, is looked at often: what the firmware
// says of lines need not be so.
static uint64_t vmxnet3_deadline(void *arg)
{
    struct vmxnet3 *self = arg;
    if (self->broken)
        return UINT64_MAX;
    if (self->interrupts == VMXNET3_POLLED || (self->interrupts == VMXNET3_LINE && !self->heard))
        return bm_time_monotonic() + POLL_INTERVAL;
    return self->stuck_since ? self->stuck_since + STUCK_MAX + 1 : UINT64_MAX;
}

void bm_vmxnet3_poll_prepare(struct vmxnet3 *self)
{
    self->queue.poller = (struct bm_poller){.name = "vmxnet3",
                                            .poll = vmxnet3_poll,
                                            .arm = vmxnet3_arm,
                                            .deadline = vmxnet3_deadline,
                                            .arg = self};
}
