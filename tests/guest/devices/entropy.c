// getentropy() fills, refuses too much, never repeats; without an entropy source the kernel says so loudly.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link virtio_rng virtio_legacy
// @run instruction
// @cpus max
// @forbid (?i)warning:.*(random|entropy)
// @run device
// @cpus Nehalem
// @device virtio-rng-pci,disable-legacy=on
// @forbid (?i)warning:.*(random|entropy)
// @run device before virtio 1.0
// @cpus Nehalem
// @device virtio-rng-pci,disable-modern=on,disable-legacy=off
// @forbid (?i)warning:.*(random|entropy|polled)
// @run memory-mapped device
// @machines microvm microvm-noacpi
// @cpus Nehalem
// @device virtio-rng-device
// @forbid (?i)warning:.*(random|entropy|polled)
// @run two devices that claim one interrupt
// @machines microvm-noacpi
// @append virtio_mmio.device=512@0xfeb00e00:9 virtio_mmio.device=512@0xfeb00c00:9
// @device virtio-rng-device
// @device virtio-rng-device
// @expect ^warning: virtio feb00c00: has no interrupts of its own
// @forbid virtio feb00e00
// @run none
// @cpus Nehalem
// @expect (?i)^warning: .*entropy
// @expect ^not ready$

#include <baremetal/random.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    unsigned char first[256], second[256];
    memset(first, 0, sizeof(first));
    CHECK(getentropy(first, sizeof(first)) == 0);
    CHECK(getentropy(second, sizeof(second)) == 0);
    CHECK(memcmp(first, second, sizeof(first)) != 0);
    unsigned ones = 0;
    for (unsigned i = 0; i < sizeof(first); i++) {
        ones += (unsigned)__builtin_popcount(first[i]);
    }
    CHECK(ones > 800 && ones < 1248); // 1024 expected, deviation 22.6: ten deviations
    CHECK(getentropy(first, 0) == 0);
    static unsigned char large[257];
    CHECK_ERRNO(getentropy(large, sizeof(large)), EIO);
    puts(bm_random_ready() ? "ready" : "not ready");
    return passed();
}
