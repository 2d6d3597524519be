// The peer: segments as the connection expects them, but for what the script has different.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

enum { PEER_SEGMENT_BYTES = 5 }; // of the script, that say what a segment is like

void peer_reset(const uint8_t options[], const uint8_t numbers[5]); // sequence numbers to start with
void peer_connect(unsigned number); // three segments, when there is no such connection
void peer_segment(unsigned number, const uint8_t script[PEER_SEGMENT_BYTES]);
void peer_burst(unsigned number, unsigned count); // full segments, one after the other
