// TCP's checksum of received frames that the device says nothing about.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// An 8254x verifies sums; the ones that QEMU shows say nothing. Somebody has to sum such a segment up in any
// case, and done here, the stack may take its fast path.
#include "gigabit.h"

enum { IP4_HEADER = 20, IP6_HEADER = 40, PROTOCOL_TCP = 6, FRAGMENT = 0x3fff };

static inline unsigned get16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

// The bytes as words of 16 bits of this machine's order, summed with the carry at the end (RFC 1071 sections
// 1 and 2): it is the same in either order but for the bytes' places.
static uint64_t sum_of(const unsigned char *bytes, unsigned length, uint64_t sum)
{
    uint64_t word;
    for (; length >= sizeof word; bytes += sizeof word, length -= (unsigned)sizeof word) {
        __builtin_memcpy(&word, bytes, sizeof word);
        sum += word;
        sum += sum < word;
    }
    word = 0;
    for (unsigned i = 0; i < length; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    sum += word;
    return sum + (sum < word);
}

// Whether the sum, and with it the checksum, is right: all ones.
static inline bool is_ones(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return sum == UINT16_MAX;
}

// TCP behind an IPv4 header without options, in one packet, or right behind an IPv6 header. All lengths are
// the sender's: they count as far as they lie in the frame.
bool bm_gigabit_sum_is_good(const unsigned char *frame, unsigned length)
{
    const unsigned char *ip = frame + FRAME_MIN;
    unsigned header, size, addresses;
    if (length < FRAME_MIN + IP4_HEADER + TCP_HEADER)
        return false;
    if (get16(frame + 12) == 0x0800 && ip[0] == 0x45 && ip[9] == PROTOCOL_TCP &&
        !(get16(ip + 6) & FRAGMENT)) {
        header = IP4_HEADER;
        addresses = 12;
        size = get16(ip + 2) - IP4_HEADER; // one that is less becomes too large
    } else if (get16(frame + 12) == 0x86dd && ip[0] >> 4 == 6 && ip[6] == PROTOCOL_TCP) {
        header = IP6_HEADER;
        addresses = 8;
        size = get16(ip + 4);
    } else {
        return false;
    }
    if (size < TCP_HEADER || size > length - FRAME_MIN || header + size > length - FRAME_MIN)
        return false;
    uint64_t sum = (uint64_t)PROTOCOL_TCP << 8; // of the pseudo header, in the wire's order
    sum += (uint64_t)(size & 0xff) << 8 | size >> 8;
    return is_ones(sum_of(ip + addresses, header - addresses + size, sum));
}
