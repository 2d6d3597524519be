// A sample: who calls whom where a core was interrupted.
// SPDX-License-Identifier: MIT
//
// Functions with a frame pointer tell their caller. The C libraries' have none, nor have leaves and functions
// in their first instructions: there a word on the stack counts as the return address when the instruction
// before it calls the function in question, or, on top of the stack, calls by a pointer. What lies nearer to
// the stack pointer is the caller.
#include "../cpu/apic.h"
#include "../cpu/core.h"
#include "../cpu/fault_take.h"
#include "../cpu/symbols.h"
#include "../memory/paging.h"
#include "profile.h"

#include <baremetal/core.h>

extern const char bm_slice_entry[] __attribute__((weak)); // in images with threads

enum { WORD = sizeof(uint64_t), LOW_BITS = 47, LOWEST = 0x10000 };
enum {
    FRAME_MAX = 1 << 20,    // bytes between a frame and its caller's
    SCAN_MAX = 4096,        // bytes of the stack that are looked at where no frame pointer helps
    FUNCTION_MAX = 1 << 14, // bytes of a function whose end is not known
    BUDGET = 1 << 15,       // bytes of code that a sample looks at for jumps
};
// CALL (Intel SDM volume 2): to a distance, or by a register or word in memory.
enum {
    CALL_SIZE = 5,
    CALL = 0xe8,
    CALL_BY_SIZE_MIN = 2,
    CALL_BY_SIZE_MAX = 7,
    CALL_BY = 0xff,
    DIGIT = 0x38,
    DIGIT_2 = 0x10
};
// JMP and Jcc to a distance: the last byte of the opcode comes before the distance.
enum { JUMP_SIZE = 5, JUMP = 0xe9, JUMP_IF = 0x80 };

// Where the walk is: within a function, whose frame lies above `stack`; %rbp may hold anything.
struct place {
    uint64_t code, stack, rbp;
    unsigned budget; // bytes of code that may still be looked at for jumps
};

// Whether there is memory, and no device that notices when it is read. It may go at any time.
static bool is_memory(uint64_t address)
{
    uint64_t size, entry = bm_paging_lookup(address, &size);
    return entry && !(entry & BM_PTE_NO_CACHE);
}

static bool load(uint64_t address, uint64_t *word)
{
    return is_memory(address) && is_memory(address + WORD - 1) && bm_profile_load(address, word);
}

static bool take(struct bm_fault_frame *frame)
{
    if (frame->rip != (uint64_t)bm_profile_load)
        return false;
    frame->rip = (uint64_t)bm_profile_load_failed;
    return true;
}

static struct bm_fault_taker taker = {.take = take, .early = true};

void bm_profile_walk_start(void)
{
    static bool started;
    if (!started)
        bm_fault_taker_add(&taker);
    started = true;
}

// Code is the image's, or that of a Linux program as it is (executable/).
static bool is_code(uint64_t address)
{
    return bm_symbols_in_image(address) || (address >= LOWEST && address >> LOW_BITS == 0);
}

// The frame pointer of the function, when %rbp may be one: 0 if not.
static uint64_t frame_of(const struct place *place)
{
    uint64_t frame = place->rbp, back;
    bool is_near = frame % WORD == 0 && frame >= place->stack && frame - place->stack < FRAME_MAX;
    return is_near && load(frame + WORD, &back) && is_code(back) ? frame : 0;
}

// The bytes before an address, when they can be read and are code.
static bool code_before(uint64_t address, unsigned size, uint8_t bytes[WORD])
{
    uint64_t begin = address - size, word;
    if (!is_code(address) || !is_code(begin) || !load(begin, &word))
        return false;
    __builtin_memcpy(bytes, &word, WORD);
    return true;
}

// Whether the function that begins at `entry` jumps to the one that begins at `other`: a call as its last act
// leaves no trace on the stack. Both are the image's. *budget: bytes of code that may still be looked at.
static bool ends_in(uint64_t entry, uint64_t other, unsigned *budget)
{
    enum { STRIDE = 32 }; // bytes after which it is asked whether the function goes on
    uint64_t offset;
    const uint8_t *code = (const uint8_t *)entry;
    for (unsigned i = JUMP_SIZE; *budget && bm_symbols_in_image(entry + i - 1); i++, --*budget) {
        int32_t distance;
        __builtin_memcpy(&distance, code + i - sizeof distance, sizeof distance);
        bool is_jump = code[i - JUMP_SIZE] == JUMP || (code[i - JUMP_SIZE] & 0xf0) == JUMP_IF;
        bool is_found = is_jump && entry + i + (uint64_t)(int64_t)distance == other;
        bool is_end =
            (is_found || i % STRIDE == 0) && (!bm_symbols_find(entry + i - 1, &offset) || offset != i - 1);
        if (is_found || is_end)
            return is_found && !is_end;
    }
    return false;
}

// Whether the instruction before this address calls the function at `code`, which begins at `entry`; 0: not
// known.
static bool is_call_of(uint64_t address, uint64_t code, uint64_t entry, unsigned *budget)
{
    uint8_t call[WORD];
    if (!code_before(address, CALL_SIZE, call) || *call != CALL)
        return false;
    int32_t distance;
    __builtin_memcpy(&distance, call + 1, sizeof distance);
    uint64_t target = address + (uint64_t)(int64_t)distance;
    if (!entry)
        return code - target < FUNCTION_MAX;
    return target == entry || (bm_symbols_in_image(target) && ends_in(target, entry, budget));
}

static bool is_call_by_pointer(uint64_t address)
{
    for (unsigned size = CALL_BY_SIZE_MIN; size <= CALL_BY_SIZE_MAX; size++) {
        uint8_t call[WORD];
        if (code_before(address, size, call) && call[0] == CALL_BY && (call[1] & DIGIT) == DIGIT_2)
            return true;
    }
    return false;
}

// Where on the stack the return address of a function without a frame pointer lies, below `end`; 0: not
// found.
static uint64_t scan(struct place *place, uint64_t end)
{
    uint64_t offset, word, entry = bm_symbols_find(place->code, &offset) ? place->code - offset : 0;
    for (uint64_t at = place->stack; at < end; at += WORD) {
        if (!load(at, &word))
            return 0;
        if (is_code(word) && is_call_of(word, place->code, entry, &place->budget))
            return at;
    }
    return 0;
}

static bool go(struct place *place, uint64_t at)
{
    uint64_t back;
    if (!load(at, &back))
        return false;
    place->code = back - 1; // within the call instruction
    place->stack = at + WORD;
    return true;
}

// A leaf that was called by a pointer: its return address is on top. Returns false if that is not so.
static bool leave_leaf(struct place *place)
{
    uint64_t back;
    return load(place->stack, &back) && is_call_by_pointer(back) && go(place, place->stack);
}

// Goes on to the caller. Returns false where none is found.
static bool to_caller(struct place *place)
{
    uint64_t frame = frame_of(place), limit = place->stack + SCAN_MAX, above;
    uint64_t found = scan(place, frame && frame < limit ? frame : limit);
    if (found)
        return go(place, found);
    if (!frame || !load(frame, &above) || !go(place, frame + WORD))
        return false;
    place->rbp = above;
    return true;
}

// A thread whose time slice has just ended, by the same timer, goes on at the slice's end: what it did lies
// on top of its stack (wait/slice.S).
static const struct bm_interrupted *behind_slice(const struct bm_interrupted *where)
{
    bool is_slice = bm_slice_entry && where->rip == (uint64_t)bm_slice_entry;
    return is_slice ? (const struct bm_interrupted *)where->rsp : where;
}

void bm_profile_sample(const struct bm_interrupted *where, uint64_t rbp)
{
    struct bm_core *core = bm_core_self();
    struct bm_profile_table *table = bm_profile_table_of(core->id);
    core->in_interrupt = BM_CORE_INTERRUPT; // so that a fault here is nobody's but this file's
    where = behind_slice(where);
    uint64_t stack[BM_PROFILE_DEPTH_MAX];
    struct place place = {where->rip, where->rsp, rbp, BUDGET};
    unsigned depth = 1;
    stack[0] = place.code;
    if (place.stack % WORD == 0)
        for (bool goes_on = leave_leaf(&place) || to_caller(&place); goes_on && depth < BM_PROFILE_DEPTH_MAX;
             goes_on = to_caller(&place))
            stack[depth++] = place.code;
    if (table)
        bm_profile_table_add(table, stack, depth);
    core->in_interrupt = BM_CORE_NO_INTERRUPT;
    bm_apic_write(BM_APIC_EOI, 0);
}
