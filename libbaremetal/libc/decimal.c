// Exact conversion between binary floating-point numbers and decimal digits.
// SPDX-License-Identifier: MIT
//
// Printing: the number stands in groups of nine decimal digits, three or more before the point; multiplying
// or dividing it by 2, a few bits at a time, brings its exponent to zero. Reading: the digits are one large
// binary number, which is multiplied or divided by 5^13 until no power of ten is left. Both keep every bit.
// Their work space grows with the exponent: 40 bytes for 0.1, 8 KiB for the smallest long double.
#include "decimal.h"

#include <string.h>

enum { GROUP = 1000000000, GROUP_DIGITS = 9, MANTISSA_BITS = 64, BIAS = 16383, INFINITE = 0x7fff };

union extended {
    long double value;
    struct {
        uint64_t mantissa;
        uint16_t exponent;
    } part;
};

struct bm_decimal_parts bm_decimal_split(long double value)
{
    union extended bits = {.value = value};
    int exponent = bits.part.exponent & 0x7fff;
    struct bm_decimal_parts parts = {bits.part.mantissa,
                                     (exponent ? exponent : 1) - BIAS - (MANTISSA_BITS - 1)};
    while (parts.exponent < 0 && parts.mantissa && !(parts.mantissa & 1)) {
        parts.mantissa >>= 1;
        parts.exponent++;
    }
    return parts;
}

// Groups before the decimal point, and behind it.
static int groups_before(int exponent)
{
    return exponent > 0 ? (MANTISSA_BITS + exponent) / 29 + 1 : 3;
}

static int groups_behind(int exponent)
{
    return exponent < 0 ? (GROUP_DIGITS - 1 - exponent) / GROUP_DIGITS : 0;
}

unsigned bm_decimal_room(struct bm_decimal_parts number, int count, bool fixed)
{
    const int before = GROUP_DIGITS * groups_before(number.exponent);
    const int all = before + GROUP_DIGITS * groups_behind(number.exponent);
    return (unsigned)(count > all                     ? all
                      : fixed && count + before < all ? count + before
                      : fixed                         ? all
                                                      : count) +
           1;
}

// Fills the groups; returns the first that is not zero. The point stands before group[before].
static int groups_fill(struct bm_decimal_parts number, uint32_t *group, int before)
{
    int first = before - 3, last = before;
    memset(group, 0, (size_t)before * sizeof *group);
    for (int i = before - 1; i >= first; i--, number.mantissa /= GROUP)
        group[i] = (uint32_t)(number.mantissa % GROUP);
    for (int left = number.exponent; left > 0; left -= 29) {
        uint64_t carry = 0;
        for (int i = before - 1; i >= first || carry; i--) {
            const uint64_t product = ((uint64_t)group[i] << (left < 29 ? left : 29)) + carry;
            group[i] = (uint32_t)(product % GROUP);
            carry = product / GROUP;
            if (i < first)
                first = i;
        }
    }
    for (int left = -number.exponent; left > 0; left -= GROUP_DIGITS) {
        const int shift = left < GROUP_DIGITS ? left : GROUP_DIGITS;
        uint32_t carry = 0;
        for (int i = first; i < last; i++) {
            const uint32_t old = group[i];
            group[i] = (old >> shift) + carry;
            carry = (old & ((1u << shift) - 1)) * ((uint32_t)GROUP >> shift);
        }
        group[last++] = carry;
    }
    while (!group[first])
        first++;
    return first;
}

// Adds one to the last digit; returns how many digits there are then. *exponent grows when the first was a
// nine.
static int round_up(char *digits, int count, int *exponent)
{
    int i = count;
    while (i > 0 && digits[i - 1] == '9')
        digits[--i] = '0';
    if (i > 0) {
        digits[i - 1]++;
        return count;
    }
    digits[0] = '1';
    ++*exponent;
    return count ? count : 1;
}

int bm_decimal_digits(struct bm_decimal_parts number, int count, bool fixed, char *digits, int *exponent)
{
    const int before = groups_before(number.exponent), all = before + groups_behind(number.exponent);
    uint32_t *group = __builtin_alloca((size_t)all * sizeof *group);
    *exponent = 0;
    digits[0] = '0';
    if (!number.mantissa)
        return 1;
    const int first = groups_fill(number, group, before);
    int got = 0, next = -1;
    bool more = false;
    for (int i = first; i < all; i++) {
        char text[GROUP_DIGITS];
        for (int k = GROUP_DIGITS - 1; k >= 0; k--, group[i] /= 10)
            text[k] = (char)('0' + group[i] % 10);
        int k = 0;
        if (i == first) {
            while (text[k] == '0')
                k++;
            *exponent = (before - first) * GROUP_DIGITS - 1 - k;
            if (fixed) // a count near INT_MAX needs no exactness, there are no such digits
                count = count > INT32_MAX / 2 ? count : count + *exponent + 1;
        }
        for (; k < GROUP_DIGITS; k++) {
            if (got < count)
                digits[got++] = text[k];
            else if (next < 0)
                next = text[k] - '0';
            else
                more |= text[k] != '0';
        }
    }
    if (count >= 0 && (next > 5 || (next == 5 && (more || (got && digits[got - 1] & 1)))))
        return round_up(digits, got, exponent);
    return got;
}

// word[used] = word * factor + digit; returns how many words it has then.
static int multiply(uint32_t *word, int used, uint32_t factor, uint32_t carry)
{
    for (int i = 0; i < used; i++) {
        const uint64_t product = (uint64_t)word[i] * factor + carry;
        word[i] = (uint32_t)product;
        carry = (uint32_t)(product >> 32);
    }
    if (carry)
        word[used++] = carry;
    return used;
}

// word[used] /= divisor; returns whether there was a remainder.
static bool divide(uint32_t *word, int used, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = used - 1; i >= 0; i--) {
        rest = rest << 32 | word[i];
        word[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return rest != 0;
}

void bm_decimal_append(struct bm_decimal_number *number, unsigned base, unsigned digit)
{
    if (number->used < BM_DECIMAL_WORDS && !number->dropped) {
        number->used = multiply(number->word, number->used, base, digit);
        return;
    }
    number->dropped++;
    number->inexact |= digit != 0;
}

// The 64 bits from bit `from` on.
static uint64_t bits_from(const uint32_t *word, int used, int from)
{
    uint64_t bits = 0;
    for (int i = 2; i >= 0; i--) {
        const int at = from / 32 + i, shift = 32 * i - from % 32;
        const uint64_t here = at < used ? word[at] : 0;
        bits |= shift >= 0 ? (shift < 64 ? here << shift : 0) : here >> -shift;
    }
    return bits;
}

static bool any_below(const uint32_t *word, int used, int bit)
{
    for (int i = 0; i < used && 32 * i < bit; i++)
        if (word[i] << (bit - 32 * i >= 32 ? 0 : 32 - (bit - 32 * i)))
            return true;
    return false;
}

static long double compose(uint64_t mantissa, int exponent)
{
    if (!mantissa)
        return 0;
    const int shift = __builtin_clzll(mantissa);
    int biased = exponent - shift + MANTISSA_BITS - 1 + BIAS;
    mantissa <<= shift;
    if (biased >= INFINITE)
        return __builtin_infl();
    if (biased < 1) {
        mantissa >>= 1 - biased;
        biased = 0;
    }
    return (union extended){.part = {mantissa, (uint16_t)biased}}.value;
}

// word * 2^two, rounded. `inexact`: and a little more.
static long double round_to(const uint32_t *word, int used, int two, bool inexact, int bits, int min)
{
    const int length = 32 * used - __builtin_clz(word[used - 1]);
    int unit = two + length - bits;
    if (unit < min)
        unit = min;
    const int drop = unit - two;
    if (drop <= 0)
        return compose(bits_from(word, used, 0), two);
    if (drop > length)
        return 0;
    uint64_t mantissa = bits_from(word, used, drop);
    const bool half = bits_from(word, used, drop - 1) & 1;
    if (half && (mantissa & 1 || inexact || any_below(word, used, drop - 1)) && ++mantissa == 0)
        return compose((uint64_t)1 << 63, unit + 1);
    return compose(mantissa, unit);
}

long double bm_decimal_value(const struct bm_decimal_number *number, int ten, int two, int bits, int min)
{
    enum { FIVES = 13, FIVE_13 = 1220703125, FAR = 12000 };
    if (!number->used)
        return 0;
    if (ten < -FAR || two < -4 * FAR) // farther than all digits reach
        return 0;
    if (ten > FAR || two > 4 * FAR)
        return __builtin_infl();
    // 5^13 has 31 bits. Before a division comes room for 66 bits of the quotient.
    const int shift = ten < 0 ? -ten * 73 / 1000 + 4 : 0;
    int used = number->used + shift;
    const int room = used + (ten > 0 ? ten / FIVES + 2 : 0);
    uint32_t *word = __builtin_alloca((size_t)room * sizeof *word);
    bool inexact = number->inexact;
    memset(word, 0, (size_t)shift * sizeof *word);
    memcpy(word + shift, number->word, (size_t)number->used * sizeof *word);
    for (int left = ten < 0 ? -ten : ten; left > 0; left -= FIVES) {
        uint32_t factor = FIVE_13;
        if (left < FIVES)
            for (factor = 1; left > 0; left--)
                factor *= 5;
        if (ten > 0)
            used = multiply(word, used, factor, 0);
        else
            inexact |= divide(word, used, factor);
        while (!word[used - 1])
            used--;
    }
    return round_to(word, used, two + ten - 32 * shift, inexact, bits, min);
}
