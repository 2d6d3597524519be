// Sending signals: to the process, to a thread, with a value.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

// Whether it ends the program at once: nobody handles it, and somebody does not block it.
static bool is_fatal(const struct bm_linux_signals *to, int signal)
{
    const struct bm_linux_action action = bm_linux_action_of(signal, false);
    uint64_t bit = bm_linux_signal_bit(signal);
    if (action.handler || bm_linux_action_ignores(&action, signal))
        return false;
    if (bit & LINUX_UNBLOCKABLE)
        return true;
    if (to)
        return !((atomic_load(&to->blocked) | atomic_load(&to->awaited)) & bit);
    to = atomic_load(&bm_linux_signals_all);
    bool fatal = false;
    for (; to; to = to->next) {
        if (!to->ended && atomic_load(&to->awaited) & bit)
            return false;
        fatal |= !to->ended && !(atomic_load(&to->blocked) & bit);
    }
    return fatal;
}

long bm_linux_signal_raise(struct bm_linux_signals *to, const struct bm_linux_signal *what)
{
    if (what->signal < 0 || what->signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    if (!what->signal)
        return 0;
    if (is_fatal(to, what->signal))
        bm_linux_signal_die(what->signal);
    int result = bm_linux_signal_send(to, what, NULL);
    bm_linux_signal_take(bm_linux_signals_self());
    return result < 0 ? result : 0;
}

// Who is the same as the receiver may pretend anything; the machine has one process.
static long send_to(int process, int thread, const struct bm_linux_signal *what)
{
    if (process != LINUX_PROCESS)
        return -BM_ESRCH;
    struct bm_linux_signals *to =
        thread == bm_linux_thread() ? bm_linux_signals_self() : bm_linux_signals_find(thread);
    return to ? bm_linux_signal_raise(to, what) : -BM_ESRCH;
}

// The number of any thread names its process, says Linux.
static bool is_process(int number)
{
    return number == LINUX_PROCESS || (number > 0 && bm_linux_signals_find(number));
}

long bm_linux_kill(int process, int signal)
{
    const struct bm_linux_signal what = {.signal = signal, .code = LINUX_SI_USER, .words = {LINUX_PROCESS}};
    if (!is_process(process) && process != 0) // -1: all but the caller's own, and there are none
        return -BM_ESRCH;
    return bm_linux_signal_raise(NULL, &what);
}

long bm_linux_tgkill(int process, int thread, int signal)
{
    const struct bm_linux_signal what = {.signal = signal, .code = LINUX_SI_TKILL, .words = {LINUX_PROCESS}};
    if (process <= 0 || thread <= 0)
        return -BM_EINVAL;
    return send_to(process, thread, &what);
}

long bm_linux_tkill(int thread, int signal)
{
    return bm_linux_tgkill(LINUX_PROCESS, thread, signal);
}

static struct bm_linux_signal named(int signal, const void *information)
{
    struct bm_linux_signal what;
    __builtin_memcpy(&what, information, sizeof what);
    what.signal = signal;
    return what;
}

long bm_linux_rt_sigqueueinfo(int process, int signal, const void *information)
{
    const struct bm_linux_signal what = named(signal, information);
    return is_process(process) ? bm_linux_signal_raise(NULL, &what) : -BM_ESRCH;
}

long bm_linux_rt_tgsigqueueinfo(int process, int thread, int signal, const void *information)
{
    const struct bm_linux_signal what = named(signal, information);
    return process <= 0 || thread <= 0 ? -BM_EINVAL : send_to(process, thread, &what);
}
