// The memory balloon: memory that the machine does without, because its host asks for it.
// SPDX-License-Identifier: MIT
//
// Programs that link baremetal::virtio_balloon have one when the host shows such a device. The host says how
// large the balloon shall be, and may change that at any time; the driver fills it with free frames, which
// the host then uses for others, and takes frames out again. What the program has allocated is never touched,
// and a reserve of free memory stays: when the host wants more, it gets the rest once memory becomes free.
//
// What is in the balloon counts as used in bm_memory_statistics_get(). A program that runs out of memory
// while the balloon holds some gets it back when the host allows that (VIRTIO_BALLOON_F_DEFLATE_ON_OOM, QEMU:
// deflate-on-oom=on); otherwise its allocation fails as on a machine that is that much smaller.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The balloon now.
struct bm_balloon_state {
    uint64_t wanted;   // bytes that it shall have, in the host's words
    uint64_t held;     // bytes that it has
    uint64_t returned; // bytes since boot that it gave back because memory ended
};

// Returns the state of the balloon, all zeros without one. Any core, any context.
struct bm_balloon_state bm_balloon_state_get(void);

// Sets how many bytes stay free: the balloon takes no frame that would leave less. Until a program says
// otherwise it is an eighth of the machine's memory, and at least 8 MiB. It holds for what the balloon takes
// from now on: nothing is given back for it. Any core, any context.
void bm_balloon_reserve_set(uint64_t bytes);

#ifdef __cplusplus
}
#endif
