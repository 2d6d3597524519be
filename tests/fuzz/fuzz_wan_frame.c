// Fuzzer of what the wire of `ci/bench wan` reads: frames of guests, and the words of a command.
// SPDX-License-Identifier: MIT
// @sources bench/wan/control.c bench/wan/flow.c bench/wan/frame.c bench/wan/path.c
// @includes bench/wan
// @max_len 1600
// @seconds 5
#include "control.h"
#include "flow.h"
#include "frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINK = 14 };

// What is true of whatever was read.
static void judge(const struct frame_view *view, size_t size)
{
    if (view->kind != FRAME_PACKET && (view->tcp || view->data || view->length))
        abort();
    if (view->tcp &&
        (view->data > size - LINK - 40 || view->length < view->data || view->length > view->data + 2))
        abort();
}

static void command(const uint8_t *data, size_t size)
{
    char *words = malloc(size + 1);
    struct setting setting;
    if (!words)
        return;
    memcpy(words, data, size);
    words[size] = 0;
    if (!control_read(words, &setting))
        for (int way = IN; way <= OUT; way++)
            if (setting.path >= PATHS || path_problem(&setting.ways[way]))
                abort();
    free(words);
}

// The first byte: a command, or on which path and which way the frame goes.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct flows flows;
    struct frame_view view;
    if (!size)
        return 0;
    if (data[0] == 's') {
        command(data + 1, size - 1);
        return 0;
    }
    frame_read(data + 1, size - 1, &view);
    judge(&view, size - 1);
    if (view.tcp) {
        const struct flow_place place = flow_note(&flows, &view, data[0] & 7, view.source, data[0] & 8);
        if (place.again > view.length || (!place.known && place.again))
            abort();
    }
    return 0;
}
