// signal and raise, with one table of handlers for the whole program: newlib's own is each thread's.
// SPDX-License-Identifier: MIT
#include "../libc.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic(_sig_func_ptr) handlers[NSIG]; // NULL is SIG_DFL

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    if (number <= 0 || number >= NSIG) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return atomic_exchange(&handlers[number], handler);
}

// A handler is called once for each time that it was set, as ISO C has it (7.14.1.1) and newlib did.
int raise(int number)
{
    if (number <= 0 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    _sig_func_ptr handler = atomic_load(&handlers[number]);
    if (handler == SIG_IGN)
        return 0;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return 1;
    }
    if (handler == SIG_DFL)
        return kill(getpid(), number);
    atomic_store(&handlers[number], SIG_DFL);
    handler(number);
    return 0;
}
