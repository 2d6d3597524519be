// The network's memory, from malloc, so that AddressSanitizer sees each object; and received packets.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

void memory_start(void);          // all that is left from before is freed
void memory_fail_after(unsigned); // that many allocations; then one fails
size_t memory_held(void);         // bytes, those of packets included
unsigned memory_objects(void);
void memory_tell(void); // of each object: who made it

// A packet as a driver hands it over, of which nothing may be read behind its end.
struct bm_packet *packet_make(const uint8_t *bytes, unsigned length);
