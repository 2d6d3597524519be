// Calls with any numbers and any arguments, by threads on all cores: each ends in a result or a signal.
// SPDX-License-Identifier: MIT
//
// Arguments: a seed, seconds, threads, and perhaps the number of a thread that tells of each call before it.
// What a thread calls depends on the seed alone, what comes of it on the others, too.
#include "fuzz.h"

enum {
    THREADS_MAX = 8,
    ROUND = 300, // calls of a thread
    READ = 0,
    WRITE = 1,
    OPEN = 2,
    CLOSE = 3,
    MMAP = 9,
    MPROTECT = 10,
    MUNMAP = 11,
    RT_SIGACTION = 13,
    RT_SIGPROCMASK = 14,
    NANOSLEEP = 35,
    CLONE = 56,
    EXIT = 60,
    UNAME = 63,
    SIGALTSTACK = 131,
    EXIT_GROUP = 231,
    CLOCK_GETTIME = 228,
    TGKILL = 234,
    DUP2 = 33,
    STUCK_SECONDS = 60,
    FAULTS_MAX = 100000
};

char blocks[THREADS_MAX + 1][BLOCK] __attribute__((aligned(BLOCK)));
static struct thread *workers[THREADS_MAX];
static uint64_t seed, rounds;
static unsigned told = THREADS_MAX;

void *memcpy(void *to, const void *from, unsigned long size)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memset(void *to, int byte, unsigned long size)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

static char *append_number(char *at, uint64_t number, unsigned base)
{
    char digits[20];
    unsigned count = 0;
    do
        digits[count++] = "0123456789abcdef"[number % base];
    while (number /= base);
    while (count)
        *at++ = digits[--count];
    return at;
}

static char *append(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static void say(const char *what, uint64_t number)
{
    char line[80], *end = append_number(append(line, what), number, 10);
    *end++ = '\n';
    call3(WRITE, CONSOLE, (uint64_t)line, (uint64_t)(end - line));
}

static void tell(const char *what, const struct thread *thread)
{
    char line[240], *end = append_number(append(line, what), (uint64_t)thread->number, 10);
    end = append_number(append(end, " call "), thread->call, 10);
    for (unsigned i = 0; i < 6; i++)
        end = append_number(append(end, " "), thread->arguments[i], 16);
    *end++ = '\n';
    call3(WRITE, CONSOLE, (uint64_t)line, (uint64_t)(end - line));
}

static void end(int status)
{
    call3(EXIT_GROUP, (uint64_t)status, 0, 0);
}

void handler(int signal, const int *information, void *context)
{
    enum { ILL = 4, TRAP = 5, BUS = 7, FPE = 8, SEGV = 11, CODE = 2 };
    struct thread *self = thread_self();
    bool fault = signal == ILL || signal == TRAP || signal == BUS || signal == FPE || signal == SEGV;
    if (!fault || information[CODE] <= 0)
        return;
    static unsigned faults;
    if (!self->has_back &&
        ++faults < FAULTS_MAX) // a call of a thread says so of what it sends to the process
        return;
    if (!self->has_back) {
        const uint64_t *registers = context;
        say("the fuzzer's own text takes signal ", (uint64_t)signal);
        say("of thread ", (uint64_t)self->number);
        say("at ", registers[21]);
        say("with stack pointer ", registers[20]);
        say("of address ", *(const uint64_t *)(information + 4));
        end(2);
    }
    __builtin_longjmp(self->back, 1);
}

static void set_handlers(void)
{
    enum { FLAGS = 0x0c000004 }; // SA_ONSTACK, SA_RESTORER, SA_SIGINFO
    uint64_t action[4] = {(uint64_t)handler, FLAGS, (uint64_t)restorer, 0};
    for (uint64_t signal = 1; signal <= 64; signal++)
        call6(RT_SIGACTION, signal, (uint64_t)action, 0, 8, 0, 0);
}

// Without access behind it: a long array at its end would be another thread's, which may take it away
// meanwhile.
static void make_arena(struct thread *self)
{
    enum { READ_WRITE = 3, PRIVATE = 0x22, FIXED = 0x10, BEHIND = 1 << 20 };
    if (!self->arena)
        self->arena = (char *)call6(MMAP, 0, ARENA + BEHIND, 0, PRIVATE, -1ull, 0);
    long at = call6(MMAP, (uint64_t)self->arena, ARENA, READ_WRITE, PRIVATE | FIXED, -1ull, 0);
    if (at < 0 && at > -4096) {
        say("no memory is left; error ", (uint64_t)-at);
        end(0);
    }
    self->arena = (char *)at;
    call3(MPROTECT, (uint64_t)at + READ_ONLY * PAGE, PAGE, 1);
    call3(MPROTECT, (uint64_t)at + NO_ACCESS * PAGE, PAGE, 0);
    call3(MUNMAP, (uint64_t)at + NOT_THERE * PAGE, PAGE, 0);
}

static void put(long from, uint64_t to)
{
    if (from < 0 || (uint64_t)from == to)
        return;
    call3(DUP2, (uint64_t)from, to, 0);
    call3(CLOSE, (uint64_t)from, 0, 0);
}

static void put_pair(uint64_t call, uint64_t a, uint64_t b, uint64_t to)
{
    int pair[2];
    if (call6(call, a, b, 0, (uint64_t)pair, 0, 0) == 0) {
        put(pair[0], to);
        put(pair[1], to + 1);
    }
}

static void put_listener(uint64_t family, uint64_t type, uint64_t port, uint64_t to)
{
    enum { SOCKET = 41, BIND = 49, LISTEN = 50 };
    uint64_t address[2] = {family | (port >> 8 | (port & 255) << 8) << 16 | 0x0100007full << 32, 0};
    long made = call3(SOCKET, family, type, 0);
    call3(BIND, (uint64_t)made, (uint64_t)address, sizeof address);
    call3(LISTEN, (uint64_t)made, 4, 0);
    put(made, to);
}

// One of each kind, where the threads look for it.
static void make_descriptor(uint64_t which)
{
    enum { CREATE = 0x42, PATH = 0x200000, FOLDER = 0x10000, NONBLOCK = 2048 };
    uint64_t pair[1];
    uint64_t mask = 1 << 9;
    switch (which) {
    case 0:
        return put(call3(OPEN, (uint64_t) "/tmp/a", CREATE, 0600), 3);
    case 1:
        return put(call3(OPEN, (uint64_t) "/hello", 0, 0), 4);
    case 2:
        return put(call3(OPEN, (uint64_t) "/tmp", FOLDER, 0), 5);
    case 3:
        return put(call3(OPEN, (uint64_t) "/dev/zero", 2, 0), 6);
    case 4:
        return put(call3(OPEN, (uint64_t) "/dev/null", 2, 0), 7);
    case 5:
        return put(call3(OPEN, (uint64_t) "/dev/random", 2, 0), 8);
    case 6:
        if (call3(22, (uint64_t)pair, 0, 0) == 0) {
            put(((int *)pair)[0], 9);
            put(((int *)pair)[1], 10);
        }
        return;
    case 7:
        return put_pair(53, 1, 1, 11);
    case 8:
        return put_pair(53, 1, 2 | NONBLOCK, 13);
    case 9:
        return put_listener(2, 1, 8080, 15);
    case 10:
        return put_listener(2, 2, 8081, 16);
    case 11:
        return put(call3(41, 2, 1 | NONBLOCK, 0), 17);
    case 12:
        return put(call3(291, 0, 0, 0), 18);
    case 13:
        return put(call3(290, 3, 0, 0), 19);
    case 14:
        return put(call3(283, 1, 0, 0), 20);
    case 15:
        return put(call6(289, -1ull, (uint64_t)&mask, 8, 0, 0, 0), 21);
    case 16:
        return put(call3(OPEN, (uint64_t) "/tmp/a", PATH, 0), 22);
    case 17:
        return put(call3(319, (uint64_t) "memory", 0, 0), 23);
    case 18:
        return put(call3(41, 16, 3, 0), 25);
    case 19:
        return put(call3(41, 10, 2, 0), 26);
    case 20:
        return put(call3(41, 2, 3, 1), 27);
    default:
        return put(call3(41, 1, 5, 0), 28);
    }
}

enum { KINDS = 22 };

static void reset(struct thread *self)
{
    uint64_t none = 0, stack[3] = {(uint64_t)self + PAGE, 0, SIGNAL_STACK};
    call3(SIGALTSTACK, (uint64_t)stack, 0, 0);
    call6(RT_SIGPROCMASK, 2, (uint64_t)&none, 0, 8, 0, 0);
}

static void one(struct thread *self)
{
    if (!below(self, 32))
        make_arena(self);
    if (!below(self, 16))
        make_descriptor(below(self, KINDS));
    if (!below(self, 64)) {
        self->call = 15;
        hostile_return(self);
    }
    self->call = below(self, 40) ? below(self, 450) : wild(self);
    if (!draw(self))
        return;
    if (told == (unsigned)self->number)
        tell("thread ", self);
    const uint64_t *with = self->arguments;
    call6(self->call, with[0], with[1], with[2], with[3], with[4], with[5]);
}

static void run(struct thread *self)
{
    self->random = (seed * 1000003 + (uint64_t)self->number * 7919 + rounds) * 0x9e3779b97f4a7c15 | 1;
    while (self->calls % ROUND < ROUND - 1) {
        if (__builtin_setjmp(self->back))
            __asm__ volatile("cld\n\tfninit");
        self = thread_self();
        self->has_back = true;
        reset(self);
        self->calls++;
        one(self);
    }
    self->has_back = false;
    self->calls++;
    self->done = true;
    call3(EXIT, 0, 0, 0);
}

static void start(int number)
{
    enum { FLAGS = 0x10f00 }; // CLONE_VM, FS, FILES, SIGHAND, THREAD
    struct thread *self = (struct thread *)blocks[number];
    uint64_t *top = (uint64_t *)(blocks[number] + BLOCK - 64);
    workers[number] = self;
    self->number = number;
    self->has_back = false;
    self->done = false;
    top[0] = (uint64_t)run;
    top[1] = (uint64_t)self;
    rounds++;
    register long result __asm__("rax") = CLONE;
    __asm__ volatile("syscall\n\ttestq %%rax, %%rax\n\tjnz 1f\n\tpopq %%rax\n\tpopq %%rdi\n\tpushq "
                     "$0\n\tcall *%%rax\n\tud2\n1:"
                     : "+a"(result)
                     : "D"((uint64_t)FLAGS), "S"(top)
                     : "rcx", "r11", "memory", "r8", "r9", "r10", "rdx");
    self->id = (int)result;
    if (result < 0)
        self->id = 0;
}

static uint64_t now(void)
{
    uint64_t time[2] = {0, 0};
    call3(CLOCK_GETTIME, 1, (uint64_t)time, 0);
    return time[0] * 1000 + time[1] / 1000000;
}

static uint64_t total(unsigned threads)
{
    uint64_t calls = 0;
    for (unsigned i = 0; i < threads; i++)
        calls += workers[i]->calls;
    return calls;
}

// Ends waits, begins threads again that have ended, and tells how far all are.
static void supervise(unsigned threads, uint64_t seconds)
{
    uint64_t began = now(), said = began, last[THREADS_MAX] = {0}, moved[THREADS_MAX],
             pause[2] = {0, 3000000};
    for (unsigned i = 0; i < threads; i++)
        moved[i] = began;
    for (uint64_t time; (time = now()) - began < seconds * 1000;) {
        call3(NANOSLEEP, (uint64_t)pause, 0, 0);
        for (unsigned i = 0; i < threads; i++) {
            struct thread *worker = workers[i];
            if (!worker->id || (worker->done && call3(TGKILL, 1, (uint64_t)worker->id, 0) < 0))
                start((int)i);
            if (worker->calls != last[i])
                moved[i] = time;
            else
                call3(TGKILL, 1, (uint64_t)worker->id, KICK);
            last[i] = worker->calls;
            if (time - moved[i] < STUCK_SECONDS * 1000ull)
                continue;
            tell("stuck: thread ", worker);
            end(3);
        }
        if (time - said < 2000)
            continue;
        said = time;
        say("calls so far: ", total(threads));
    }
    say("calls: ", total(threads));
}

static uint64_t number_of(const char *text)
{
    uint64_t number = 0;
    while (text && *text >= '0' && *text <= '9')
        number = number * 10 + (uint64_t)(*text++ - '0');
    return number;
}

static bool is_linux(void)
{
    char names[6][65];
    call3(UNAME, (uint64_t)names, 0, 0);
    for (unsigned i = 0; names[2][i]; i++)
        if (names[2][i] == 'b' && names[2][i + 1] == 'a' && names[2][i + 2] == 'r')
            return false;
    return true;
}

void go(const uint64_t *stack)
{
    const char *const *words = (const char *const *)(stack + 1);
    if (is_linux() || stack[0] < 4) // it would shut down the host
        end(1);
    seed = number_of(words[1]);
    unsigned threads = (unsigned)number_of(words[3]);
    threads = !threads || threads > THREADS_MAX ? THREADS_MAX : threads;
    if (stack[0] > 4)
        told = (unsigned)number_of(words[4]);
    call3(DUP2, 1, CONSOLE, 0);
    for (uint64_t i = 0; i < 3; i++)
        call3(CLOSE, i, 0, 0);
    set_handlers();
    reset(thread_self());
    for (uint64_t i = 0; i < KINDS; i++)
        make_descriptor(i);
    for (unsigned i = 0; i < threads; i++) {
        make_arena((struct thread *)blocks[i]);
        start((int)i);
    }
    say("seed ", seed);
    supervise(threads, number_of(words[2]));
    end(0);
}

// On a block's stack as all threads are, so that the handler finds its structure.
__asm__(".globl _start\n"
        "_start: movq %rsp, %rdi\n"
        "leaq blocks(%rip), %rsp\n"
        "addq $0x23ffc0, %rsp\n" // the end of the last block
        "call go\n");
