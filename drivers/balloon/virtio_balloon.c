// The virtio balloon device: memory that the host asks for, and statistics of what there is.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device virtio-balloon-pci,id=b (microvm: virtio-balloon-device), then in its monitor `balloon 128`,
// `info balloon`, and `qom-set /machine/peripheral/b guest-stats-polling-interval 2`.
//
// Section numbers are those of the VIRTIO specification, version 1.2; the balloon device is section 5.5. Page
// poisoning, hints and reports of free pages are not negotiated.
#include "virtio_balloon.h"

#include "../../libbaremetal/base/stack.h"

#include <baremetal/balloon.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/statistics.h>
#include <baremetal/time.h>

enum { INFLATE = 0, DEFLATE = 1, STATISTICS = 2 }; // queues (section 5.5.2)
enum { NUM_PAGES = 0, ACTUAL = 4 };                // offsets in the configuration (section 5.5.4)
enum { RESETS_MAX = 8 };                           // for which the device may ask

static struct virtio_balloon *first;

struct bm_balloon_state bm_balloon_state_get(void)
{
    const struct virtio_balloon *self = first;
    if (!self)
        return (struct bm_balloon_state){0};
    return (struct bm_balloon_state){
        .wanted = __atomic_load_n(&self->wanted, __ATOMIC_RELAXED) * (uint64_t)BM_PAGE_SIZE,
        .held = __atomic_load_n(&self->held, __ATOMIC_RELAXED) * (uint64_t)BM_PAGE_SIZE,
        .returned = bm_virtio_balloon_returned()};
}

static bool balloon_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    static const char *const labels[] = {"wanted", "held"};
    const struct bm_balloon_state state = bm_balloon_state_get();
    (void)statistic;
    if (value->index >= sizeof labels / sizeof *labels)
        return false;
    value->label = labels[value->index];
    value->value = value->index ? state.held : state.wanted;
    return true;
}
BM_STATISTIC(balloon_bytes) = {.name = "balloon_bytes",
                               .help = "Memory that the host wants in the balloon, and what is there.",
                               .split = "state",
                               .kind = BM_STATISTIC_GAUGE,
                               .read = balloon_read};

static bool returned_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    (void)statistic;
    value->value = bm_virtio_balloon_returned();
    return value->index == 0;
}
BM_STATISTIC(balloon_returned_bytes) = {
    .name = "balloon_returned_bytes",
    .help = "Memory that the balloon gave back because there was no other.",
    .kind = BM_STATISTIC_COUNTER,
    .read = returned_read};

// --- Statistics (section 5.5.6.3) ---

// The device keeps the buffer until it wants to know again.
static void statistics_tell(struct virtio_balloon *self)
{
    enum { MEMFREE = 4, MEMTOT = 5, AVAIL = 6 };
    const struct bm_memory_statistics memory = bm_memory_statistics_get();
    struct bm_dma_segment segment = {bm_dma_address(self->values),
                                     VIRTIO_BALLOON_TAGS * (uint32_t)sizeof *self->values};
    uint64_t held = self->held * (uint64_t)BM_PAGE_SIZE;
    self->values[0] = (struct virtio_balloon_statistic){MEMFREE, memory.free};
    self->values[1] = (struct virtio_balloon_statistic){MEMTOT, memory.total - held};
    self->values[2] = (struct virtio_balloon_statistic){AVAIL, memory.free + (self->gives ? held : 0)};
    self->told = bm_virtqueue_add(&self->statistics, &segment, 1, 0, self) == 0;
    bm_virtqueue_kick(&self->statistics);
}

static bool statistics_poll(struct virtio_balloon *self)
{
    struct bm_virtqueue_done done;
    if (!self->told || !bm_virtqueue_take(&self->statistics, &done, 1))
        return false;
    statistics_tell(self);
    return true;
}

// --- The device's wishes ---

static void when_next(struct virtio_balloon *self)
{
    const uint64_t interval = 100000000; // ns, of a device that cannot interrupt
    uint64_t now = bm_time_monotonic();
    self->due = false;
    if (!self->device->interrupts)
        self->next = now + interval;
    else if (self->next <= now)
        self->next = UINT64_MAX;
}

// The device asks for a reset (section 2.1.2). What is in the balloon stays there.
static void reset(struct virtio_balloon *self)
{
    struct bm_virtqueue *queues[] = {&self->inflate, &self->deflate, &self->statistics};
    bm_virtio_balloon_settle(self); // what it has answered still counts
    if (self->device->broken)
        return;
    int error = self->resets++ < RESETS_MAX ? bm_virtio_restart(self->device) : -BM_EIO;
    for (unsigned i = 0; i < 2u + self->tells && !error; i++)
        error = bm_virtqueue_restart(queues[i]);
    if (error) {
        bm_virtio_fail(self->device, "wants one reset too many, or does not come back from it");
        return;
    }
    bm_virtio_ready(self->device);
    self->actual = 0;
    bm_virtio_balloon_again(self);
    if (self->tells)
        statistics_tell(self);
}

// Reads the configuration: something has changed, or it is time to look.
static void look(struct virtio_balloon *self)
{
    uint8_t status = self->device->transport->status_get(self->device);
    if (status == BM_VIRTIO_GONE) {
        bm_virtio_fail(self->device, "is gone");
        return;
    }
    if (status & BM_VIRTIO_NEEDS_RESET)
        reset(self);
    if (self->device->broken)
        return;
    uint32_t wanted = bm_virtio_config_read(self->device, NUM_PAGES, 4);
    if (wanted != self->wanted) {
        __atomic_store_n(&self->wanted, wanted, __ATOMIC_RELAXED);
        self->short_of_memory = false;
        bm_log_debug(self->device->device.name, "the host wants %u pages of memory, and has %u", wanted,
                     self->held);
    }
}

// Says how large the balloon is, once no message is under way that would change it.
static void actual_tell(struct virtio_balloon *self)
{
    if (self->message != VIRTIO_BALLOON_NONE || self->actual == self->held || self->device->broken)
        return;
    self->actual = self->held;
    bm_virtio_config_write(self->device, ACTUAL, 4, self->actual);
}

// --- The poller ---

static bool virtio_balloon_poll(void *arg)
{
    struct virtio_balloon *self = arg;
    bool worked = false;
    bm_stack_ready(BM_STACK_SPACE); // other locks are taken under this one, and it in a page fault
    bm_spinlock_acquire(&self->lock);
    if (!self->device->broken) {
        if (atomic_exchange(&self->device->config_changed, false) || self->due) {
            self->short_of_memory &= !self->due;
            when_next(self);
            look(self);
            worked = true;
        }
        worked |= bm_virtio_balloon_settle(self);
        actual_tell(self);
        worked |= bm_virtio_balloon_step(self);
        worked |= statistics_poll(self);
    }
    if (self->device->broken && !self->over) {
        atomic_store(&bm_virtio_balloon_giver, NULL);
        bm_virtio_balloon_end(self);
        worked = true;
    }
    bm_spinlock_release(&self->lock);
    return worked;
}

static bool virtio_balloon_arm(void *arg)
{
    struct virtio_balloon *self = arg;
    bm_stack_ready(BM_STACK_SPACE); // other locks are taken under this one, and it in a page fault
    bm_spinlock_acquire(&self->lock);
    bool work = self->device->broken ? !self->over : atomic_load(&self->device->config_changed);
    if (!self->device->broken) {
        // Looking at the clock is for cores that have nothing better to do.
        self->due = bm_time_monotonic() >= self->next;
        work |= self->due || (self->message == VIRTIO_BALLOON_NONE && self->actual != self->held);
        if (self->message != VIRTIO_BALLOON_NONE)
            work |= bm_virtqueue_arm(
                self->message == VIRTIO_BALLOON_INFLATE ? &self->inflate : &self->deflate, 1);
        if (self->told)
            work |= bm_virtqueue_arm(&self->statistics, 1);
    }
    bm_spinlock_release(&self->lock);
    return work;
}

static uint64_t virtio_balloon_deadline(void *arg)
{
    const struct virtio_balloon *self = arg;
    if (self->device->broken)
        return UINT64_MAX;
    uint64_t next = __atomic_load_n(&self->next, __ATOMIC_RELAXED);
    bool polled = !self->device->interrupts && self->message != VIRTIO_BALLOON_NONE;
    uint64_t soon = polled ? bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL : UINT64_MAX;
    return next < soon ? next : soon;
}

// --- Start ---

static int virtio_balloon_start(struct virtio_balloon *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error =
            bm_virtio_negotiate(self->device, VIRTIO_BALLOON_F_MUST_TELL_HOST | VIRTIO_BALLOON_F_STATS_VQ |
                                                  VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
    if (error)
        return error;
    self->tells = self->device->features & VIRTIO_BALLOON_F_STATS_VQ;
    self->must_tell = self->device->features & VIRTIO_BALLOON_F_MUST_TELL_HOST;
    self->gives = self->device->features & VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    self->values = bm_memory_permanent(VIRTIO_BALLOON_TAGS * sizeof *self->values, 64);
    bm_virtio_interrupt_start(self->device, 1); // shared by all queues
    error = self->values ? bm_virtqueue_create(&self->inflate, self->device, INFLATE, 1) : -BM_ENOMEM;
    if (!error)
        error = bm_virtqueue_create(&self->deflate, self->device, DEFLATE, 1);
    if (!error && self->tells)
        error = bm_virtqueue_create(&self->statistics, self->device, STATISTICS, 1);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queues");
        return error;
    }
    bm_virtio_ready(self->device);
    if (self->tells)
        statistics_tell(self);
    return 0;
}

static int virtio_balloon_attach(struct bm_device *device)
{
    struct virtio_balloon *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_balloon));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->poller = (struct bm_poller){.name = "virtio_balloon",
                                      .poll = virtio_balloon_poll,
                                      .arm = virtio_balloon_arm,
                                      .deadline = virtio_balloon_deadline,
                                      .arg = self};
    device->state = self;
    if (first) { // a second one could want all that the first one leaves
        bm_log_warn(device->name, "is a second balloon, which is not used");
        return -BM_EBUSY;
    }
    int error = virtio_balloon_start(self);
    if (error)
        return error;
    first = self;
    self->due = true; // the host may have said how much it wants before
    if (self->gives)
        atomic_store(&bm_virtio_balloon_giver, self);
    bm_poller_add(&self->poller);
    return 0;
}

static const struct bm_device_id virtio_balloon_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_BALLOON},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_balloon) = {
    .name = "virtio_balloon", .ids = virtio_balloon_ids, .attach = virtio_balloon_attach};
