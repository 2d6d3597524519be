// ChaCha20 against RFC 8439, and what the generator promises.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/random/chacha.c
#include "../../libbaremetal/random/random.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// What the generator asks of the kernel.
struct bm_boot_early bm_boot_early_state;
static int warnings;

const struct bm_cpu_features *bm_cpu_features_get(void)
{
    static const struct bm_cpu_features none;
    return &none;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    warnings += level <= BM_LOG_WARN;
}

// RFC 8439 section 2.3.2.
static void block_of_section_2_3_2(void **state)
{
    (void)state;
    static const uint32_t expected[16] = {
        0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
        0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
    };
    uint32_t input[16] = {0}, output[16];
    unsigned char key[32];
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (unsigned char)i;
    memcpy(input + 4, key, sizeof(key));
    input[12] = 1;
    input[13] = 0x09000000;
    input[14] = 0x4a000000;
    bm_chacha_block(input, output);
    assert_memory_equal(output, expected, sizeof(expected));
}

// RFC 8439 appendix A.1, test vectors 1 and 2: key and nonce 0, counter 0 and 1.
static void blocks_of_appendix_a_1(void **state)
{
    (void)state;
    static const unsigned char first[16] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                            0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const unsigned char second[16] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                             0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    uint32_t input[16] = {0}, output[16];
    bm_chacha_block(input, output);
    assert_memory_equal(output, first, sizeof(first));
    input[12] = 1;
    bm_chacha_block(input, output);
    assert_memory_equal(output, second, sizeof(second));
}

// Ready from 256 bits on, and a loud word when there are fewer.
static void readiness(void **state)
{
    (void)state;
    assert_false(bm_random_ready());
    bm_random_add("nothing", "abc", 3, 0);
    bm_random_add("half", "0123456789abcdef", 16, 128);
    assert_false(bm_random_ready());
    warnings = 0;
    bm_random_check();
    assert_int_equal(warnings, 1);
    bm_random_add("half", "0123456789abcdef", 16, 127);
    assert_false(bm_random_ready());
    bm_random_add("bit", "x", 1, 1);
    assert_true(bm_random_ready());
    bm_random_add("far too much", "x", 1, UINT32_MAX);
    assert_true(bm_random_ready());
    warnings = 0;
    bm_random_check();
    assert_int_equal(warnings, 0);
}

// No two words of a long output are equal, also across refills and calls of odd sizes.
static void no_repetition(void **state)
{
    (void)state;
    static uint64_t words[512];
    unsigned char *at = (unsigned char *)words;
    for (size_t left = sizeof(words), size = 1; left; size = size * 3 % 101 + 1) {
        size_t part = size < left ? size : left;
        bm_random_fill(at, part);
        at += part;
        left -= part;
    }
    for (size_t i = 0; i < 512; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(words[i] != words[j]);
}

// Nothing is written beyond the buffer, and every byte of it is.
static void whole_buffer(void **state)
{
    (void)state;
    unsigned char seen[300] = {0}, buffer[302];
    for (int round = 0; round < 8; round++) {
        memset(buffer, 0xee, sizeof(buffer));
        bm_random_fill(buffer + 1, 300);
        assert_int_equal(buffer[0], 0xee);
        assert_int_equal(buffer[301], 0xee);
        for (int i = 0; i < 300; i++)
            seen[i] |= buffer[i + 1] != 0xee;
    }
    for (int i = 0; i < 300; i++)
        assert_true(seen[i]);
}

// A fair coin falls within six standard deviations.
static void balance(void **state)
{
    (void)state;
    int ones = 0;
    for (int i = 0; i < 4096; i++)
        ones += __builtin_popcountll(bm_random_u64());
    assert_in_range(ones, 131072 - 6 * 256, 131072 + 6 * 256);
}

// Two machines from one snapshot give other numbers as soon as what was left of the old ones is handed out.
static void clones_go_apart(void **state)
{
    (void)state;
    enum { LEFT = BUFFER_BLOCKS * BLOCK_WORDS * 4 - KEY_WORDS * 4 };
    unsigned char first[LEFT + 32], second[LEFT + 32];
    bm_random_add("nothing", "x", 1, 0); // the buffer is empty now
    bm_random_u64();
    static unsigned char snapshot[sizeof pool];
    memcpy(snapshot, &pool, sizeof pool);
    bm_random_fill(first, LEFT - 8 + 32);
    memcpy(&pool, snapshot, sizeof pool);
    bm_random_fill(second, LEFT - 8 + 32);
    assert_memory_equal(first, second, LEFT - 8);
    assert_memory_not_equal(first + LEFT - 8, second + LEFT - 8, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_of_section_2_3_2),
        cmocka_unit_test(blocks_of_appendix_a_1),
        cmocka_unit_test(readiness),
        cmocka_unit_test(no_repetition),
        cmocka_unit_test(whole_buffer),
        cmocka_unit_test(balance),
        cmocka_unit_test(clones_go_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
