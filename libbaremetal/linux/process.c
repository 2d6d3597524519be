// What a process says of itself and asks of the machine: names, power.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "linux.h"

#include <baremetal/thread.h>

#include <stdatomic.h>

enum {
    SET_DEATH_SIGNAL = 1,
    GET_DEATH_SIGNAL = 2,
    GET_DUMPABLE = 3,
    SET_DUMPABLE = 4,
    GET_KEEP_CAPABILITIES = 7,
    SET_KEEP_CAPABILITIES = 8,
    SET_NAME = 15,
    GET_NAME = 16,
    GET_SECCOMP = 21,
    GET_SECURE_BITS = 27,
    SET_SECURE_BITS = 28,
    CAPABILITY_READ = 23,
    CAPABILITY_DROP = 24,
    SET_TIMER_SLACK = 29,
    GET_TIMER_SLACK = 30,
    SET_SUBREAPER = 36,
    GET_SUBREAPER = 37,
    SET_NO_NEW_PRIVILEGES = 38,
    GET_NO_NEW_PRIVILEGES = 39,
    SLACK = 50000 // nanoseconds
};

// Kept and told; no parent dies, nothing is dumped, nothing is executed, and timers are exact.
static struct {
    int death_signal, subreaper;
    unsigned long slack;
    bool undumpable, no_new_privileges, keeps_capabilities;
    _Atomic(uint64_t) dropped; // of the bounding set of capabilities
} said = {.slack = SLACK};

static long name_set(const char *name)
{
    struct bm_thread *self = bm_thread_self();
    if (!self)
        return -BM_ENOMEM;
    bm_thread_name_set(self, name);
    return 0;
}

static long name_get(char *name)
{
    struct bm_thread *self = bm_thread_self();
    if (!self)
        return -BM_ENOMEM;
    bm_thread_name_get(self, name);
    return 0;
}

static long flag_set(bool *flag, unsigned long value, bool wanted)
{
    if (value > 1)
        return -BM_EINVAL;
    *flag = wanted;
    return 0;
}

static long death_signal_set(unsigned long signal)
{
    if (signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    said.death_signal = (int)signal;
    return 0;
}

static long capability_drop(unsigned long capability)
{
    if (!bm_may(BM_CAP_SETPCAP))
        return -BM_EPERM;
    if (capability >= BM_CAPABILITIES)
        return -BM_EINVAL;
    atomic_fetch_or(&said.dropped, 1ull << capability);
    return 0;
}

static long slack_set(unsigned long slack)
{
    said.slack = slack ? slack : SLACK;
    return 0;
}

static long tell(unsigned long address, int value)
{
    *(int *)address = value;
    return 0;
}

long bm_linux_prctl(int option, unsigned long first, unsigned long second, unsigned long third,
                    unsigned long fourth)
{
    bool others = second || third || fourth;
    switch (option) {
    case SET_DEATH_SIGNAL:
        return death_signal_set(first);
    case GET_DEATH_SIGNAL:
        return tell(first, said.death_signal);
    case GET_DUMPABLE:
        return !said.undumpable;
    case SET_DUMPABLE:
        return flag_set(&said.undumpable, first, !first);
    case GET_KEEP_CAPABILITIES:
        return said.keeps_capabilities;
    case SET_KEEP_CAPABILITIES:
        return flag_set(&said.keeps_capabilities, first, first == 1);
    case SET_NAME:
        return name_set((const char *)first);
    case GET_NAME:
        return name_get((char *)first);
    case GET_SECCOMP:
    case GET_SECURE_BITS: // root is what it is
        return 0;
    case SET_SECURE_BITS:
        return !bm_may(BM_CAP_SETPCAP) ? -BM_EPERM : first ? -BM_EINVAL : 0;
    case CAPABILITY_READ:
        return first < BM_CAPABILITIES ? !(said.dropped >> first & 1) : -BM_EINVAL;
    case CAPABILITY_DROP:
        return capability_drop(first);
    case SET_TIMER_SLACK:
        return slack_set(first);
    case GET_TIMER_SLACK:
        return (long)said.slack;
    case SET_SUBREAPER:
        said.subreaper = first != 0;
        return 0;
    case GET_SUBREAPER:
        return tell(first, said.subreaper);
    case SET_NO_NEW_PRIVILEGES: // there is no way back
        return first != 1 || others ? -BM_EINVAL : flag_set(&said.no_new_privileges, first, true);
    case GET_NO_NEW_PRIVILEGES:
        return first || others ? -BM_EINVAL : said.no_new_privileges;
    default:
        return -BM_EINVAL;
    }
}

// Kept and told; the machine has one.
long bm_linux_personality(unsigned long wanted)
{
    static unsigned now;
    enum { ASK = -1 };
    unsigned before = now;
    if ((unsigned)wanted != (unsigned)ASK)
        now = (unsigned)wanted;
    return before;
}

long bm_linux_getpgrp(void)
{
    return LINUX_PROCESS;
}

uint64_t bm_linux_capabilities_dropped(void)
{
    return said.dropped;
}

bool bm_linux_keeps_capabilities(void)
{
    return said.keeps_capabilities;
}

// The kernel's log goes to the console, line by line, and is not kept.
long bm_linux_syslog(int type, char *buffer, int size)
{
    enum { LAST = 10, READ_ALL = 3, SIZE = 10 };
    (void)buffer;
    if (type != READ_ALL && type != SIZE && !bm_may(BM_CAP_SYSLOG))
        return -BM_EPERM;
    return type < 0 || type > LAST || size < 0 ? -BM_EINVAL : 0;
}

long bm_linux_reboot(int first, int second, unsigned command)
{
    enum { SECOND_A = 672274793, SECOND_B = 85072278, SECOND_C = 369367448, SECOND_D = 537993216 };
    if (!bm_may(BM_CAP_SYS_BOOT))
        return -BM_EPERM;
    if ((unsigned)first != 0xfee1dead ||
        (second != SECOND_A && second != SECOND_B && second != SECOND_C && second != SECOND_D))
        return -BM_EINVAL;
    switch (command) {
    case 0x4321fedc: // power off, halt
    case 0xcdef0123:
        return bm_linux_exit_group(0);
    case 0: // what Ctrl-Alt-Del does: nothing
    case 0x89abcdef:
        return 0;
    default:
        return -BM_EINVAL;
    }
}

static char *host_names[2]; // in use; NULL: uname's own
static char names[2][65];

static long host_name_set(int which, const char *name, int size)
{
    if (!bm_may(BM_CAP_SYS_ADMIN))
        return -BM_EPERM;
    if (size < 0 || size > (int)sizeof names[0] - 1)
        return -BM_EINVAL;
    __builtin_memset(names[which], 0, sizeof names[which]);
    __builtin_memcpy(names[which], name, (size_t)size);
    host_names[which] = names[which];
    return 0;
}

long bm_linux_sethostname(const char *name, int size)
{
    return host_name_set(0, name, size);
}

long bm_linux_setdomainname(const char *name, int size)
{
    return host_name_set(1, name, size);
}

const char *bm_linux_host_name(int which)
{
    return host_names[which];
}
