// The watchdog of Intel's 6300ESB I/O controller hub: resets a machine none of whose cores takes a timer
// interrupt any more.
// SPDX-License-Identifier: MIT
//
// QEMU: -device i6300esb -action watchdog=reset, and watchdog=10 on the kernel command line
//
// Section numbers are those of Intel's 6300ESB data sheet (300641), chapter "Watchdog timer". The kernel's
// own watchdog tells who holds what for too long, with backtraces; it looks by the cores' timers. This device
// stands behind it: each look reloads the two stages of its timer, which together take twice the time that
// is allowed.
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/pci.h>
#include <baremetal/watchdog.h>
#include <stddef.h>

// Configuration space, section 19.3, and registers in memory, section 19.4.
enum {
    CONFIGURATION = 0x60,
    LOCK = 0x68,
    PRELOAD_1 = 0x00,
    PRELOAD_2 = 0x04,
    RELOAD = 0x0c,
    REGISTERS_SIZE = 0x10
};
enum {
    INTERRUPT_NONE = 3,    // the first stage raises none; prescaler and output are 0: 1 kHz, reset
    LOCK_ENABLE = 1 << 1,  // the timer runs
    RELOAD_NOW = 1 << 8,   // both stages begin again
    TIMED_OUT = 1 << 9,    // the last reset was the watchdog's; written to clear
    PRELOAD_MAX = 0xfffff, // 20 bits
    UNLOCK_1 = 0x80,       // what comes before each write of a register, section 19.5.3
    UNLOCK_2 = 0x86
};
#define SECOND       1000000000ull
#define TICKS_SECOND 1007 // PCI's 33 MHz by 2^15: a stage's units

static volatile uint8_t *registers;

static void unlock(void)
{
    *(volatile uint16_t *)(registers + RELOAD) = UNLOCK_1;
    *(volatile uint16_t *)(registers + RELOAD) = UNLOCK_2;
}

static void reload_write(uint16_t value) // the only register of 16 bits
{
    unlock();
    *(volatile uint16_t *)(registers + RELOAD) = value;
}

static void preload_write(unsigned offset, uint32_t ticks)
{
    unlock();
    *(volatile uint32_t *)(registers + offset) = ticks;
}

// At each look of the kernel's watchdog, in an interrupt handler.
static uint64_t reload(unsigned *core)
{
    (void)core;
    reload_write(RELOAD_NOW);
    return 0;
}

static struct bm_watch watch = {.what = "the hardware watchdog", .held = reload};

static void timer_start(struct bm_pci_device *pci, uint64_t time)
{
    uint64_t ticks = time * TICKS_SECOND / SECOND; // of each stage: twice the time
    if (ticks > PRELOAD_MAX)
        ticks = PRELOAD_MAX;
    bm_pci_write8(pci, LOCK, 0);
    bm_pci_write16(pci, CONFIGURATION, INTERRUPT_NONE);
    preload_write(PRELOAD_1, (uint32_t)ticks);
    preload_write(PRELOAD_2, (uint32_t)ticks);
    reload_write(RELOAD_NOW);
    bm_pci_write8(pci, LOCK, LOCK_ENABLE);
}

static int i6300esb_attach(struct bm_device *device)
{
    struct bm_pci_device *pci = bm_pci_device_of(device);
    if (registers) // a second one stays as it is
        return -BM_ENODEV;
    registers = bm_pci_bar_map(pci, 0, 0, REGISTERS_SIZE);
    if (!registers)
        return -BM_ENODEV;
    bm_pci_enable(pci);
    if (*(volatile uint16_t *)(registers + RELOAD) & TIMED_OUT) {
        bm_log_warn("i6300esb", "the watchdog has reset the machine before this start");
        reload_write(TIMED_OUT);
    }
    bm_watchdog_add(&watch);
    uint64_t time = bm_watchdog_time();
    if (time)
        timer_start(pci, time);
    else
        bm_log_info("i6300esb", "not started: watchdog=SECONDS on the command line starts it");
    return 0;
}

static const struct bm_device_id i6300esb_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x8086, .device = 0x25ab},
    BM_DEVICE_ID_END,
};

BM_DRIVER(i6300esb) = {.name = "i6300esb", .ids = i6300esb_ids, .attach = i6300esb_attach};
