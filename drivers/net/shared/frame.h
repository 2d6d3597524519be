// What the drivers of network cards do alike with a frame to send: its length, its pieces, its headers.
// SPDX-License-Identifier: MIT
//
// Inline, since every frame passes here, and each driver is compiled by itself.
#pragma once

#include <baremetal/memory.h>
#include <baremetal/netdev.h>

enum {
    TCP_HEADER = 20,                                    // without options
    TCP_CHECKSUM = 16,                                  // where in it the sum is
    UDP_CHECKSUM = 6,                                   //
    FRAME_MIN = 14,                                     // an Ethernet header
    ETHERNET = 18,                                      // … with a VLAN tag
    MTU_DEFAULT = 1500,                                 //
    FRAME_ROOM = BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET // of a receive buffer
};

static inline uint32_t frame_length(const struct bm_netdev_frame *frame)
{
    uint32_t length = 0;
    for (unsigned i = 0; i < frame->segment_count; i++)
        length += frame->segments[i].length;
    return length;
}

// How many of the `left` bytes at `data` (at least one) lie behind each other in physical memory, at most
// `max` (a multiple of the page), and where; 0: that is no memory.
static inline uint32_t frame_piece(const unsigned char *data, uint32_t left, uint32_t max, uint64_t *address)
{
    uint32_t piece = BM_PAGE_SIZE - (uintptr_t)data % BM_PAGE_SIZE;
    *address = bm_dma_address(data);
    if (__builtin_expect(*address == BM_DMA_NONE, 0))
        return 0;
    while (piece < left && piece + BM_PAGE_SIZE <= max && bm_dma_address(data + piece) == *address + piece)
        piece += BM_PAGE_SIZE;
    return piece < left ? piece : left;
}

// Copies the frame's bytes from `skip` on, as many as there are up to `max`; returns how many.
static inline unsigned frame_copy(const struct bm_netdev_frame *frame, uint32_t skip, unsigned char *target,
                                  unsigned max)
{
    unsigned copied = 0;
    for (unsigned i = 0; i < frame->segment_count && copied < max; i++) {
        uint32_t length = frame->segments[i].length, skipped = skip < length ? skip : length;
        uint32_t piece = length - skipped < max - copied ? length - skipped : max - copied;
        skip -= skipped;
        __builtin_memcpy(target + copied, (const unsigned char *)frame->segments[i].data + skipped, piece);
        copied += piece;
    }
    return copied;
}

// Whether the frame breaks the contract, or wants what the device does not do.
static inline bool frame_is_refused(const struct bm_netdev *netdev, const struct bm_netdev_frame *frame)
{
    uint32_t needed = frame->checksum_start || frame->gso_type ? BM_NETDEV_CHECKSUM_TX : 0;
    if (__builtin_expect(frame->gso_type, 0))
        needed |= frame->gso_type == BM_NETDEV_GSO_TCP4 ? BM_NETDEV_TSO4 : BM_NETDEV_TSO6;
    return !frame->cookie || needed & ~netdev->capabilities ||
           (frame->gso_type && (!frame->checksum_start || !frame->gso_size));
}

// The bytes in front of the IP header.
static inline unsigned frame_ip(const unsigned char *headers)
{
    return headers[12] == 0x81 && headers[13] == 0 ? 18 : 14;
}

static inline void frame_set16(unsigned char *bytes, uint32_t value)
{
    bytes[0] = (unsigned char)(value >> 8);
    bytes[1] = (unsigned char)value;
}

// Makes of the copied headers of a frame what the device takes in front of each segment: no sum of the IPv4
// header, TCP's sum that of a pseudo header without a length, and no length where the device wants none.
// Returns where the IP header begins; 0: it is none.
static inline unsigned frame_segments_prepare(unsigned char *headers, const struct bm_netdev_frame *frame,
                                              bool keeps_length)
{
    unsigned ip = frame_ip(headers);
    bool is_4 = frame->gso_type == BM_NETDEV_GSO_TCP4;
    if (frame->checksum_start < ip + (is_4 ? 20 : 40) || frame->checksum_offset != TCP_CHECKSUM)
        return 0;
    if (is_4)
        frame_set16(headers + ip + 10, 0);
    if (!keeps_length)
        frame_set16(headers + ip + (is_4 ? 2 : 4), 0);
    uint32_t sum = 6; // TCP's number
    for (unsigned i = ip + (is_4 ? 12 : 8), end = ip + (is_4 ? 20 : 40); i < end; i += 2)
        sum += (uint32_t)headers[i] << 8 | headers[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    frame_set16(headers + frame->checksum_start + TCP_CHECKSUM, sum + (sum >> 16));
    return ip;
}
