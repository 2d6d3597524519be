// What holds of every connection at any time, whatever a peer has sent.
// SPDX-License-Identifier: MIT
#pragma once

#include "world.h"

// Ends the test where a connection of the pair contradicts itself.
void world_judge(const struct world *world, const struct pair *pair);
// A segment comes to a machine at once, its checksum made right.
void world_segment(struct world *world, int to, uint8_t *bytes, size_t size);
