// The test of net_reset.c with packed rings: streams that outlive resets of the device.
// SPDX-License-Identifier: MIT
// @variants newlib-checked
// @link net virtio_net virtio_net_reset virtio_line virtio_rng virtio_packed
// @script net_reset.py
#include "net_reset.c"
