// Whether what the arguments of a call point to can be reached, by the rules of pointers.def.
// SPDX-License-Identifier: MIT
#include "../linux/linux.h"
#include "../linux/sysv.h"
#include "../space/space.h"
#include "executable.h"

#include <baremetal/memory.h>

enum { IN = 0, OUT = 1, OPTIONAL = 2 };
enum kind {
    BYTES,
    COUNT,
    COUNT_INT,
    STRING,
    ARRAY,
    PIECES,
    MESSAGE,
    MESSAGES,
    SIZED,
    BITS,
    MASK,
    PAGES,
    TYPED,
    MSGCTL,
    SEMCTL,
    SHMCTL,
    EVENT,
    UNREAD,
    IOCTL,
    FCNTL,
    PRCTL,
    FUTEX,
    NAME
};

enum {
#define BM_LINUX_NUMBER(number, name) NUMBER_##name = (number),
#include "../linux/numbers.def"
};

struct rule {
    uint16_t number;
    uint8_t argument, use, kind;
    uint16_t first, second;
};

static const struct rule rules[] = {
#define BM_EXECUTABLE_POINTER(name, argument, use, kind, first, second)                                      \
    {NUMBER_##name, argument, use, kind, first, second},
#include "pointers.def"
};

enum { RULES = sizeof rules / sizeof *rules };
static uint16_t first_rule[BM_EXECUTABLE_NUMBERS];
_Static_assert(RULES <= UINT16_MAX + 1, "first_rule has the number of a rule");

void bm_executable_pointers_start(void)
{
    for (unsigned i = RULES; i-- > 0;) {
        first_rule[rules[i].number] = (uint16_t)i;
        bm_executable_classes[rules[i].number] |= BM_EXECUTABLE_POINTERS;
    }
}

static bool reaches(uint64_t address, uint64_t size, unsigned use)
{
    return !size || bm_space_reachable(address, size, use & OUT);
}

static bool reaches_array(uint64_t address, uint64_t count, uint64_t unit, unsigned use)
{
    uint64_t size;
    return !__builtin_mul_overflow(count, unit, &size) && reaches(address, size, use);
}

// A string that is longer than any path is the call's to refuse.
static bool reaches_string(uint64_t address)
{
    enum { LONGEST = 4096 };
    uint64_t left = BM_PAGE_SIZE - (address & (BM_PAGE_SIZE - 1)); // on its page
    for (uint64_t length = 0; length < LONGEST; length += left, left = BM_PAGE_SIZE) {
        if (!reaches(address + length, 1, IN))
            return false;
        for (uint64_t i = 0; i < left; i++)
            if (!((const char *)address)[length + i])
                return true;
    }
    return true;
}

struct piece {
    uint64_t base, length;
};

// A count that is not valid is the call's to refuse, before it looks at any.
static bool reaches_piece_array(uint64_t address, uint64_t count)
{
    return count > BM_PIECES_MAX || reaches_array(address, count, sizeof(struct piece), IN);
}

static bool reaches_pieces(uint64_t address, uint64_t count, unsigned use)
{
    if (count > BM_PIECES_MAX)
        return true;
    if (!reaches_piece_array(address, count))
        return false;
    const struct piece *pieces = (const struct piece *)address;
    for (uint64_t i = 0; i < count; i++)
        if (!reaches(pieces[i].base, pieces[i].length, use))
            return false;
    return true;
}

// struct mmsghdr; a msghdr is what it begins with.
struct message {
    uint64_t name;
    uint32_t name_size, pad;
    uint64_t pieces, piece_count, control, control_size;
    int32_t flags, pad_too;
    uint32_t moved, pad_last;
};
enum { MESSAGE_SIZE = 56 };
_Static_assert(offsetof(struct message, moved) == MESSAGE_SIZE, "struct msghdr");

static bool reaches_message(const struct message *message, unsigned use)
{
    return (!message->name || reaches(message->name, message->name_size, use)) &&
           (!message->control || reaches(message->control, message->control_size, use)) &&
           reaches_pieces(message->pieces, message->piece_count, use);
}

// The call writes how much went, whichever way.
static bool reaches_messages(uint64_t address, uint64_t count, unsigned use)
{
    if (count > BM_PIECES_MAX)
        count = BM_PIECES_MAX;
    if (!reaches_array(address, count, sizeof(struct message), OUT))
        return false;
    const struct message *messages = (const struct message *)address;
    for (uint64_t i = 0; i < count; i++)
        if (!reaches_message(&messages[i], use))
            return false;
    return true;
}

// Calls write no more than there is, however much they may.
static bool reaches_sized(uint64_t address, uint64_t size, uint32_t largest, unsigned use)
{
    if (!reaches(size, sizeof(uint32_t), OUT))
        return false;
    uint32_t room = *(const uint32_t *)size;
    return reaches(address, room < largest ? room : largest, use);
}

static bool reaches_mask(uint64_t address)
{
    if (!reaches(address, 2 * sizeof(uint64_t), IN))
        return false;
    uint64_t set = *(const uint64_t *)address;
    return !set || reaches(set, sizeof(uint64_t), IN);
}

// Of mq_notify: SIGEV_THREAD has a cookie.
static bool reaches_event(uint64_t address)
{
    enum { EVENT_SIZE = 64, THREAD = 2, COOKIE = 32 };
    if (!reaches(address, EVENT_SIZE, IN))
        return false;
    const struct bm_linux_event *event = (const struct bm_linux_event *)address;
    return event->notify != THREAD || reaches(event->value, COOKIE, IN);
}

// A message of System V is its type and its text; who receives one may have room for more than any has, and
// who sends more is refused by the call.
static bool reaches_typed(uint64_t address, uint64_t size, unsigned use)
{
    enum { TYPE = 8, LARGEST = 8192 };
    uint64_t more = use & OUT ? LARGEST : 0;
    return reaches(address, TYPE + (size <= LARGEST ? size : more), use);
}

// Of msgctl and semctl; with other commands nobody looks there.
static bool reaches_msgctl(uint64_t address, uint32_t command)
{
    enum { INFORMATION = 32, STATUS = 120, SYSTEM_INFORMATION = 12 };
    command &= ~(uint32_t)SYSV_64;
    return command == SYSV_REMOVE ||
           reaches(address,
                   command == SYSV_INFORMATION || command == SYSTEM_INFORMATION ? INFORMATION : STATUS, OUT);
}

static bool reaches_shmctl(uint64_t address, uint32_t command)
{
    enum { LIMITS = 72, INFORMATION = 48, STATUS = 112, LOCK = 11, UNLOCK = 12, SYSTEM_INFORMATION = 14 };
    command &= ~(uint32_t)SYSV_64;
    if (command == SYSV_REMOVE || command == LOCK || command == UNLOCK)
        return true;
    return reaches(address,
                   command == SYSV_INFORMATION     ? LIMITS
                   : command == SYSTEM_INFORMATION ? INFORMATION
                                                   : STATUS,
                   OUT);
}

static bool reaches_semctl(const uint64_t arguments[6])
{
    enum { INFORMATION = 40, STATUS = 104 };
    enum { GET_ALL = 13, SET_ALL = 17, STATUS_AT = 18, SYSTEM_INFORMATION = 19, STATUS_ANY = 20 };
    switch (arguments[2] & ~(uint64_t)SYSV_64 & UINT32_MAX) {
    case GET_ALL:
    case SET_ALL:
        return reaches(arguments[3], 2 * (uint64_t)bm_linux_sysv_semaphores((int)arguments[0]), OUT);
    case SYSV_SET:
    case SYSV_STATUS:
    case STATUS_AT:
    case STATUS_ANY:
        return reaches(arguments[3], STATUS, OUT);
    case SYSV_INFORMATION:
    case SYSTEM_INFORMATION:
        return reaches(arguments[3], INFORMATION, OUT);
    default:
        return true;
    }
}

// The size of what a request moves: most numbers say so themselves (Linux' ioctl encoding).
static uint64_t ioctl_size(uint32_t request)
{
    enum { TERMIOS = 36, INTERFACE = 40, ASYNC = 0x5452, SECTORS = 0x1260, FLUSH = 0x1261 };
    switch (request >> 8) {
    case 0x54:
        return request == ASYNC    ? 4
               : request <= 0x5408 ? (request <= 0x5404 ? TERMIOS : 18)
               : request == LINUX_TIOCGWINSZ || request == LINUX_TIOCGWINSZ + 1 ? 8
               : request >= 0x540f && request <= 0x5424                         ? 4
                                                                                : 0;
    case 0x12: // of disks
        return request == SECTORS ? sizeof(uint64_t) : request == FLUSH ? 0 : sizeof(int);
    case 0x89:
        return INTERFACE;
    default:
        return request >> 16 & 0x3fff;
    }
}

// Those that set something read alone.
static unsigned ioctl_use(uint32_t request)
{
    static const uint16_t set[] = {0x5402, 0x5403, 0x5404, 0x5406,        0x5407, 0x5408,
                                   0x5410, 0x5412, 0x5414, LINUX_FIONBIO, 0x5452};
    enum { TELLS = 1u << 31 };
    for (unsigned i = 0; i < sizeof set / sizeof *set; i++)
        if (request == set[i])
            return IN;
    return request >> 16 && !(request & TELLS) ? IN : OUT;
}

static uint64_t fcntl_size(uint32_t command)
{
    enum { SETOWN_EX = 15, GETLK_OPEN = 36, SETLKW_OPEN = 38 };
    if ((command >= LINUX_F_GETLK && command <= LINUX_F_SETLKW) ||
        (command >= GETLK_OPEN && command <= SETLKW_OPEN))
        return sizeof(struct linux_flock);
    return command == SETOWN_EX || command == LINUX_F_GETOWN_EX ? sizeof(struct linux_owner) : 0;
}

static unsigned fcntl_use(uint32_t command)
{
    enum { SETOWN_EX = 15, SETLK_OPEN = 37, SETLKW_OPEN = 38 };
    return command == LINUX_F_SETLK || command == LINUX_F_SETLKW || command == SETLK_OPEN ||
                   command == SETLKW_OPEN || command == SETOWN_EX
               ? IN
               : OUT;
}

// Of prctl: names of threads have 16 bytes.
static uint64_t name_size(uint32_t option)
{
    enum { GET_SIGNAL = 2, SET_NAME = 15, GET_NAME = 16, GET_SUBREAPER = 37, NAME_SIZE = 16 };
    if (option == SET_NAME || option == GET_NAME)
        return NAME_SIZE;
    return option == GET_SIGNAL || option == GET_SUBREAPER ? sizeof(int) : 0;
}

// Who wakes looks at no word; who waits has a time perhaps, who moves waiters has a second word.
static bool reaches_futex(unsigned argument, const uint64_t arguments[6])
{
    enum {
        WAIT = 0,
        WAKE = 1,
        REQUEUE = 3,
        CMP_REQUEUE = 4,
        LOCK_PI = 6,
        TRYLOCK_PI = 8,
        WAIT_BITSET = 9,
        WAKE_BITSET = 10,
        LOCK_PI2 = 13,
        COMMAND = 127
    };
    enum { WORD = 0, SECOND_WORD = 4 };
    unsigned command = arguments[1] & COMMAND;
    uint64_t address = arguments[argument];
    if (argument == WORD && ((command >= LOCK_PI && command <= TRYLOCK_PI) || command == LOCK_PI2))
        return reaches(address, sizeof(uint32_t), OUT);
    if (argument == WORD)
        return command == WAKE || command == WAKE_BITSET || reaches(address, sizeof(uint32_t), IN);
    if (argument == SECOND_WORD)
        return (command != REQUEUE && command != CMP_REQUEUE) || reaches(address, sizeof(uint32_t), IN);
    return (command != WAIT && command != WAIT_BITSET && command != LOCK_PI && command != LOCK_PI2) ||
           !address || reaches(address, sizeof(struct linux_timespec), IN);
}

// What depends on the call's own request, its second argument, or of prctl the first.
static bool reaches_request(const struct rule *rule, const uint64_t arguments[6])
{
    uint64_t address = arguments[rule->argument];
    uint32_t first = (uint32_t)arguments[0], request = (uint32_t)arguments[1];
    switch ((enum kind)rule->kind) {
    case IOCTL:
        return reaches(address, ioctl_size(request), ioctl_use(request));
    case FCNTL:
        return reaches(address, fcntl_size(request), fcntl_use(request));
    case PRCTL:
        return first != LINUX_ARCH_GET_FS || reaches(address, sizeof(uint64_t), OUT);
    case NAME:
        return reaches(address, name_size(first), OUT);
    default:
        return reaches_futex(rule->argument, arguments);
    }
}

static bool reaches_rule(const struct rule *rule, const uint64_t arguments[6])
{
    uint64_t address = arguments[rule->argument], by = arguments[rule->first < 6 ? rule->first : 0];
    if (rule->use & OPTIONAL && !address)
        return true;
    switch ((enum kind)rule->kind) {
    case BYTES:
        return reaches(address, rule->first, rule->use);
    case COUNT:
        return reaches_array(address, by, rule->second, rule->use);
    case COUNT_INT:
        return reaches_array(address, (uint32_t)by, rule->second, rule->use);
    case STRING:
        return reaches_string(address);
    case ARRAY:
        return reaches_piece_array(address, (uint32_t)by);
    case PIECES:
        return reaches_pieces(address, (uint32_t)by, rule->use);
    case MESSAGE:
        return reaches(address, MESSAGE_SIZE, rule->use) &&
               reaches_message((const struct message *)address, rule->use);
    case MESSAGES:
        return reaches_messages(address, (uint32_t)by, rule->use);
    case SIZED:
        return reaches_sized(address, by, rule->second, rule->use);
    case BITS:
        return (int32_t)by < 0 || reaches(address, ((uint32_t)by + 63ull) / 64 * 8, rule->use);
    case MASK:
        return reaches_mask(address);
    case TYPED:
        return reaches_typed(address, by, rule->use);
    case MSGCTL:
        return reaches_msgctl(address, (uint32_t)arguments[1]);
    case SHMCTL:
        return reaches_shmctl(address, (uint32_t)arguments[1]);
    case SEMCTL:
        return reaches_semctl(arguments);
    case EVENT:
        return reaches_event(address);
    case UNREAD:
        return true;
    case PAGES:
        return reaches(address, (by + BM_PAGE_SIZE - 1) / BM_PAGE_SIZE, rule->use);
    default:
        return reaches_request(rule, arguments);
    }
}

bool bm_executable_pointers_valid(uint64_t number, const uint64_t arguments[6])
{
    for (const struct rule *rule = &rules[first_rule[number]]; rule < rules + RULES && rule->number == number;
         rule++)
        if (!reaches_rule(rule, arguments))
            return false;
    return true;
}
