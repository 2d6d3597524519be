// The screen, and the page of the machine's facts that BareMetal's loader leaves at 0x5000 and programs read.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include "../cpu/core.h"
#include "../space/space.h"

#include <baremetal/framebuffer.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stddef.h>

#define SHOW_PERIOD 16666667ull // ns
enum { PIXEL_SIZE = 4, PAGE = 0x5000, PAGE_SIZE = 4096, ELSEWHERE = 0x10000000 };
// In the page, as Pure64 has it.
enum { FRAME_BUFFER = 0x80, WIDTH = 0x88, HEIGHT = 0x8a, CORES = 0x100, CORES_MAX = (PAGE_SIZE - CORES) / 4 };

const struct bm_framebuffer *bm_exokernel_screen(void)
{
    const struct bm_framebuffer *screen = bm_framebuffer_first();
    while (screen && screen->pixel_size != PIXEL_SIZE)
        screen = screen->next;
    return screen;
}

// Programs draw and say nothing. What they do between two pictures is asking for a key.
void bm_exokernel_screen_show(void)
{
    static _Atomic(uint64_t) next;
    const struct bm_framebuffer *screen = bm_exokernel_screen();
    if (!screen || !screen->show)
        return;
    uint64_t now = bm_time_monotonic();
    if (now < next)
        return;
    next = now + SHOW_PERIOD;
    bm_framebuffer_show(screen, 0, 0, screen->width, screen->height);
}

static void facts_write(uint8_t *page)
{
    const struct bm_framebuffer *screen = bm_exokernel_screen();
    if (screen) {
        uint64_t address = (uintptr_t)screen->bytes;
        uint16_t width = (uint16_t)screen->width, height = (uint16_t)screen->height;
        __builtin_memcpy(page + FRAME_BUFFER, &address, sizeof address);
        __builtin_memcpy(page + WIDTH, &width, sizeof width);
        __builtin_memcpy(page + HEIGHT, &height, sizeof height);
    }
    for (unsigned i = 0; i < bm_core_count() && i < CORES_MAX; i++) {
        uint32_t apic_id = bm_core_get(i)->apic_id;
        __builtin_memcpy(page + CORES + 4 * i, &apic_id, sizeof apic_id);
    }
}

// Behind the drivers, before main.
__attribute__((constructor)) void bm_exokernel_page_make(void)
{
    static bool made;
    if (made)
        return;
    made = true;
    if (bm_space_place(PAGE, ELSEWHERE) == 0 &&
        bm_space_map(PAGE, PAGE_SIZE, BM_SPACE_READ | BM_SPACE_WRITE, true) == PAGE)
        facts_write((uint8_t *)PAGE);
    else
        bm_log_warn("exokernel", "the page at 0x5000 cannot be mapped: programs that read it end in a fault");
}
