// b_system: its functions by number.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include <baremetal/console.h>
#include <baremetal/core.h>
#include <baremetal/cpu.h>
#include <baremetal/framebuffer.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

enum { MIB = 1 << 20, LINE = 16, MICROSECOND = 1000, RESET_PORT = 0xcf9, RESET_NOW = 0x0e };

static void dump_number(u64 value)
{
    char text[20];
    bm_console_write(text, (size_t)bm_format(text, sizeof text, "%016lX ", (unsigned long)value));
}

static void dump_memory(const uint8_t *memory, u64 size)
{
    for (u64 i = 0; i < size; i++) {
        char text[8];
        bool ends = i % LINE == LINE - 1 || i == size - 1;
        bm_console_write(text, (size_t)bm_format(text, sizeof text, "%02X%s", memory[i], ends ? "\n" : " "));
    }
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

// A function of SMP_SET is a work item, which may wait as well.
static void delay(u64 microseconds)
{
    uint64_t now = bm_time_monotonic();
    u64 max = (UINT64_MAX - 1 - now) / MICROSECOND;
    bm_wait_until(never, NULL, now + (microseconds < max ? microseconds : max) * MICROSECOND);
}

// By the chipset's reset register, else as bm_power_off ends machines that cannot be switched off.
static void reboot(void)
{
    bm_port_out8(RESET_PORT, RESET_NOW);
    bm_power_off(0);
}

static u64 screen_get(u64 function)
{
    const struct bm_framebuffer *screen = bm_exokernel_screen();
    if (!screen)
        return 0;
    switch (function) {
    case SCREEN_LFB_GET:
        return (uintptr_t)screen->bytes;
    case SCREEN_X_GET:
        return screen->width;
    case SCREEN_Y_GET:
        return screen->height;
    case SCREEN_PPSL_GET:
        return screen->pitch / screen->pixel_size;
    default:
        return screen->pixel_size * 8u;
    }
}

static u64 smp(u64 function, u64 var1, u64 var2)
{
    switch (function) {
    case SMP_ID:
        return bm_exokernel_smp_id();
    case SMP_NUMCORES:
        return bm_core_count();
    case SMP_SET:
        return bm_exokernel_smp_set(var1, var2);
    case SMP_GET:
        return bm_exokernel_smp_get();
    case SMP_LOCK:
        bm_exokernel_smp_lock(var1);
        return var1;
    case SMP_UNLOCK:
        bm_exokernel_smp_unlock(var1);
        return var1;
    case SMP_BUSY:
        return bm_exokernel_smp_busy();
    default:
        return var1;
    }
}

static u64 standard_output(u64 function, u64 var1)
{
    static u64 kept;
    if (function == STDOUT_SET)
        kept = var1;
    return kept;
}

// Those without a result.
static void perform(u64 function, u64 var1, u64 var2)
{
    switch (function) {
    case DUMP_MEM:
        dump_memory((const uint8_t *)(uintptr_t)var1, var2);
        break;
    case DUMP_RAX:
        dump_number(var1);
        break;
    case DELAY:
        delay(var1);
        break;
    case REBOOT:
        reboot();
        break;
    case RESET:
    case SHUTDOWN:
        bm_power_off(0);
    }
}

u64 b_system(u64 function, u64 var1, u64 var2)
{
    if (function >= SMP_ID && function <= SMP_BUSY)
        return smp(function, var1, var2);
    if (function >= SCREEN_LFB_GET && function <= SCREEN_BPP_GET)
        return screen_get(function);
    switch (function) {
    case TIMECOUNTER:
        return bm_time_monotonic();
    case FREE_MEMORY:
        return bm_memory_statistics_get().free / MIB;
    case TSC:
        return __builtin_ia32_rdtsc();
    case NET_STATUS:
        return bm_exokernel_net_status(var2);
    case BUS_READ:
        return bm_exokernel_bus_read(var2);
    case BUS_WRITE:
        return bm_exokernel_bus_write(var1, var2);
    case STDOUT_SET:
    case STDOUT_GET:
        return standard_output(function, var1);
    default:
        perform(function, var1, var2);
        return var1;
    }
}
