// Reference counters of known frequency: HPET, ACPI PM timer, PIT channel 2.
// SPDX-License-Identifier: MIT
#include "time.h"

#include <baremetal/acpi.h>
#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <stdatomic.h>
#include <stddef.h>

enum { PROGRESS_TRIES = 10000 }; // reads in which a running counter must have moved

// HPET: IA-PC HPET specification 1.0a, section 2.3 (registers) and 3.2.4 (ACPI table).
enum {
    HPET_PERIOD = 4 / 4, // in units of 32 bits
    HPET_CONFIGURATION = 0x10 / 4,
    HPET_COUNTER = 0xf0 / 4,
    HPET_ENABLE = 1,
    HPET_PERIOD_MAX = 100000000, // femtoseconds
    HPET_SIZE = 0x400
};
struct hpet_table {
    struct bm_acpi_header header;
    uint32_t block_id;
    uint8_t space, width, offset, access; // generic address structure, ACPI 6.4 section 5.2.3.2
    uint64_t address;
} __attribute__((packed));

enum { PM_TIMER_HZ = 3579545 }; // ACPI 6.4 section 4.8.3.3

// PIT channel 2 counts without an interrupt, and nothing else uses it (Intel 8254 data sheet).
enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_COMMAND_LATCH_2 = 0x80,
    PIT_COMMAND_RATE_2 = 0xb4, // low byte, then high byte; mode 2: counts down and starts over
    PIT_GATE = 0x61,           // bit 0 lets channel 2 count, bit 1 is the loudspeaker
};

static volatile uint32_t *hpet;
static uint16_t pm_timer_port;
static struct bm_counter counter;

static uint32_t hpet_read(void)
{
    return hpet[HPET_COUNTER];
}

static uint32_t pm_timer_read(void)
{
    return bm_port_in32(pm_timer_port);
}

// Three accesses that belong together: callers are serialised by bm_counter_read.
static uint32_t pit_read(void)
{
    bm_port_out8(PIT_COMMAND, PIT_COMMAND_LATCH_2);
    uint32_t low = bm_port_in8(PIT_CHANNEL_2);
    uint32_t high = bm_port_in8(PIT_CHANNEL_2);
    return 0u - (high << 8 | low); // it counts down
}

static bool progresses(uint32_t (*read)(void), uint32_t mask)
{
    uint32_t first = read();
    for (unsigned i = 0; i < PROGRESS_TRIES; i++)
        if ((read() ^ first) & mask)
            return true;
    return false;
}

static struct bm_counter *use(const char *name, uint32_t (*read)(void), uint32_t mask, uint64_t ratio)
{
    if (!progresses(read, mask)) {
        bm_log_warn("time", "the %s does not count; it is not used", name);
        return NULL;
    }
    counter.name = name;
    counter.ratio = ratio;
    counter.wrap = bm_ratio_apply(mask, ratio);
    counter.read = read;
    counter.mask = mask;
    atomic_store(&counter.total, read() & mask);
    return &counter;
}

static struct bm_counter *hpet_start(void)
{
    const struct hpet_table *table = (const void *)bm_acpi_find("HPET", 0);
    if (!table || table->header.length < sizeof *table || table->space != 0 || !table->address)
        return NULL;
    hpet = bm_memory_map_device(table->address, HPET_SIZE, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    if (!hpet)
        return NULL;
    uint32_t period = hpet[HPET_PERIOD]; // femtoseconds
    if (period == 0 || period > HPET_PERIOD_MAX) {
        bm_log_warn("time", "hpet: impossible period of %u fs; it is not used", period);
        return NULL;
    }
    hpet[HPET_CONFIGURATION] |= HPET_ENABLE;
    return use("hpet", hpet_read, UINT32_MAX, bm_ratio_make(period, 1000000));
}

static struct bm_counter *pm_timer_start(void)
{
    unsigned bits;
    if (bm_acpi_pm_timer(&pm_timer_port, &bits))
        return NULL;
    return use("pmtimer", pm_timer_read, bits >= 32 ? UINT32_MAX : 0xffffff,
               bm_ratio_make(1000000000, PM_TIMER_HZ));
}

static struct bm_counter *pit_start(void)
{
    bm_port_out8(PIT_GATE, (uint8_t)((bm_port_in8(PIT_GATE) & ~3) | 1));
    bm_port_out8(PIT_COMMAND, PIT_COMMAND_RATE_2);
    bm_port_out8(PIT_CHANNEL_2, 0); // 65536
    bm_port_out8(PIT_CHANNEL_2, 0);
    if (!progresses(pit_read, 0xffff)) // machines without a PIT are common: no warning
        return NULL;
    return use("pit", pit_read, 0xffff, bm_ratio_make(1000000000, PIT_HZ));
}

struct bm_counter *bm_counter_start(void)
{
    struct bm_counter *found = hpet_start();
    if (!found)
        found = pm_timer_start();
    return found ? found : pit_start();
}

uint64_t bm_counter_read(struct bm_counter *source)
{
    static atomic_uint busy;
    // Two cores that read at once need no reading each; a handler that interrupted the reader must not wait
    // for it.
    if (atomic_exchange_explicit(&busy, 1, memory_order_acquire))
        return atomic_load(&source->total);
    uint64_t total = atomic_load(&source->total);
    total += (source->read() - (uint32_t)total) & source->mask;
    atomic_store(&source->total, total);
    atomic_store_explicit(&busy, 0, memory_order_release);
    return total;
}
