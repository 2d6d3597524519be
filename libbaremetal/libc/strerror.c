// strerror and strsignal: the wording of POSIX systems, for both C libraries, whose own ones are left out.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <string.h>

// Numbers differ between the C libraries, so each message stands behind its number.
#define ERRORS(MESSAGE)                                                                                      \
    MESSAGE(EPERM, "Operation not permitted")                                                                \
    MESSAGE(ENOENT, "No such file or directory")                                                             \
    MESSAGE(ESRCH, "No such process")                                                                        \
    MESSAGE(EINTR, "Interrupted system call")                                                                \
    MESSAGE(EIO, "Input/output error")                                                                       \
    MESSAGE(ENXIO, "No such device or address")                                                              \
    MESSAGE(E2BIG, "Argument list too long")                                                                 \
    MESSAGE(ENOEXEC, "Exec format error")                                                                    \
    MESSAGE(EBADF, "Bad file descriptor")                                                                    \
    MESSAGE(ECHILD, "No child processes")                                                                    \
    MESSAGE(EAGAIN, "Resource temporarily unavailable")                                                      \
    MESSAGE(ENOMEM, "Cannot allocate memory")                                                                \
    MESSAGE(EACCES, "Permission denied")                                                                     \
    MESSAGE(EFAULT, "Bad address")                                                                           \
    MESSAGE(EBUSY, "Device or resource busy")                                                                \
    MESSAGE(EEXIST, "File exists")                                                                           \
    MESSAGE(EXDEV, "Invalid cross-device link")                                                              \
    MESSAGE(ENODEV, "No such device")                                                                        \
    MESSAGE(ENOTDIR, "Not a directory")                                                                      \
    MESSAGE(EISDIR, "Is a directory")                                                                        \
    MESSAGE(EINVAL, "Invalid argument")                                                                      \
    MESSAGE(ENFILE, "Too many open files in system")                                                         \
    MESSAGE(EMFILE, "Too many open files")                                                                   \
    MESSAGE(ENOTTY, "Inappropriate ioctl for device")                                                        \
    MESSAGE(ETXTBSY, "Text file busy")                                                                       \
    MESSAGE(EFBIG, "File too large")                                                                         \
    MESSAGE(ENOSPC, "No space left on device")                                                               \
    MESSAGE(ESPIPE, "Illegal seek")                                                                          \
    MESSAGE(EROFS, "Read-only file system")                                                                  \
    MESSAGE(EMLINK, "Too many links")                                                                        \
    MESSAGE(EPIPE, "Broken pipe")                                                                            \
    MESSAGE(EDOM, "Numerical argument out of domain")                                                        \
    MESSAGE(ERANGE, "Numerical result out of range")                                                         \
    MESSAGE(EDEADLK, "Resource deadlock avoided")                                                            \
    MESSAGE(ENAMETOOLONG, "File name too long")                                                              \
    MESSAGE(ENOLCK, "No locks available")                                                                    \
    MESSAGE(ENOSYS, "Function not implemented")                                                              \
    MESSAGE(ENOTEMPTY, "Directory not empty")                                                                \
    MESSAGE(ELOOP, "Too many levels of symbolic links")                                                      \
    MESSAGE(ENOMSG, "No message of desired type")                                                            \
    MESSAGE(EIDRM, "Identifier removed")                                                                     \
    MESSAGE(ENOSTR, "Device not a stream")                                                                   \
    MESSAGE(ENODATA, "No data available")                                                                    \
    MESSAGE(ETIME, "Timer expired")                                                                          \
    MESSAGE(ENOSR, "Out of streams resources")                                                               \
    MESSAGE(ENOLINK, "Link has been severed")                                                                \
    MESSAGE(EPROTO, "Protocol error")                                                                        \
    MESSAGE(EMULTIHOP, "Multihop attempted")                                                                 \
    MESSAGE(EBADMSG, "Bad message")                                                                          \
    MESSAGE(EOVERFLOW, "Value too large for defined data type")                                              \
    MESSAGE(EILSEQ, "Invalid or incomplete multibyte or wide character")                                     \
    MESSAGE(ENOTSOCK, "Socket operation on non-socket")                                                      \
    MESSAGE(EDESTADDRREQ, "Destination address required")                                                    \
    MESSAGE(EMSGSIZE, "Message too long")                                                                    \
    MESSAGE(EPROTOTYPE, "Protocol wrong type for socket")                                                    \
    MESSAGE(ENOPROTOOPT, "Protocol not available")                                                           \
    MESSAGE(EPROTONOSUPPORT, "Protocol not supported")                                                       \
    MESSAGE(EOPNOTSUPP, "Operation not supported")                                                           \
    MESSAGE(ENOTSUP, "Operation not supported")                                                              \
    MESSAGE(EPFNOSUPPORT, "Protocol family not supported")                                                   \
    MESSAGE(EAFNOSUPPORT, "Address family not supported by protocol")                                        \
    MESSAGE(EADDRINUSE, "Address already in use")                                                            \
    MESSAGE(EADDRNOTAVAIL, "Cannot assign requested address")                                                \
    MESSAGE(ENETDOWN, "Network is down")                                                                     \
    MESSAGE(ENETUNREACH, "Network is unreachable")                                                           \
    MESSAGE(ENETRESET, "Network dropped connection on reset")                                                \
    MESSAGE(ECONNABORTED, "Software caused connection abort")                                                \
    MESSAGE(ECONNRESET, "Connection reset by peer")                                                          \
    MESSAGE(ENOBUFS, "No buffer space available")                                                            \
    MESSAGE(EISCONN, "Transport endpoint is already connected")                                              \
    MESSAGE(ENOTCONN, "Transport endpoint is not connected")                                                 \
    MESSAGE(ETOOMANYREFS, "Too many references: cannot splice")                                              \
    MESSAGE(ETIMEDOUT, "Connection timed out")                                                               \
    MESSAGE(ECONNREFUSED, "Connection refused")                                                              \
    MESSAGE(EHOSTDOWN, "Host is down")                                                                       \
    MESSAGE(EHOSTUNREACH, "No route to host")                                                                \
    MESSAGE(EALREADY, "Operation already in progress")                                                       \
    MESSAGE(EINPROGRESS, "Operation now in progress")                                                        \
    MESSAGE(ESTALE, "Stale file handle")                                                                     \
    MESSAGE(EDQUOT, "Disk quota exceeded")                                                                   \
    MESSAGE(ECANCELED, "Operation canceled")                                                                 \
    MESSAGE(EOWNERDEAD, "Owner died")                                                                        \
    MESSAGE(ENOTRECOVERABLE, "State not recoverable")

#define SIGNALS(MESSAGE)                                                                                     \
    MESSAGE(SIGHUP, "Hangup")                                                                                \
    MESSAGE(SIGINT, "Interrupt")                                                                             \
    MESSAGE(SIGQUIT, "Quit")                                                                                 \
    MESSAGE(SIGILL, "Illegal instruction")                                                                   \
    MESSAGE(SIGTRAP, "Trace/breakpoint trap")                                                                \
    MESSAGE(SIGABRT, "Aborted")                                                                              \
    MESSAGE(SIGFPE, "Floating point exception")                                                              \
    MESSAGE(SIGKILL, "Killed")                                                                               \
    MESSAGE(SIGBUS, "Bus error")                                                                             \
    MESSAGE(SIGSEGV, "Segmentation fault")                                                                   \
    MESSAGE(SIGSYS, "Bad system call")                                                                       \
    MESSAGE(SIGPIPE, "Broken pipe")                                                                          \
    MESSAGE(SIGALRM, "Alarm clock")                                                                          \
    MESSAGE(SIGTERM, "Terminated")                                                                           \
    MESSAGE(SIGURG, "Urgent I/O condition")                                                                  \
    MESSAGE(SIGSTOP, "Stopped (signal)")                                                                     \
    MESSAGE(SIGTSTP, "Stopped")                                                                              \
    MESSAGE(SIGCONT, "Continued")                                                                            \
    MESSAGE(SIGCHLD, "Child exited")                                                                         \
    MESSAGE(SIGTTIN, "Stopped (tty input)")                                                                  \
    MESSAGE(SIGTTOU, "Stopped (tty output)")                                                                 \
    MESSAGE(SIGIO, "I/O possible")                                                                           \
    MESSAGE(SIGXCPU, "CPU time limit exceeded")                                                              \
    MESSAGE(SIGXFSZ, "File size limit exceeded")                                                             \
    MESSAGE(SIGVTALRM, "Virtual timer expired")                                                              \
    MESSAGE(SIGPROF, "Profiling timer expired")                                                              \
    MESSAGE(SIGWINCH, "Window changed")                                                                      \
    MESSAGE(SIGUSR1, "User defined signal 1")                                                                \
    MESSAGE(SIGUSR2, "User defined signal 2")

#define MEMBERS(name, text)                                                                                  \
    unsigned char name##_number;                                                                             \
    char name##_text[sizeof(text)];
#define VALUES(name, text) name, text,

static const struct {
    ERRORS(MEMBERS)
} errors = {ERRORS(VALUES)};
static const struct {
    SIGNALS(MEMBERS)
} signals = {SIGNALS(VALUES)};

enum { UNKNOWN_SIZE = 32 };
static _Thread_local char unknown[UNKNOWN_SIZE];

// The message of a number in a table of so many bytes; otherwise `what` and the number.
static char *message(const void *table, size_t size, int number, const char *what)
{
    const char *end = (const char *)table + size;
    for (const char *at = table; at < end; at += strlen(at + 1) + 2)
        if ((unsigned char)*at == number)
            return (char *)(unsigned long)(at + 1);
    char *at = unknown + UNKNOWN_SIZE - 1;
    unsigned value = number < 0 ? -(unsigned)number : (unsigned)number;
    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    if (number < 0)
        *--at = '-';
    at -= strlen(what);
    return memcpy(at, what, strlen(what));
}

char *strerror(int number)
{
    if (number == 0)
        return (char *)(unsigned long)"Success";
    return message(&errors, sizeof errors, number, "Unknown error ");
}

char *strsignal(int number)
{
    return message(&signals, sizeof signals, number, "Unknown signal ");
}

char *strerror_l(int number, locale_t locale);
char *strerror_l(int number, locale_t locale)
{
    (void)locale;
    return strerror(number);
}
