// Bytes of IP addresses as text, the way RFC 5952 wants it.
// SPDX-License-Identifier: MIT
#include "ip_text.h"

#include <baremetal/log.h>
#include <stdbool.h>
#include <string.h>

enum {
    GROUPS = 8,     // of 16 bits in an IPv6 address
    TEXT_SIZE = 46, // of the longest text and its NUL
};

static unsigned group(const uint8_t *bytes, unsigned index)
{
    return (unsigned)bytes[2 * index] << 8 | bytes[2 * index + 1];
}

// Section 4.2: the longest run of zero groups, the first of equals, becomes "::" if it is longer than one.
// Returns its length, at least 1.
static unsigned zeros_find(const uint8_t *bytes, unsigned *first)
{
    unsigned longest = 1;
    unsigned run = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        run = group(bytes, i) ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            *first = i + 1 - run;
        }
    }
    return longest;
}

char *bm_net_ip_text(const uint8_t *bytes, size_t count, char *text, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char whole[TEXT_SIZE];
    int length = 0;
    unsigned first = GROUPS; // no "::"
    const bool ip4_mapped = count == 16 && !memcmp(bytes, mapped, sizeof mapped);
    const unsigned groups = count == 4 ? 0 : ip4_mapped ? 6 : GROUPS;
    const unsigned zeros = groups ? zeros_find(bytes, &first) : 0;
    for (unsigned i = 0; i < groups; i++) {
        const char *separator = i && i != first + zeros ? ":" : "";
        if (i == first) {
            i += zeros - 1;
            length += bm_format(whole + length, sizeof whole - (size_t)length, "::");
        } else {
            length +=
                bm_format(whole + length, sizeof whole - (size_t)length, "%s%x", separator, group(bytes, i));
        }
    }
    if (groups < GROUPS) // section 5: the last four bytes as IPv4 has them
        length +=
            bm_format(whole + length, sizeof whole - (size_t)length, "%s%u.%u.%u.%u", ip4_mapped ? ":" : "",
                      bytes[count - 4], bytes[count - 3], bytes[count - 2], bytes[count - 1]);
    return (size_t)length < size ? memcpy(text, whole, (size_t)length + 1) : NULL;
}
