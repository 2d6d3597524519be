// The console in VGA's text mode; vga_text.py reads its memory.
// SPDX-License-Identifier: MIT
// @link vga_text
// @script vga_text.py
// @variants picolibc
#include "check.h"

#include <baremetal/cpu.h>

int main(void)
{
    for (int i = 0; i < 30; i++)
        printf("line %d\n", i);
    printf("\033[2;1Hgr\303\274n \033[1;31mred\033[0m \342\224\200 \033[44mblue \033[0m\033[K\033[25;80Hx");
    printf("\nend");
    fflush(stdout);
    bm_port_out8(0x3f8, '~'); // past the consoles: all stands on the screen
    CHECK(getchar() == 'g');
    return passed();
}
