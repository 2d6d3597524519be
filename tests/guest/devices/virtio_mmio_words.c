// Words of the command line that name no device: each is told in one sentence, and boot goes on.
// SPDX-License-Identifier: MIT
// @link virtio_mmio
// @machines q35 microvm-noacpi
// @run wrong words
// @append virtio_mmio.device=1K@1M virtio_mmio.device=01K@1M:5 virtio_mmio.device=1K@1M:5:{x*70}
// @expect ^error: virtio_mmio: virtio_mmio.device=1K@1M is not <size>@<base>:<irq>; the device is left out
// @expect ^error: virtio_mmio: virtio_mmio.device=01K@1M:5 is not <size>
// @expect ^error: virtio_mmio: virtio_mmio.device=1K@1M:5:x+ goes on behind what belongs to it
// @forbid word .* is not known
// @run impossible places
// @append virtio_mmio.device=1K@2M:5 virtio_mmio.device=1K@0xfed1c000:5 virtio_mmio.device=1K@0xfed1c000:6
// @expect ^error: virtio_mmio: the device at 200000 claims to be in RAM$
// @expect ^error: virtio_mmio: the device at fed1c000 has not the registers of a virtio device$
// @forbid fed1c000[^$]*fed1c000
// @run no driver
// @machines microvm microvm-noacpi
// @device virtio-rng-device
// @expect ^warning: virtio [0-9a-f]+: virtio entropy device .* in this image: link baremetal::virtio_rng$

#include "check.h"

int main(void)
{
    return passed();
}
