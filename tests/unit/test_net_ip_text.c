// The text of IP addresses, against the host's inet_ntop where both follow RFC 5952.
// SPDX-License-Identifier: MIT
// @sources net/start/ip_text.c libbaremetal/base/format.c
#include "../../net/start/ip_text.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const uint8_t *bytes, size_t count)
{
    char ours[INET6_ADDRSTRLEN];
    char theirs[INET6_ADDRSTRLEN];
    assert_ptr_equal(bm_net_ip_text(bytes, count, ours, sizeof ours), ours);
    assert_non_null(inet_ntop(count == 4 ? AF_INET : AF_INET6, bytes, theirs, sizeof theirs));
    assert_string_equal(ours, theirs);

    const size_t length = strlen(ours);
    char *tight = malloc(length + 1); // the sanitizer sees what is written beyond it
    assert_null(bm_net_ip_text(bytes, count, tight, length));
    assert_ptr_equal(bm_net_ip_text(bytes, count, tight, length + 1), tight);
    free(tight);
}

// Every choice of groups that are zero, of one digit, or of four. The host writes ::1.2.3.4 for addresses
// that RFC 4291 took out of use, so those are left to the next test.
static void every_pattern(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 6561; pattern++) { // 3^8
        uint8_t bytes[16] = {0};
        unsigned left = pattern;
        for (unsigned i = 0; i < 8; i++, left /= 3) {
            bytes[2 * i] = left % 3 == 2 ? 0xa0 : 0;
            bytes[2 * i + 1] = left % 3 ? 0x0c : 0;
        }
        static const uint8_t zeros[12];
        if (memcmp(bytes, zeros, sizeof zeros) != 0 || (!bytes[12] && !bytes[13]))
            check(bytes, sizeof bytes);
    }
}

static void rfc5952(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        const char *text;
    } cases[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{[12] = 1, 2, 3, 4}, "::102:304"},
        {{[10] = 0xff, 0xff, 192, 0, 2, 1}, "::ffff:192.0.2.1"},
        {{0x20, 1, 0x0d, 0xb8, [9] = 1, [15] = 1}, "2001:db8::1:0:0:1"},                     // section 4.2.3
        {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"}, // 4.2.2
        {{0x20, 1, [7] = 1, [15] = 1}, "2001:0:0:1::1"}, // 4.2.3: the longest
        {{0xff, 2}, "ff02::"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[INET6_ADDRSTRLEN];
        assert_ptr_equal(bm_net_ip_text(cases[i].bytes, 16, text, sizeof text), text);
        assert_string_equal(text, cases[i].text);
    }
}

static void ip4(void **state)
{
    (void)state;
    check((const uint8_t[]){0, 0, 0, 0}, 4);
    check((const uint8_t[]){127, 0, 0, 1}, 4);
    check((const uint8_t[]){255, 255, 255, 255}, 4);
    check((const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 255, 255, 255, 255}, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern),
        cmocka_unit_test(rfc5952),
        cmocka_unit_test(ip4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
