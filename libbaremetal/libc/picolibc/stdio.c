// stdout and stderr for picolibc: without what only input and open files need (malloc, read, lseek, close).
// SPDX-License-Identifier: MIT
// @optimize size
//
// The streams keep the layout of picolibc's buffered files (<stdio-bufio.h>), so that fileno, freopen and its
// fast paths work on them.
#include "../libc.h"

#include <stdio-bufio.h>
#include <stdio.h>
#include <unistd.h>

static int stream_flush(FILE *file)
{
    struct __file_bufio *stream = (struct __file_bufio *)(void *)file;
    const char *at = stream->buf;
    int left = stream->len;
    stream->len = 0;
    while (left > 0) {
        ssize_t part = stream->write_int((int)(intptr_t)stream->ptr, at, (size_t)left);
        if (part <= 0)
            return EOF;
        at += part;
        left -= (int)part;
    }
    return 0;
}

static int stream_put(char c, FILE *file)
{
    struct __file_bufio *stream = (struct __file_bufio *)(void *)file;
    stream->dir = __SWR;
    stream->buf[stream->len++] = c;
    if ((stream->len >= stream->size || (c == '\n' && stream->bflags & __BLBF)) && stream_flush(file))
        return EOF;
    return (unsigned char)c;
}

// Without a buffer of the caller's, the one in use stays.
static int stream_setvbuf(FILE *file, char *buffer, int mode, size_t size)
{
    struct __file_bufio *stream = (struct __file_bufio *)(void *)file;
    if ((mode != _IOFBF && mode != _IOLBF && mode != _IONBF) || stream_flush(file))
        return EOF;
    stream->bflags = (uint8_t)(mode == _IOLBF ? stream->bflags | __BLBF : stream->bflags & ~__BLBF);
    if (mode == _IONBF)
        stream->size = 1;
    if (buffer && size > 0 && size <= INT32_MAX) {
        stream->buf = buffer;
        stream->size = (int)size;
    }
    return 0;
}

#define STREAM(descriptor, buffer, flags)                                                                    \
    {                                                                                                        \
        .xfile = FDEV_SETUP_EXT(stream_put, NULL, stream_flush, stream_flush, NULL, stream_setvbuf,          \
                                __SWR | __SBUF),                                                             \
        .ptr = (void *)(intptr_t)(descriptor), .bflags = (flags), .buf = (buffer), .size = sizeof(buffer),   \
        .write_int = write,                                                                                  \
    }

static char stdout_buffer[BUFSIZ], stderr_buffer[1];
static struct __file_bufio stdout_stream = STREAM(1, stdout_buffer, __BLBF);
static struct __file_bufio stderr_stream = STREAM(2, stderr_buffer, 0);

FILE *const stdout = &stdout_stream.xfile.cfile.file;
FILE *const stderr = &stderr_stream.xfile.cfile.file;

// In place of picolibc's, which follows a NULL pointer. NULL means all streams; only stdout ever holds
// something back for long.
int fflush(FILE *file)
{
    FILE *one = file ? file : stdout;
    flockfile(one);
    int result = one->flush ? one->flush(one) : 0;
    funlockfile(one);
    return result;
}

// Run by exit, after the functions given to atexit.
__attribute__((destructor(101))) static void flush_all(void)
{
    stream_flush(stdout);
}
