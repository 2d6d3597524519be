// The command line's word for a memory-mapped virtio device, read strictly.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_mmio.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

// Takes a number, decimal or behind 0x. One that starts with a 0 is refused: C calls that octal, people do
// not.
static bool number_take(const char **text, uint64_t *value)
{
    const char *at = *text;
    int base = 10;
    if (at[0] == '0' && (at[1] | 0x20) == 'x') {
        base = 16;
        at += 2;
    } else if (at[0] == '0' && digit_of(at[1]) < 10) {
        return false;
    }
    const char *begin = at;
    *value = 0;
    for (; digit_of(*at) < base; at++)
        if (__builtin_mul_overflow(*value, (uint64_t)base, value) ||
            __builtin_add_overflow(*value, (uint64_t)digit_of(*at), value))
            return false;
    *text = at;
    return at != begin;
}

// … with K, M or G behind it.
static bool size_take(const char **text, uint64_t *value)
{
    if (!number_take(text, value))
        return false;
    char unit = **text | 0x20;
    unsigned shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
    *text += shift != 0;
    return !__builtin_mul_overflow(*value, 1ull << shift, value);
}

static bool sign_take(const char **text, char sign)
{
    if (**text != sign)
        return false;
    ++*text;
    return true;
}

const char *bm_virtio_mmio_word(const char *text, struct virtio_mmio_place *place)
{
    enum { ISA_INTERRUPTS = 16, INTERRUPT_MAX = 1023 };
    uint64_t irq, id;
    *place = (struct virtio_mmio_place){.wired = true};
    if (!size_take(&text, &place->size) || !sign_take(&text, '@') || !size_take(&text, &place->base) ||
        !sign_take(&text, ':') || !number_take(&text, &irq))
        return "is not <size>@<base>:<irq>";
    if (sign_take(&text, ':') && !number_take(&text, &id))
        return "has an id that is no number";
    if (*text)
        return "goes on behind what belongs to it";
    if (irq == 0 || irq > INTERRUPT_MAX)
        return "has an impossible interrupt";
    place->interrupt = (uint32_t)irq;
    place->isa = irq < ISA_INTERRUPTS;
    return bm_virtio_mmio_place_check(place);
}

const char *bm_virtio_mmio_place_check(const struct virtio_mmio_place *place)
{
    enum { PLACE_MIN = 0x104, PLACE_MAX = 1 << 20 }; // registers, then at least a word of configuration
    if (place->size < PLACE_MIN || place->size > PLACE_MAX)
        return "has an impossible size";
    if (place->base == 0 || place->base % 4 || place->base >= 1ull << 52)
        return "has an impossible address";
    return NULL;
}
