// A keyed hash for what an attacker must not predict.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t bm_net_siphash(const uint64_t key[2], const void *data, size_t size);
