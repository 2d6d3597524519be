// The fault report: what happened, where, registers, backtrace; then the end of the machine.
// SPDX-License-Identifier: MIT
#include "../memory/paging.h"
#include "core.h"
#include "hooks.h"
#include "symbols.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

// Intel SDM volume 3, table 6-1, one after the other.
static const char exception_names[] =
    "divide by zero\0debug\0non-maskable interrupt\0breakpoint\0overflow\0bound range\0"
    "undefined instruction\0no FPU\0double fault\0coprocessor overrun\0invalid TSS\0"
    "segment not present\0stack segment\0general protection\0page fault\0reserved\0"
    "x87 floating point\0alignment check\0machine check\0SIMD floating point\0"
    "virtualisation\0control protection\0";

enum { VECTOR_DOUBLE_FAULT = 8, VECTOR_PAGE_FAULT = 14 };
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16 }; // error code of a page fault (section 4.7)

// The core that reports; others that fault meanwhile stop silently, so that there is one report.
static atomic_uint reporting;
static atomic_uint stopped; // cores that stand still for ever

static __attribute__((format(printf, 1, 2))) void print(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    bm_format_list(line, sizeof(line), format, arguments);
    va_end(arguments);
    size_t size = 0;
    while (line[size])
        size++;
    bm_console_write_unlocked(line, size);
}

bool bm_fault_reported(void)
{
    return atomic_load(&reporting);
}

void bm_core_stop(void)
{
    atomic_fetch_add(&stopped, 1);
    for (;;)
        __asm__ volatile("cli; hlt");
}

// Stops the other cores, so that nothing of theirs gets into the report. One that does not answer (it may be
// in a loop with interrupts off) is not waited for longer than about a second.
static void stop_others(void)
{
    enum { TRIES = 1000000 }; // port reads of about 1 us each
    bm_apic_stop_others();
    for (unsigned i = 0; i < TRIES && atomic_load(&stopped) + 1 < bm_core_arrived(); i++)
        bm_port_in8(0x61);
}

// One report a machine: the first core goes on, the second stops, and a fault within the report ends it.
static void begin_report(void)
{
    unsigned mine = bm_core_id() + 1, nobody = 0;
    __asm__ volatile("cli");
    if (!atomic_compare_exchange_strong(&reporting, &nobody, mine)) {
        if (nobody != mine)
            bm_core_stop();
        print("fault: another fault while reporting\n");
        bm_power_off(BM_POWER_FAULT);
    }
    stop_others();
    print("\n");
}

static const char *exception_name(uint64_t vector)
{
    const char *name = exception_names;
    for (uint64_t i = 0; i < vector && *name; i++)
        while (*name++)
            ;
    return *name ? name : "unknown exception";
}

// What an address is, in words that help.
static const char *describe(uint64_t address)
{
    uint64_t size;
    if (address < 0x10000)
        return " (null pointer)";
    if (bm_memory_is_guard(address))
        return " (stack overflow: guard page)";
    if (bm_symbols_in_image(address))
        return " (image)";
    return bm_paging_lookup(address, &size) ? "" : " (nothing is mapped there)";
}

static void print_where(void)
{
    print(", on core %u%s\n", bm_core_id(), bm_fiber_place ? bm_fiber_place() : "");
}

static void print_what(const struct bm_fault_frame *frame)
{
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    if (frame->vector == VECTOR_PAGE_FAULT ||
        (frame->vector == VECTOR_DOUBLE_FAULT && bm_memory_is_guard(address))) {
        const char *how = frame->error & FAULT_FETCH   ? "executing"
                          : frame->error & FAULT_WRITE ? "writing"
                                                       : "reading";
        const char *why = !(frame->error & FAULT_PRESENT) ? ""
                          : frame->error & FAULT_FETCH    ? ", which is not executable"
                                                          : ", which is read-only";
        print("fault: %s: %s address 0x%lx%s%s", exception_name(frame->vector), how, address, why,
              describe(address));
    } else {
        print("fault: %s: vector %lu, error code 0x%lx", exception_name(frame->vector), frame->vector,
              frame->error);
    }
    print_where();
}

// Four a line. The order is that of the report; the numbers are those of the words in the frame.
static void print_registers(const struct bm_fault_frame *frame)
{
#define WORD(name) __builtin_offsetof(struct bm_fault_frame, name) / sizeof(uint64_t)
    static const char names[] =
        "rip\0rsp\0rbp\0rfl\0rax\0rbx\0rcx\0rdx\0rsi\0rdi\0r8 \0r9 \0r10\0r11\0r12\0r13\0"
        "r14\0r15";
    static const uint8_t words[] = {WORD(rip), WORD(rsp), WORD(rbp), WORD(rflags), WORD(rax), WORD(rbx),
                                    WORD(rcx), WORD(rdx), WORD(rsi), WORD(rdi),    WORD(r8),  WORD(r9),
                                    WORD(r10), WORD(r11), WORD(r12), WORD(r13),    WORD(r14), WORD(r15)};
    _Static_assert(sizeof(names) == 4 * sizeof(words), "a name for each word");
    for (unsigned i = 0; i < sizeof(words); i++)
        print("%s  %s %016lx", i && i % 4 == 0 ? "\n" : "", names + 4 * i,
              ((const uint64_t *)frame)[words[i]]);
    print("\n");
}

// Whether a word can be read there: the machine's memory lies in the upper half.
static bool is_word(uint64_t address)
{
    static uint64_t size; // not wanted; on the stack it would cost a canary
    return !(address & 7) && (int64_t)address >> 47 == -1 && bm_paging_lookup(address, &size);
}

static bool is_frame(uint64_t frame_pointer)
{
    return (frame_pointer & 4095) <= 4096 - 16 && is_word(frame_pointer);
}

// Which image it is (boot/image.ld): baremetal-symbolize compares it with that of the .debug file.
extern const uint32_t bm_image_id;

// What baremetal-symbolize unwinds by, since C libraries and leaves have no frame pointers: the words of the
// stack that may be return addresses (image+) or saved frame pointers (rsp+), each with its distance from
// rsp.
static void print_stack(uint64_t rsp, uint64_t rbp)
{
    enum { SIZE = 8192, SHOWN_MAX = 64 };
    unsigned shown = 0;
    print("  image %x\n  stack: rbp:rsp+0x%lx", bm_image_id, rbp - rsp);
    for (uint64_t at = 0; at < SIZE && shown < SHOWN_MAX; at += 8) {
        if (!is_word(rsp + at))
            continue;
        uint64_t word = *(const uint64_t *)(rsp + at);
        bool text = bm_symbols_in_image(word);
        word = text ? bm_symbols_offset(word) : word - rsp;
        if (text || word < SIZE)
            print("%s  0x%lx:%s+0x%lx", ++shown % 4 ? "" : "\n ", at, text ? "image" : "rsp", word);
    }
    print("\n");
}

static void print_outside(uint64_t address, const char *more)
{
    print("  at 0x%lx (not in the image)%s\n", address, more);
}

// Where the backtrace begins. A jump to nowhere has made no frame of its own: who called is on the top of the
// stack.
static uint64_t first_place(const struct bm_fault_frame *frame)
{
    const uint64_t *top = (const uint64_t *)frame->rsp;
    if (bm_symbols_in_image(frame->rip) || !is_frame(frame->rsp) || !bm_symbols_in_image(*top))
        return frame->rip;
    print_outside(frame->rip, ", called from");
    return *top - 1; // within the call instruction
}

void bm_fault_report(const struct bm_fault_frame *frame)
{
    begin_report();
    print_what(frame);
    print_registers(frame);
    print_stack(frame->rsp, frame->rbp);
    bm_backtrace_print(first_place(frame), frame->rbp);
    bm_power_off(BM_POWER_FAULT);
}

void bm_panic(const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    bm_format_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    begin_report();
    print("panic: %s", text);
    print_where();
    const uint64_t *mine = __builtin_frame_address(0);
    print_stack((uint64_t)(mine + 2), mine[0]);
    bm_backtrace_print(mine[1] - 1, mine[0]); // a call at a function's end returns to the next function
    bm_power_off(BM_POWER_FAULT);
}

// One line of a backtrace. The address is the image's own, as in its map file and debug information, and lies
// within the instruction: of a return address, the byte before.
static void print_place(uint64_t address)
{
    uint64_t offset;
    const char *name = bm_symbols_find(address, &offset);
    if (name)
        print("  at image+0x%lx %s+0x%lx\n", bm_symbols_offset(address), name, offset);
    else
        print("  at image+0x%lx\n", bm_symbols_offset(address));
}

void bm_backtrace_print(uint64_t instruction, uint64_t frame_pointer)
{
    enum { DEPTH_MAX = 32 };
    if (bm_symbols_in_image(instruction))
        print_place(instruction);
    else
        print_outside(instruction, "");
    for (unsigned depth = 0; depth < DEPTH_MAX && is_frame(frame_pointer); depth++) {
        const uint64_t *frame = (const uint64_t *)frame_pointer;
        if (!bm_symbols_in_image(frame[1]))
            break;
        print_place(frame[1] - 1);
        if (frame[0] <= frame_pointer) // frames of callers lie higher
            break;
        frame_pointer = frame[0];
    }
    if (!bm_symbols_present())
        print("  names: baremetal-symbolize <image>.debug < this report\n");
}
