// A device that no linked driver takes is named in the log, with the target that would drive it.
// SPDX-License-Identifier: MIT
// @link virtio_pci
// @run e1000
// @device e1000,romfile=
// @expect (?i)8086:100e
// @run known driver
// @device virtio-net-pci,romfile=,disable-legacy=on
// @expect baremetal::virtio_net

#include "check.h"

int main(void)
{
    return passed();
}
