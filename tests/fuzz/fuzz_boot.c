// Fuzzer of what the loader hands over: PVH, Multiboot2 and Linux's information, memory map, command line.
// SPDX-License-Identifier: MIT
// @sources boot/pvh.c boot/multiboot2.c boot/linux.c boot/map.c libbaremetal/base/words.c
// @max_len 8192
#include "../../boot/protocol.h"
#include "../../libbaremetal/base/words.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The input is physical memory from BASE on; its first byte says which protocol.
enum { BASE = 0x1000 };
static const uint8_t *memory;
static size_t memory_size;

const void *bm_boot_physical(uint64_t physical, uint64_t length)
{
    if (physical < BASE || physical - BASE > memory_size || length > memory_size - (physical - BASE))
        return NULL;
    return memory + (physical - BASE);
}

// What struct bm_boot_info promises of its map.
static void check_map(const struct bm_boot_info *info)
{
    uint64_t ram_end = 0;
    if (info->region_count > BM_BOOT_REGIONS_MAX)
        abort();
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct bm_boot_region *region = &info->regions[i];
        if (!region->length || region->base % 4096 || region->length % 4096 ||
            region->base + region->length < region->base)
            abort();
        if (region->type != BM_BOOT_REGION_RAM || (i && region->base <= ram_end))
            abort(); // something else, or overlaps or touches the RAM before it
        ram_end = region->base + region->length;
    }
}

// Whether every page of the map was RAM in what the firmware said, and nothing else.
static void check_against(const struct bm_boot_info *info, const struct bm_boot_info *said)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        uint64_t begin = info->regions[i].base, end = begin + info->regions[i].length;
        for (uint32_t h = 0; h < said->region_count; h++) {
            const struct bm_boot_region *other = &said->regions[h];
            if (other->type != BM_BOOT_REGION_RAM && other->base < end && other->base + other->length > begin)
                abort();
        }
        const uint64_t pages[] = {begin, end - 4096};
        for (unsigned page = 0; page < 2; page++) {
            bool inside = false;
            for (uint32_t r = 0; r < said->region_count; r++) {
                const struct bm_boot_region *ram = &said->regions[r];
                inside |= ram->type == BM_BOOT_REGION_RAM && ram->base <= pages[page] &&
                          ram->base + ram->length >= pages[page] + 4096;
            }
            if (!inside)
                abort();
        }
    }
}

static void check_words(const char *line)
{
    char value[32];
    for (struct bm_word word; bm_word_next(&line, &word);)
        bm_word_unquote(&word, value, sizeof(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bm_boot_info info;
    if (size < 8)
        return 0;
    memset(&info, 0, sizeof(info));
    uint64_t *copy = malloc(size); // 8-byte aligned, as loaders place it
    if (!copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    memory = (const uint8_t *)copy;
    memory_size = size - 1;
    if (data[0] & 1)
        bm_boot_read_pvh(&info, BASE);
    else if (data[0] & 2)
        bm_boot_read_linux(&info, BASE);
    else
        bm_boot_read_multiboot2(&info, BASE);
    if (memchr(info.command_line, 0, sizeof(info.command_line)) == NULL)
        abort();
    static struct bm_boot_info said;
    said = info;
    bm_boot_map_finish(&info);
    check_map(&info);
    check_against(&info, &said);
    check_words(info.command_line);
    free(copy);
    return 0;
}
