// The graphics mode that the command line asks for.
// SPDX-License-Identifier: MIT
#include "mode.h"

#include <baremetal/framebuffer.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

BM_OPTION(video, "WIDTHxHEIGHT: the graphics mode of displays that the kernel sets up itself");

// A number of up to five digits, 0 when there is none; *text behind it.
static unsigned number(const char **text)
{
    unsigned value = 0;
    for (unsigned digits = 0; **text >= '0' && **text <= '9' && digits < 5; digits++)
        value = value * 10 + (unsigned)(*(*text)++ - '0');
    return value;
}

void bm_display_mode_wanted(uint32_t *width, uint32_t *height)
{
    char text[16];
    int length = bm_option_get("video", text, sizeof text);
    if (length < 0)
        return;
    const char *at = text;
    unsigned w = number(&at), h = *at == 'x' ? (at++, number(&at)) : 0;
    if (length >= (int)sizeof text || *at || w < 64 || h < 64 || w % 8 || w > BM_FRAMEBUFFER_SIDE_MAX ||
        h > BM_FRAMEBUFFER_SIDE_MAX) {
        bm_log_error(
            "video",
            "video=%s is no mode: write WIDTHxHEIGHT, as in video=1024x768, the width a multiple of 8", text);
        return;
    }
    *width = w;
    *height = h;
}
