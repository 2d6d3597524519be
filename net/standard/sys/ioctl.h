// Requests of lwip_ioctl.
// SPDX-License-Identifier: MIT
#pragma once

#define FIONREAD 0x541b // int *: bytes that can be read
#define FIONBIO  0x5421 // int *: O_NONBLOCK on or off
