// The BIOS stage: what its files share. 32-bit C that calls the BIOS in real mode through one gate.
// SPDX-License-Identifier: MIT
#pragma once

#include "layout.h"

#include <stdbool.h>
#include <stdint.h>

// Filled by toolchain/tools/baremetal_tools/disk/payload.py; all numbers little-endian.
struct bm_bios_header {
    uint32_t magic[2];
    uint32_t sector; // where the payload starts on the medium, in units of 512 bytes
    uint32_t reserved;
    uint32_t elf_size;    // bytes
    uint32_t line_size;   // bytes of the command line with its NUL, behind the ELF file; 0: none
    uint32_t content_crc; // CRC-32 of both
    uint32_t entry;       // physical address of the Multiboot2 entry
    uint16_t video_width, video_height; // linear graphics mode to set; 0: stay in text mode
    uint32_t stage_crc;                 // CRC-32 of the stage's second part
    uint32_t balance;                   // makes the sum of the first part's 512 words 0
};
extern struct bm_bios_header bm_bios_header;

// Registers at a BIOS call and after it; the segment registers are 0. In the order that start.S pops and
// pushes them.
struct bm_bios_registers {
    uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
    uint32_t flags; // after the call
};
enum { BM_BIOS_CARRY = 1 };

// start.S
extern struct bm_bios_registers bm_bios_registers;
extern uint8_t bm_bios_drive;
void bm_bios_call(uint32_t vector);
void bm_bios_enter(uint32_t entry, const void *information) __attribute__((noreturn));

// disk.c: the first part of the stage
void bm_bios_print(const char *text);
void bm_bios_fail(const char *text) __attribute__((noreturn)); // "error: boot: " text, and the machine stands
void bm_bios_read(uint32_t offset, uint32_t length, void *to); // of the payload; offset a multiple of 2,048
uint32_t bm_bios_crc(const void *bytes, uint32_t length);

// load.c, a20.c, video.c: the second part
void bm_bios_load(void) __attribute__((noreturn));
void bm_bios_open_a20(void);
uint32_t *
bm_bios_set_video(uint32_t *tag); // appends a Multiboot2 framebuffer tag; returns where the next one goes

static inline void bm_bios_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t bm_bios_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void bm_bios_copy(void *to, const void *from, uint32_t length)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}

static inline void bm_bios_clear(void *to, uint32_t length)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(0) : "memory");
}
