// The watchdog: a look at what is held or due, by the timer of any core, four times in the time allowed.
// SPDX-License-Identifier: MIT
//
// A computing core is no fault. What counts is that something which others need stays as it is: a lock is
// held since it was taken last, or a device's or protocol's time has come and nobody has looked. Looks are
// counted, not seconds, so that a machine that was paused is not blamed. The core at fault may have its
// interrupts off, so it is asked by an NMI where it is.
#include <baremetal/watchdog.h>

#include "../cpu/apic.h"
#include "../cpu/core.h"
#include "../time/time.h"
#include "halt.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/panic.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <stddef.h>

BM_OPTION(watchdog, "SECONDS[,report]: what is held or due for so long ends the machine, or is reported");

enum { LOOKS = 4, SECONDS_MAX = 3600, ICR_NMI = 4 << 8 | 1 << 14, NMI_VECTOR = 2, SHOWN_MAX = 8 };
enum nmi_state { NOT_ASKED, ASKED, ANSWERED };
#define SECOND      1000000000ul
#define ANSWER_TIME SECOND // of a core that is asked where it is

static struct {
    struct bm_watch *first;
    uint64_t interval;       // between two looks, ns; 0: no watchdog
    bool goes_on;            // after a report
    _Atomic(uint64_t) next;  // look
    _Atomic(unsigned) asked; // core that is to tell where it is
    uint64_t rip, rbp;       // where it is
    struct bm_watch devices;
} dog = {.next = UINT64_MAX, .devices = {.what = "the devices and timers were due", .held = bm_poll_overdue}};

extern const char bm_watchdog_nmi_entry[];
static atomic_uchar nmi[BM_CORES_MAX]; // enum nmi_state, of each core; no bytes of the image

bool bm_watchdog_nmi(uint64_t rip, uint64_t rbp);

// On the core that is asked, by watchdog_nmi.S. False: the NMI is somebody else's.
bool bm_watchdog_nmi(uint64_t rip, uint64_t rbp)
{
    unsigned core = bm_core_id();
    if (nmi[core] != ASKED)
        return false;
    if (dog.asked == core) {
        dog.rip = rip;
        dog.rbp = rbp;
    }
    atomic_store_explicit(&nmi[core], ANSWERED, memory_order_release);
    return true;
}

// A virtual core may be without a real one for long; its NMI then comes when nobody waits for it any more,
// and is still an answer. Until then the core is not asked again.
static bool ask(unsigned core)
{
    if (nmi[core] == ASKED)
        return false;
    dog.asked = core;
    nmi[core] = ASKED;
    bm_apic_send(bm_core_get(core)->apic_id, ICR_NMI);
    uint64_t end = bm_time_monotonic() + ANSWER_TIME;
    while (nmi[core] == ASKED)
        if (bm_time_monotonic() > end)
            return false;
    return true;
}

static void show(unsigned core, uint64_t rip, uint64_t rbp)
{
    char line[48];
    bool known = core == bm_core_id() || ask(core);
    if (core != bm_core_id()) {
        rip = dog.rip;
        rbp = dog.rbp;
    }
    int size = bm_format(line, sizeof line, "core %u%s:\n", core, known ? "" : " does not answer");
    bm_console_write_unlocked(line, (size_t)size);
    if (known)
        bm_backtrace_print(rip, rbp);
}

// Who has it; of all cores, those that do not sleep.
static void report(const struct bm_watch *watch, unsigned core, uint64_t rip, uint64_t rbp)
{
    char line[160];
    int size = bm_format(line, sizeof line, "\n%s: watchdog: %s for %lu s\n",
                         dog.goes_on ? "warning" : "panic", watch->what, dog.interval * LOOKS / SECOND);
    bm_console_write_unlocked(line, (size_t)size);
    for (unsigned i = 0, shown = 0; i < bm_core_arrived() && shown < SHOWN_MAX; i++) {
        if (core == BM_WATCH_ALL_CORES ? atomic_load(&bm_core_get(i)->asleep) && i != bm_core_id()
                                       : i != core)
            continue;
        show(i, rip, rbp);
        shown++;
    }
    if (dog.goes_on)
        return;
    bm_apic_stop_others();
    bm_power_off(BM_POWER_FAULT);
}

static void look(struct bm_watch *watch, uint64_t rip, uint64_t rbp)
{
    unsigned core = BM_WATCH_ALL_CORES;
    uint64_t now = watch->held(&core);
    if (now == 0 || now != watch->last)
        watch->looks = 0;
    else if (++watch->looks == LOOKS)
        report(watch, core, rip, rbp);
    watch->last = now;
}

// In the handler of a core's timer; `rip` and `rbp` are what it interrupted.
static void tick(uint64_t rip, uint64_t rbp)
{
    uint64_t time = bm_time_monotonic(), next = atomic_load(&dog.next);
    if (time < next || !atomic_compare_exchange_strong(&dog.next, &next, time + dog.interval)) {
        bm_timer_also = next; // it may have been somebody else's time
        return;
    }
    bm_timer_also = time + dog.interval;
    for (struct bm_watch *watch = dog.first; watch; watch = watch->next)
        look(watch, rip, rbp);
}

// SECONDS or SECONDS,report. Returns 0 for anything else.
static uint64_t seconds_parse(const char *text, bool *goes_on)
{
    static const char word[] = ",report";
    uint64_t seconds = 0;
    for (; *text >= '0' && *text <= '9' && seconds <= SECONDS_MAX; text++)
        seconds = seconds * 10 + (uint64_t)(*text - '0');
    *goes_on = *text == ',';
    return seconds <= SECONDS_MAX && (!*text || !__builtin_memcmp(text, word, sizeof word)) ? seconds : 0;
}

static void start(void)
{
    char text[16];
    int length = bm_option_get("watchdog", text, sizeof text);
    if (length < 0)
        return;
    uint64_t seconds = length < (int)sizeof text ? seconds_parse(text, &dog.goes_on) : 0;
    if (seconds == 0) {
        bm_log_error("watchdog",
                     "watchdog=%s makes no sense, there is none now: write watchdog=10, which ends the "
                     "machine, or watchdog=10,report, with 1 to %u seconds",
                     text, SECONDS_MAX);
        return;
    }
    bm_interrupt_gate(NMI_VECTOR, bm_watchdog_nmi_entry);
    dog.interval = seconds * SECOND / LOOKS;
    dog.first = &dog.devices;
    bm_timer_also = bm_time_monotonic() + dog.interval;
    atomic_store(&dog.next, bm_timer_also);
    bm_timer_tick = tick;
    bm_timer_arm(UINT64_MAX);
}

void bm_watchdog_add(struct bm_watch *watch)
{
    if (!dog.first)
        start();
    if (!dog.first)
        return;
    watch->next = dog.first;
    dog.first = watch;
}

uint64_t bm_watchdog_time(void)
{
    return dog.interval * LOOKS;
}
