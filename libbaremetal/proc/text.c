// Text that grows.
// SPDX-License-Identifier: MIT
#include "proc.h"

#include <baremetal/log.h>

// Makes room for `size` more bytes and a NUL.
static bool grow(struct proc_text *text, size_t size)
{
    if (text->data && text->size + size < BM_PAGE_SIZE << text->order)
        return true;
    unsigned order = bm_frame_order(text->size + size + 1);
    char *data = text->failed || order > BM_FRAME_ORDER_MAX ? NULL : bm_frame_allocate(order);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->data) {
        __builtin_memcpy(data, text->data, text->size);
        bm_frame_free(text->data, text->order);
    }
    text->data = data;
    text->order = order;
    return true;
}

void bm_proc_put_bytes(struct proc_text *text, const void *data, size_t size)
{
    if (!grow(text, size))
        return;
    __builtin_memcpy(text->data + text->size, data, size);
    text->size += size;
}

void bm_proc_put(struct proc_text *text, const char *format, ...)
{
    enum { ROOM = 256 };
    va_list arguments;
    if (!grow(text, ROOM))
        return;
    va_start(arguments, format);
    int length = bm_format_list(text->data + text->size, ROOM, format, arguments);
    va_end(arguments);
    if (length >= ROOM) {
        if (!grow(text, (size_t)length))
            return;
        va_start(arguments, format);
        bm_format_list(text->data + text->size, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    text->size += (size_t)length;
}

void bm_proc_text_free(struct proc_text *text)
{
    if (text->data)
        bm_frame_free(text->data, text->order);
    *text = (struct proc_text){0};
}
