// Which calls are made, and those that are left out.
// SPDX-License-Identifier: MIT
#include "fuzz.h"
#include "signatures.h"

// What stays as it was drawn: the rest of the program stands on it.
static bool is_fixed(char letter)
{
    return letter == 'A' || letter == 'N' || letter == 'x' || letter == 's' || letter == 'y' || letter == 'K';
}

// Whether a sigevent names what nobody can handle. On a page that is not there that is a fault, which ends
// the call before it is made.
static bool is_deadly(const struct thread *self, uint64_t event)
{
    enum { KILL = 9, STOP = 19, SIGNAL = 8 };
    if (!is_arena(self, event) || !is_arena(self, event + SIGNAL + 3))
        return false;
    int signal;
    __builtin_memcpy(&signal, (const char *)event + SIGNAL, sizeof signal);
    return signal == KILL || signal == STOP;
}

// Calls that are left out, or changed.
static bool allowed(struct thread *self)
{
    enum { FIXED = 0x100010, CLONE_THREAD = 0x10000, KILL = 9, STOP = 19, REMAP = 040000 };
    uint64_t *with = self->arguments, left = (uint64_t)self->arena + ARENA - with[0];
    switch (self->call) {
    case 15: // rt_sigreturn: hostile_return.c
    case 60: // exit, exit_group, reboot: end the run
    case 231:
    case 169:
    case 153: // vhangup ends the console
        return false;
    case 56: // clone, clone3 of threads: they would run here, on this stack
        with[0] &= ~(uint64_t)CLONE_THREAD;
        return true;
    case 435:
        return !is_arena(self, with[0]);
    case 105: // setuid, setreuid, capset: from what is not root there is no way back, and most calls need it
    case 113:
    case 126:
        return !below(self, 512);
    case 117: // setresuid has one, by the saved user
        with[2] = UINT32_MAX;
        return true;
    case 62: // kill and its kin: what nobody can handle ends the run
    case 200:
    case 424:
    case 129:
        return (uint32_t)with[1] != KILL && (uint32_t)with[1] != STOP;
    case 234:
    case 297:
        return (uint32_t)with[2] != KILL && (uint32_t)with[2] != STOP;
    case 222: // timer_create, mq_notify
    case 244:
        return !is_deadly(self, with[1]);
    case 13: // rt_sigaction of what the program needs
        if ((uint32_t)with[0] < 64 && NEVER >> ((uint32_t)with[0] - 1) & 1)
            with[1] = 0;
        return true;
    case 9: // mmap elsewhere than among the thread's own pages
        if (with[3] & FIXED && with[1] > left)
            with[1] = left;
        return true;
    case 10: // mprotect, munmap, madvise, mremap …: beyond them
    case 11:
    case 28:
    case 216:
    case 329:
        if (with[1] > left)
            with[1] = left;
        return true;
    case 25:
        with[1] = with[1] > left ? left : with[1];
        with[2] = with[4] + with[2] > (uint64_t)self->arena + ARENA ? (uint64_t)self->arena + ARENA - with[4]
                                                                    : with[2];
        return true;
    case 30: // shmat over others
        with[2] &= ~(uint64_t)REMAP;
        return true;
    case 160: // limits that end what the run lives on: processor time, memory, descriptors
    case 302:
        return self->call == 160 ? with[0] == 1 || with[0] > 9 : with[1] == 1 || with[1] > 9 || !with[2];
    case 436: // close_range over the fuzzer's own
        with[0] = (uint32_t)with[0];
        if (with[0] <= CONSOLE)
            with[1] = with[0] + 3 < CONSOLE ? with[0] + 3 : with[0] - 1;
        return true;
    case 40: // gigabytes of /dev/zero
    case 275:
    case 326:
        with[self->call == 40 ? 3 : 4] &= 0xffff;
        return true;
    default:
        return true;
    }
}

bool draw(struct thread *self)
{
    const char *letters = self->call < 512 ? signatures[self->call] : "";
    bool end = false;
    for (unsigned i = 0; i < 6; i++) {
        end |= i == sizeof signatures[0] - 1 || !letters[i];
        char letter = end ? 'w' : letters[i];
        if (is_fixed(letter) || below(self, 10))
            self->arguments[i] = argument(self, letter);
        else
            self->arguments[i] = below(self, 4) ? wild(self) : (uint64_t)place(self, 8);
    }
    return allowed(self);
}
