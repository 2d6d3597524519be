// Faults of the program become signals, when it has handlers for them; else the report tells more.
// SPDX-License-Identifier: MIT
//
// Only those of its own text, and of the C library's on its behalf: the kernel's are never the program's
// doing, and it may hold locks. What copies memory is called by both; its caller tells.
#include "../base/core.h"
#include "../cpu/fault_take.h"
#include "../memory/paging.h"
#include "../space/space.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/memory.h>

// boot/image.ld
extern const char bm_program_begin[] __attribute__((visibility("hidden")));
extern const char bm_program_end[] __attribute__((visibility("hidden")));
extern const char bm_library_begin[] __attribute__((visibility("hidden")));
extern const char bm_library_copies[] __attribute__((visibility("hidden")));
extern const char bm_library_end[] __attribute__((visibility("hidden")));

extern __typeof__(bm_space_mapped) bm_space_mapped __attribute__((weak)); // where memory is mapped
extern __typeof__(bm_space_holds) bm_space_holds __attribute__((weak));

// Intel SDM volume 3, table 6-1.
enum {
    DIVIDE = 0,
    DEBUG = 1,
    BREAKPOINT = 3,
    UNDEFINED = 6,
    SEGMENT = 11,
    STACK = 12,
    PAGE = 14,
    X87 = 16,
    ALIGNMENT = 17,
    SIMD = 19
};
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2 }; // error code of a page fault (section 4.7)

// si_code.
enum {
    FPE_INTDIV = 1,
    FPE_FLTDIV = 3,
    FPE_FLTOVF = 4,
    FPE_FLTUND = 5,
    FPE_FLTRES = 6,
    FPE_FLTINV = 7,
    ILL_ILLOPN = 2,
    TRAP_TRACE = 2,
    SEGV_MAPERR = 1,
    SEGV_ACCERR = 2,
    BUS_ADRALN = 1,
    BUS_ADRERR = 2
};

static bool is_text(uint64_t address)
{
    uint64_t size, entry = bm_paging_lookup(address, &size);
    return entry && !(entry & BM_PTE_NO_EXECUTE);
}

// In the image, or of an executable of Linux', which alone is ever in the lower half of the addresses.
static bool is_program(uint64_t address)
{
    enum { LOW_BITS = 47 };
    return (address >= (uint64_t)bm_program_begin && address < (uint64_t)bm_program_end) ||
           (address >= (uint64_t)bm_library_begin && address < (uint64_t)bm_library_end) ||
           (address >> LOW_BITS == 0 && (bm_linux_signals_late || is_text(address))) ||
           (&bm_linux_jit && bm_space_holds && bm_space_holds(address) && is_text(address));
}

static bool is_copying(uint64_t address)
{
    return address >= (uint64_t)bm_library_copies && address < (uint64_t)bm_library_end;
}

static bool is_readable(uint64_t address)
{
    uint64_t size;
    return address % sizeof(uint64_t) == 0 && bm_linux_signal_address(address) &&
           bm_paging_lookup(address, &size);
}

// Whether the program's text was interrupted, or what the program jumped to: then who called is on top.
static bool is_programs(const struct bm_fault_frame *frame)
{
    enum { FLAG_IF = 1 << 9 };
    const struct bm_core *core = bm_core_self();
    if (core->no_switch || core->in_interrupt || !(frame->rflags & FLAG_IF))
        return false;
    if (is_program(frame->rip) && !is_copying(frame->rip))
        return true;
    return (is_copying(frame->rip) || !is_text(frame->rip)) && is_readable(frame->rsp) &&
           is_program(*(const uint64_t *)frame->rsp) && !is_copying(*(const uint64_t *)frame->rsp);
}

// By the flags of what was not masked (volume 1, sections 4.9.1 and 8.5); Linux' order.
static int floating_code(unsigned flags)
{
    enum { INVALID = 1, DENORMAL = 2, DIVISION = 4, OVERFLOW = 8, UNDERFLOW = 16, PRECISION = 32 };
    if (flags & INVALID)
        return FPE_FLTINV;
    if (flags & DIVISION)
        return FPE_FLTDIV;
    if (flags & OVERFLOW)
        return FPE_FLTOVF;
    if (flags & (UNDERFLOW | DENORMAL))
        return FPE_FLTUND;
    return flags & PRECISION ? FPE_FLTRES : 0;
}

static int x87_code(void)
{
    uint16_t status, control;
    __asm__ volatile("fnstsw %0\n\tfnstcw %1" : "=m"(status), "=m"(control));
    return floating_code(status & ~control & 0x3fu);
}

static int simd_code(void)
{
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return floating_code(mxcsr & ~(mxcsr >> 7) & 0x3fu);
}

// A page that is not there may be a mapping without access.
static int page_code(uint64_t address, uint64_t error)
{
    if (error & FAULT_PRESENT)
        return SEGV_ACCERR;
    return bm_space_mapped && bm_space_mapped(address & ~(BM_PAGE_SIZE - 1), BM_PAGE_SIZE) ? SEGV_ACCERR
                                                                                           : SEGV_MAPERR;
}

static struct bm_linux_signal page_fault(uint64_t error)
{
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    if (!(error & FAULT_PRESENT) && bm_space_lacks && bm_space_lacks(address, error & FAULT_WRITE))
        return (struct bm_linux_signal){LINUX_SIGBUS, 0, BUS_ADRERR, 0, {address}};
    return (struct bm_linux_signal){LINUX_SIGSEGV, 0, page_code(address, error), 0, {address}};
}

static struct bm_linux_signal signal_of(const struct bm_fault_frame *frame)
{
    uint64_t at = frame->rip;
    switch (frame->vector) {
    case DIVIDE:
        return (struct bm_linux_signal){LINUX_SIGFPE, 0, FPE_INTDIV, 0, {at}};
    case DEBUG:
        return (struct bm_linux_signal){LINUX_SIGTRAP, 0, TRAP_TRACE, 0, {at}};
    case BREAKPOINT:
        return (struct bm_linux_signal){LINUX_SIGTRAP, 0, LINUX_SI_KERNEL, 0, {0}};
    case UNDEFINED:
        return (struct bm_linux_signal){LINUX_SIGILL, 0, ILL_ILLOPN, 0, {at}};
    case SEGMENT:
    case STACK:
        return (struct bm_linux_signal){LINUX_SIGBUS, 0, LINUX_SI_KERNEL, 0, {0}};
    case PAGE:
        return page_fault(frame->error);
    case X87:
        return (struct bm_linux_signal){LINUX_SIGFPE, 0, x87_code(), 0, {at}};
    case SIMD:
        return (struct bm_linux_signal){LINUX_SIGFPE, 0, simd_code(), 0, {at}};
    case ALIGNMENT:
        return (struct bm_linux_signal){LINUX_SIGBUS, 0, BUS_ADRALN, 0, {0}};
    default: // an address that is none, a register that must not be touched
        return (struct bm_linux_signal){LINUX_SIGSEGV, 0, LINUX_SI_KERNEL, 0, {0}};
    }
}

// One that is blocked or ignored ends the program, as on Linux: there would be no going on.
bool bm_linux_signal_fault(struct bm_fault_frame *frame)
{
    if (!is_programs(frame))
        return false;
    struct bm_linux_signals *self = bm_linux_signals_self();
    const struct bm_linux_signal what = signal_of(frame);
    struct bm_linux_action action = bm_linux_action_of(what.signal, false);
    if ((uintptr_t)action.handler <= 1 || atomic_load(&self->blocked) & bm_linux_signal_bit(what.signal))
        return false;
    if (!bm_linux_signal_frame(self, frame, &what, &action))
        return false;
    bm_linux_action_of(what.signal, true);
    bm_linux_signal_enter(self, frame, NULL);
    return true;
}
