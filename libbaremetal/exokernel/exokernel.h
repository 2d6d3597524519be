// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include <libBareMetal.h>

#include <stdbool.h>

// smp.c: the functions of that name. SMP_SET's function runs in place of a work item.
u64 bm_exokernel_smp_id(void);
u64 bm_exokernel_smp_set(u64 code, u64 apic_id);
u64 bm_exokernel_smp_get(void);
u64 bm_exokernel_smp_busy(void);
void bm_exokernel_smp_lock(u64 address);
void bm_exokernel_smp_unlock(u64 address);

// screen.c: the first frame buffer of 32 bits a pixel; NULL: there is none.
struct bm_framebuffer;
const struct bm_framebuffer *bm_exokernel_screen(void);
// … shows what the program has drawn, where a screen has to be told; often enough for the eye.
void bm_exokernel_screen_show(void);
// … the page of facts at 0x5000; once.
void bm_exokernel_page_make(void);

// net.c
u64 bm_exokernel_net_status(u64 interface);
// bus.c
u64 bm_exokernel_bus_read(u64 where);
u64 bm_exokernel_bus_write(u64 value, u64 where);
