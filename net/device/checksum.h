// What a device with checksum offload wants to find in a TCP frame.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// When frame[length] (the headers are in one piece) holds a whole TCP segment over IPv4 or IPv6: writes the
// sum of the pseudo header into the checksum field and says where the device is to sum and store. Otherwise
// leaves *start at 0.
void bm_net_checksum_prepare(unsigned char *frame, unsigned length, uint16_t *start, uint16_t *offset);

// One's complement sum of bytes, folded, not inverted; lwIP's LWIP_CHKSUM.
uint16_t bm_net_checksum_sum(const void *data, int length);
