// The console on a screen: characters, colours, control sequences, scrolling; screen.py reads it by the font.
// SPDX-License-Identifier: MIT
// @link screen_console boot_framebuffer bochs_display virtio_gpu
// @cmdline log=error
// @script screen.py
// @variants newlib-checked
#include "check.h"

#include <baremetal/cpu.h>
#include <baremetal/framebuffer.h>

int main(int argc, char **argv)
{
    const struct bm_framebuffer *screen = bm_framebuffer_first();
    if (!screen)
        printf("no screen\n");
    else
        printf("screen: %ux%u by %s\n", (unsigned)screen->width, (unsigned)screen->height, screen->name);
    if (argc > 1 && argv[1][0] == 'f') {
        fflush(stdout);
        *(volatile int *)hidden(8) = 1;
    }
    if (argc > 1) // more lines than a screen has
        for (int i = 0; i < 1000; i++)
            printf("line %d\n", i);
    printf("\033[2;1Hgr\303\274n: \033[32mgreen\033[0m, \033[1;44mbright on blue\033[0m, "
           "\033[7mreverse\033[27m.\n");
    printf("\342\224\214\342\224\200\342\224\220 \342\226\204\342\226\221 \351\226\200 \377 tab\tstop\n");
    printf("\033[5;10Hplace\033[3D\033[KL\033[6;1Hwrong\rright\033[?25l\033[7;1H\033[38;5;196mred\033[48;2;0;"
           "0;255m "
           "\033[0m\n");
    fflush(stdout);
    bm_port_out8(0x3f8, '~'); // past the consoles: all stands on the screen
    CHECK(getchar() == 'g');
    return passed();
}
