// Device control (FIONREAD, FIONBIO, terminal modes).
// SPDX-License-Identifier: MIT
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#define FIONREAD 0x541b // int *: bytes that can be read
#define FIONBIO  0x5421 // int *: O_NONBLOCK on or off
#define TCGETS   0x5401 // struct termios *; tcgetattr
#define TCSETS   0x5402 // tcsetattr: TCSETS + TCSANOW, TCSADRAIN, TCSAFLUSH
#define TCSETSW  0x5403
#define TCSETSF  0x5404

int ioctl(int descriptor, unsigned long request, ...);

#ifdef __cplusplus
}
#endif
