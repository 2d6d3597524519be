// The terminal: reading from the consoles.
// SPDX-License-Identifier: MIT
//
// Input is taken line by line, with echo, backspace, ^U (whole line) and ^D (end of file), or byte by byte
// after tcsetattr has cleared ICANON; ^S and ^Q are dropped. It is processed when the program asks for it;
// until then the consoles buffer it.
#include "../wait/hooks.h"
#include "terminal.h"

#include <baremetal/console.h>
#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/wait.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

const char bm_terminal_input_linked = 1;
BM_TERMINAL_STREAM_NEEDED;
static const char *const stream_input_needed __attribute__((used)) = &bm_stream_input_linked;

enum { LINE_SIZE = 1024, END_OF_FILE = 4, ERASE = 0x7f, ERASE_TOO = 8, KILL = 21, START = 17, STOP = 19 };
enum { INTERRUPT = 3, QUIT = 28 };

static struct {
    struct bm_spinlock lock;
    struct termios modes;
    size_t length; // bytes in `line`
    size_t taken;  // of them, handed to the program
    bool complete; // the line may be read; while it is, nothing is added
} terminal = {.modes = {.c_iflag = ICRNL | IXON,
                        .c_oflag = OPOST | ONLCR,
                        .c_cflag = CS8 | CREAD | CLOCAL,
                        .c_lflag = ICANON | ECHO | ECHOE | ECHOK | ISIG,
                        .c_cc = {[VEOF] = END_OF_FILE,
                                 [VERASE] = ERASE,
                                 [VKILL] = KILL,
                                 [VINTR] = INTERRUPT,
                                 [VQUIT] = QUIT,
                                 [VMIN] = 1,
                                 [VSTART] = START,
                                 [VSTOP] = STOP},
#ifdef BM_LIBC_MUSL
                        .__c_ispeed = B115200,
                        .__c_ospeed = B115200
#else
                        .c_ispeed = B115200,
                        .c_ospeed = B115200
#endif
              }};

#ifdef BM_LIBC_MUSL
enum { MODES_SIZE = 36 }; // Linux' structure is shorter than the C libraries': they have room for no more
#else
enum { MODES_SIZE = sizeof(struct termios) };
#endif

static char line[LINE_SIZE];

static void echo(const char *text, size_t size)
{
    if (terminal.modes.c_lflag & ECHO)
        bm_console_write(text, size);
}

static void erase(size_t count)
{
    while (count-- && terminal.length) {
        terminal.length--;
        echo("\b \b", 3);
    }
}

static void append(char byte)
{
    line[terminal.length++] = byte;
    echo(&byte, 1);
    if (byte == '\n' || terminal.length == LINE_SIZE)
        terminal.complete = true;
}

// One byte of input in line mode.
static void edit(char byte)
{
    cc_t code = (cc_t)byte;
    if (code == terminal.modes.c_cc[VEOF])
        terminal.complete = true;
    else if (code == terminal.modes.c_cc[VERASE] || code == ERASE_TOO)
        erase(1);
    else if (code == terminal.modes.c_cc[VKILL])
        erase(terminal.length);
    else
        append(byte);
}

// Input is looked at when the program reads, too late to stop output: these are only taken out of it.
static bool is_flow_control(char byte)
{
    cc_t code = (cc_t)byte;
    return terminal.modes.c_iflag & IXON &&
           (code == terminal.modes.c_cc[VSTART] || code == terminal.modes.c_cc[VSTOP]);
}

#ifdef BM_LIBC_MUSL
// A key that sends a signal takes what was typed with it.
static bool is_signal(char byte)
{
    cc_t code = (cc_t)byte;
    bool interrupts = code == terminal.modes.c_cc[VINTR];
    if (!bm_terminal_signal || !(terminal.modes.c_lflag & ISIG) ||
        (!interrupts && code != terminal.modes.c_cc[VQUIT]))
        return false;
    echo(interrupts ? "^C" : "^\\", 2);
    if (!(terminal.modes.c_lflag & NOFLSH))
        terminal.length = terminal.taken = 0;
    bm_terminal_signal(interrupts ? SIGINT : SIGQUIT);
    return true;
}
#else
static bool is_signal(char byte)
{
    (void)byte;
    return false;
}
#endif

// Processes what the consoles received. Returns whether a read would not block.
static bool ready_locked(void)
{
    char byte;
    bool lines = terminal.modes.c_lflag & ICANON;
    while (!terminal.complete && terminal.length < LINE_SIZE && bm_console_read(&byte, 1) == 1) {
        if (byte == '\r' && terminal.modes.c_iflag & ICRNL)
            byte = '\n';
        if (is_flow_control(byte) || is_signal(byte))
            continue;
        if (lines) {
            edit(byte);
        } else {
            append(byte);
            terminal.complete = false;
        }
    }
    return lines ? terminal.complete : terminal.length > terminal.taken;
}

static bool ready(void *arg)
{
    (void)arg;
    bm_spinlock_acquire(&terminal.lock);
    bool result = ready_locked();
    bm_spinlock_release(&terminal.lock);
    return result;
}

static bool ready_or_signalled(void *arg)
{
    return ready(arg) || bm_wait_signalled();
}

// Hands out what is there, at most the line.
static size_t take_locked(char *buffer, size_t size)
{
    size_t left = terminal.length - terminal.taken;
    size_t count = size < left ? size : left;
    memcpy(buffer, line + terminal.taken, count);
    terminal.taken += count;
    if (terminal.taken == terminal.length) {
        terminal.length = terminal.taken = 0;
        terminal.complete = false;
    }
    return count;
}

long bm_terminal_read(struct bm_file *file, void *buffer, size_t size)
{
    if (size == 0)
        return 0;
    for (;;) {
        bm_spinlock_acquire(&terminal.lock);
        bool there = ready_locked();
        size_t count = there ? take_locked(buffer, size) : 0;
        bm_spinlock_release(&terminal.lock);
        if (there)
            return (long)count;
        // A deadline of 0 serves the devices once.
        bool waits = !(file->flags & O_NONBLOCK);
        if (!bm_wait_until(ready_or_signalled, NULL, waits ? UINT64_MAX : 0))
            return -EAGAIN;
        if (waits && !ready(NULL) && bm_wait_signalled())
            return -BM_ERESTART;
    }
}

#ifdef BM_LIBC_MUSL
static struct bm_file_watchers watchers;

static bool watch(void *arg)
{
    bool has_more = bm_console_readable() && ready(arg);
    if (has_more)
        bm_file_changed(&watchers, BM_POLLIN);
    return has_more;
}

void bm_terminal_watch(void)
{
    static struct bm_poller poller = {.name = "terminal", .poll = watch};
    static BM_ATOMIC(bool) watched;
    if (!__atomic_exchange_n(&watched, true, __ATOMIC_SEQ_CST))
        bm_poller_add(&poller);
}

struct bm_file_watchers *bm_terminal_watchers(struct bm_file *file)
{
    (void)file;
    bm_terminal_watch();
    return &watchers;
}
#endif

static int set_modes(const struct termios *modes, bool flush)
{
    bm_spinlock_acquire(&terminal.lock);
    memcpy(&terminal.modes, modes, MODES_SIZE);
    if (!(modes->c_lflag & ICANON))
        terminal.complete = false;
    char byte;
    while (flush && bm_console_read(&byte, 1) == 1)
        ;
    if (flush)
        terminal.length = terminal.taken = 0;
    bm_spinlock_release(&terminal.lock);
    return 0;
}

int bm_terminal_control(struct bm_file *file, unsigned long request, void *argument)
{
    (void)file;
    switch (request) {
    case TCGETS:
        memcpy(argument, &terminal.modes, MODES_SIZE);
        return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_modes(argument, request == TCSETSF);
    case FIONREAD:
        *(int *)argument = ready(NULL) ? (int)(terminal.length - terminal.taken) : 0;
        return 0;
    default:
        return -ENOTTY;
    }
}

int bm_terminal_poll(struct bm_file *file)
{
    (void)file;
    return POLLOUT | (ready(NULL) ? POLLIN : 0);
}

int tcgetattr(int descriptor, struct termios *modes)
{
    return ioctl(descriptor, TCGETS, modes);
}

int tcsetattr(int descriptor, int when, const struct termios *modes)
{
    if (when < TCSANOW || when > TCSAFLUSH) {
        errno = EINVAL;
        return -1;
    }
    return ioctl(descriptor, TCSETS + (unsigned long)when, modes);
}
