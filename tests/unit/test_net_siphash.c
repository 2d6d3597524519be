// SipHash-2-4 against the vectors of its authors (key 00 01 … 0f, messages 00 01 02 … of growing length).
// SPDX-License-Identifier: MIT
// @sources net/tcp/siphash.c
#include "../../net/tcp/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void vectors(void **state)
{
    (void)state;
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const struct {
        unsigned length;
        uint64_t hash;
    } known[] = {{0, 0x726fdb47dd0e0e31},
                 {1, 0x74f839c593dc67fd},
                 {2, 0x0d6c8009d9a94f5a},
                 {3, 0x85676696d7fb7e2d},
                 {15, 0xa129ca6149be45e5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t *message = malloc(known[i].length + 1u);
        for (unsigned k = 0; k < known[i].length; k++)
            message[k] = (uint8_t)k;
        assert_int_equal(bm_net_siphash(key, message, known[i].length), known[i].hash);
        free(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
