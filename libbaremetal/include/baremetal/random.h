// Random numbers: a CSPRNG seeded from RDSEED, RDRAND, virtio-rng and timing.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Fills buffer with random bytes. Any core, not in interrupt handlers. Before bm_random_ready() the bytes
// come from timing alone: they differ from boot to boot, but a determined attacker may guess them.
void bm_random_fill(void *buffer, size_t size);
uint64_t bm_random_u64(void);

// Whether real entropy (RDSEED, RDRAND or a device) has been mixed in. Any context.
bool bm_random_ready(void);

// Mixes bytes from an entropy source into the pool. `entropy_bits` is how much they are worth at most; from
// 256 on the pool is ready. Any core, not in handlers.
void bm_random_add(const char *source, const void *data, size_t size, unsigned entropy_bits);

#ifdef __cplusplus
}
#endif
