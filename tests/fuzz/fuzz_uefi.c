// Fuzzer of what the UEFI loader reads: the image, memory maps, load options, files, device paths.
// SPDX-License-Identifier: MIT
// @sources boot/uefi/payload.c boot/uefi/memory.c boot/uefi/text.c libbaremetal/base/format.c
// @includes boot/uefi
#include "memory.h"
#include "payload.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The image, its checksums made right, so that what lies behind them is reached.
static void read_payload(uint8_t *bytes, size_t size)
{
    struct bm_payload_header header;
    struct bm_payload payload;
    char reason[BM_PAYLOAD_REASON_MAX];
    if (size > sizeof(header)) {
        memcpy(&header, bytes, sizeof(header)); // the lists' addresses are the input's
        memcpy(header.magic, BM_PAYLOAD_MAGIC, 8);
        header.header_crc = 0;
        header.image_size = size - sizeof(header);
        header.image_crc = bm_payload_crc(bytes + sizeof(header), header.image_size);
        header.header_crc = bm_payload_crc(&header, sizeof(header));
        memcpy(bytes, &header, sizeof(header));
    }
    if (!bm_payload_read(&payload, bytes, size, reason))
        return;
    if (payload.begin < 0x100000 || payload.end > 1ull << 32 || payload.begin >= payload.end ||
        payload.entry < payload.begin || payload.entry >= payload.end)
        abort();
    if (payload.end - payload.begin > 16 << 20)
        return;
    uint8_t *memory = malloc(payload.end - payload.begin);
    if (!memory)
        abort();
    bm_payload_load(&payload, memory);
    const uint32_t fixups[] = {24, 120};
    bm_payload_relocate(&payload, memory, 0x40000000, fixups, 2);
    free(memory);
}

static void read_map(const uint8_t *bytes, size_t size)
{
    struct bm_efi_region regions[32];
    struct bm_efi_map map = {bytes, size, 40 + (size ? bytes[0] % 3 * 8 : 0)};
    struct bm_efi_memory_descriptor found;
    unsigned count = bm_efi_map_translate(&map, 0x200000, 0x205000, regions, 32);
    for (unsigned i = 0; i < count; i++)
        if (!regions[i].length || regions[i].base + regions[i].length - 1 < regions[i].base)
            abort();
    if (!bm_efi_map_free(&map, 0x100000, 0x300000, &found) &&
        (found.physical < 0x100000 || !found.pages || found.physical + found.pages * BM_EFI_PAGE > 0x300000))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[BM_EFI_LINE_MAX];
    uint64_t found;
    if (size < 1)
        return 0;
    uint8_t kind = *data++;
    uint8_t *copy = malloc(size); // the end marker of a device path behind the input
    if (!copy)
        abort();
    memcpy(copy, data, --size);
    switch (kind % 5) {
    case 0:
        read_payload(copy, size);
        break;
    case 1:
        read_map(copy, size);
        break;
    case 2:
        if (bm_payload_find(copy, size, &found) && found > size)
            abort();
        break;
    case 3:
        bm_efi_options_read(line, copy, size);
        bm_efi_file_read(line, copy, size);
        break;
    default:
        bm_efi_path_serial(copy, size);
    }
    free(copy);
    return 0;
}
