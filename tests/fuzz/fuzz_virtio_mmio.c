// Fuzzer of the command line's word for a memory-mapped virtio device: any text.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtio_mmio_word.c
// @max_len 64
#include "../../drivers/virtio/virtio_mmio.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virtio_mmio_place place;
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    // What is taken is a place that registers can be at.
    if (!bm_virtio_mmio_word(text, &place) &&
        (place.size < 0x104 || place.base == 0 || place.base % 4 || place.base + place.size < place.base ||
         place.interrupt == 0 || place.interrupt > 1023))
        abort();
    free(text);
    return 0;
}
