// Terminal modes (POSIX.1-2008 <termios.h>), by Linux' numbers. ICRNL, IXON (^S and ^Q are taken out of the
// input), ICANON and ECHO have an effect; the rest is kept.
// SPDX-License-Identifier: MIT
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned char cc_t;
typedef unsigned int speed_t;
typedef unsigned int tcflag_t;

#define NCCS 32

struct termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    cc_t c_line; // 0
    cc_t c_cc[NCCS];
    speed_t c_ispeed, c_ospeed;
};

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSTART = 8, VSTOP, VSUSP, VEOL };

// c_iflag
#define BRKINT 0x0002
#define ICRNL  0x0100
#define IGNBRK 0x0001
#define IGNCR  0x0080
#define IGNPAR 0x0004
#define INLCR  0x0040
#define INPCK  0x0010
#define ISTRIP 0x0020
#define IXANY  0x0800
#define IXOFF  0x1000
#define IXON   0x0400
#define PARMRK 0x0008

// c_oflag
#define OPOST 0x0001
#define ONLCR 0x0004

// c_cflag
#define CSIZE  0x0030
#define CS5    0x0000
#define CS6    0x0010
#define CS7    0x0020
#define CS8    0x0030
#define CSTOPB 0x0040
#define CREAD  0x0080
#define PARENB 0x0100
#define PARODD 0x0200
#define HUPCL  0x0400
#define CLOCAL 0x0800

// c_lflag
#define ISIG   0x0001
#define ICANON 0x0002
#define ECHO   0x0008
#define ECHOE  0x0010
#define ECHOK  0x0020
#define ECHONL 0x0040
#define NOFLSH 0x0080
#define TOSTOP 0x0100
#define IEXTEN 0x8000

#define B0      0
#define B9600   0000015
#define B19200  0000016
#define B38400  0000017
#define B57600  0010001
#define B115200 0010002

// tcsetattr: when
#define TCSANOW   0
#define TCSADRAIN 1
#define TCSAFLUSH 2

int tcgetattr(int descriptor, struct termios *modes);
int tcsetattr(int descriptor, int when, const struct termios *modes);

static inline speed_t cfgetispeed(const struct termios *modes)
{
    return modes->c_ispeed;
}
static inline speed_t cfgetospeed(const struct termios *modes)
{
    return modes->c_ospeed;
}
static inline int cfsetispeed(struct termios *modes, speed_t speed)
{
    modes->c_ispeed = speed;
    return 0;
}
static inline int cfsetospeed(struct termios *modes, speed_t speed)
{
    modes->c_ospeed = speed;
    return 0;
}

#ifdef __cplusplus
}
#endif
