// Reading from standard input when it is no terminal (terminal_stream.c).
// SPDX-License-Identifier: MIT
//
// The line carries all bytes and an end: ESCAPE and END is the end of the input, ESCAPE and another byte that
// byte with bit 6 changed. START and STOP, which may be put in for the line's own sake, and ESCAPE itself
// come so; as they are, they count for nothing.
#include "terminal.h"

#include <baremetal/console.h>
#include <baremetal/lock.h>
#include <baremetal/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

const char bm_stream_input_linked = 1;

enum { END = 0x04, ESCAPE = 0x10, START = 0x11, STOP = 0x13, CHANGED = 0x40 };

static struct {
    struct bm_spinlock lock;
    bool escaped; // the byte before was ESCAPE
    bool ended;
    bool held; // `byte` was received and decoded, and nobody has it yet
    char byte;
} stream;

// Decodes one byte that was received; whether it is one of the input.
static bool decode(char *byte)
{
    bool escaped = stream.escaped;
    stream.escaped = !escaped && *byte == ESCAPE;
    if (!escaped)
        return *byte != ESCAPE && *byte != START && *byte != STOP;
    stream.ended = *byte == END;
    *byte ^= CHANGED;
    return !stream.ended;
}

// The next byte, if it is there. What comes behind the end is left.
static bool next_locked(char *byte)
{
    if (stream.held) {
        *byte = stream.byte;
        stream.held = false;
        return true;
    }
    while (!stream.ended && bm_console_read(byte, 1) == 1) {
        if (decode(byte))
            return true;
    }
    return false;
}

// Whether a read would not block.
static bool ready(void *arg)
{
    (void)arg;
    bm_spinlock_acquire(&stream.lock);
    stream.held = next_locked(&stream.byte);
    bool result = stream.held || stream.ended;
    bm_spinlock_release(&stream.lock);
    return result;
}

long bm_stream_read(struct bm_file *file, void *buffer, size_t size)
{
    char *bytes = buffer;
    while (size) {
        size_t count = 0;
        bm_spinlock_acquire(&stream.lock);
        while (count < size && next_locked(&bytes[count]))
            count++;
        bool ended = stream.ended;
        bm_spinlock_release(&stream.lock);
        if (count || ended)
            return (long)count;
        // A deadline of 0 serves the devices once.
        bool waits = !(file->flags & O_NONBLOCK);
        if (!bm_wait_until(ready, NULL, waits ? UINT64_MAX : 0))
            return -EAGAIN;
    }
    return 0;
}

int bm_stream_control(struct bm_file *file, unsigned long request, void *argument)
{
    (void)file;
    if (request != FIONREAD)
        return -ENOTTY;
    ready(NULL);
    *(int *)argument = stream.held; // at least
    return 0;
}

int bm_stream_poll(struct bm_file *file)
{
    (void)file;
    return POLLOUT | (ready(NULL) ? POLLIN : 0);
}
