// What is carried in the EFI file: a header and the image, checked before a byte of it is used.
// SPDX-License-Identifier: MIT
//
// All functions here only read the bytes that they are given, and are tested and fuzzed on the host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BM_PAYLOAD_SECTION ".bmimage" // name of the section of the EFI file; 8 bytes without a NUL
#define BM_PAYLOAD_MAGIC   "BMIMAGE1"

enum { BM_PAYLOAD_SEGMENTS_MAX = 16, BM_PAYLOAD_REASON_MAX = 160 };

// Stands at the section's beginning, the ELF file follows. Written by make-efi. CRCs are those of ISO
// 3309 (as in zlib, PNG and UEFI).
struct bm_payload_header {
    char magic[8];
    uint32_t header_crc; // of the header with 0 here
    uint32_t image_crc;
    uint64_t image_size; // bytes
    // Link addresses of the lists of what depends on the place: RELR (as in ELF's gABI) and RELA.
    uint64_t relr_begin, relr_end, rela_begin, rela_end;
    uint64_t flags; // of enum bm_payload_flag
};

enum bm_payload_flag {
    // The image has a command line of its own, the only one that counts under Secure Boot.
    BM_PAYLOAD_CLOSED = 1
};

struct bm_payload_segment {
    uint64_t offset, file_size; // in the ELF file
    uint64_t physical, memory_size;
};

// Where the image wants to be and how it is entered.
struct bm_payload {
    const uint8_t *elf;
    struct bm_payload_header header;
    uint64_t begin, end; // physical, whole pages: all segments lie within
    uint32_t entry;      // physical, for the Multiboot2 machine state
    uint32_t segment_count;
    struct bm_payload_segment segments[BM_PAYLOAD_SEGMENTS_MAX];
};

// CRC-32 of `size` bytes.
uint32_t bm_payload_crc(const void *bytes, uint64_t size);

// Finds the section in an EFI file as the firmware has loaded it: `size` bytes at `base`. NULL when there is
// none.
const uint8_t *bm_payload_find(const uint8_t *base, uint64_t size, uint64_t *section_size);

// Checks `size` bytes and fills *payload. On false, `reason` says in a readable sentence what is wrong.
bool bm_payload_read(struct bm_payload *payload, const uint8_t *bytes, uint64_t size,
                     char reason[BM_PAYLOAD_REASON_MAX]);

// Copies the segments to `memory`, which stands for [begin, end), and clears the rest of it.
void bm_payload_load(const struct bm_payload *payload, uint8_t *memory);

// Changes the image in `memory`, which stands for [begin, end), so that it may run at `to` instead. The image
// then relocates itself from there, so the lists change, too. `fixups` are the offsets of the 32-bit
// addresses that no list has. False when a list leads out of the image.
bool bm_payload_relocate(const struct bm_payload *payload, uint8_t *memory, uint64_t to,
                         const uint32_t *fixups, uint32_t fixup_count);
