// A frame that is given back twice ends the machine, also when it has become part of a larger free block.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect ^panic: (memory: the frame at 0x[0-9a-f]+|bm_frame_free: the frame) is free already\b.*, on core 0$
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @machines q35

#include <baremetal/memory.h>

#include "check.h"

int main(void)
{
    enum { COUNT = 32 };
    void *frames[COUNT];
    puts("provoking"); // now, since the C library may take a frame for it
    for (int i = 0; i < COUNT; i++)
        frames[i] = bm_frame_allocate(0);
    for (int i = 0; i < COUNT; i++)
        bm_frame_free(frames[i], 0);
    bm_frame_free(frames[7], 0);
    puts("survived");
    return 0;
}
