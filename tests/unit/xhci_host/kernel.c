// The kernel around the driver. Addresses for the controller differ from pointers, so that one is not taken
// for the other.
// SPDX-License-Identifier: MIT
#include "kernel.h"

#include "controller.h"

#include <baremetal/error.h>
#include <baremetal/keyboard.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SHIFT 0x10000000000ull
enum { BLOCKS = 256 };

unsigned log_errors, log_warnings, keys_down, key_repeats, keyboard_modifiers = BM_KEY_NUM_LOCK;
uint8_t keys[256];
uint64_t controller_now;
struct bm_pci_device controller_device = {.device = {.name = "pci 00:04.0"}};
struct bm_poller *kernel_poller;
bm_interrupt_handler kernel_line;
void *kernel_line_arg;

static unsigned block_count;
static struct {
    void *memory;
    size_t size;
} blocks[BLOCKS];

void *bm_frame_allocate(unsigned order)
{
    if (block_count == BLOCKS)
        return NULL;
    blocks[block_count].size = BM_PAGE_SIZE << order;
    return blocks[block_count++].memory = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void *bm_frame_allocate_below(unsigned order, unsigned bits)
{
    return bits == 32 ? bm_frame_allocate(order) : NULL;
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + SHIFT;
}

void *kernel_at(uint64_t address, size_t length)
{
    for (unsigned i = 0; i < block_count; i++) {
        uint64_t offset = address - SHIFT - (uint64_t)(uintptr_t)blocks[i].memory;
        if (offset <= blocks[i].size && length <= blocks[i].size - offset)
            return (char *)blocks[i].memory + offset;
    }
    abort(); // the driver has handed out what it does not have
}

unsigned controller_blocks(void)
{
    return block_count;
}

void kernel_free(void)
{
    while (block_count)
        free(blocks[--block_count].memory);
    kernel_poller = NULL;
    kernel_line = NULL;
    memset(keys, 0, sizeof keys);
    log_errors = log_warnings = keys_down = key_repeats = 0;
    keyboard_modifiers = BM_KEY_NUM_LOCK;
}

uint64_t bm_time_monotonic(void)
{
    return controller_now += 1000;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    log_errors += level == BM_LOG_ERROR;
    log_warnings += level == BM_LOG_WARN;
}

void bm_poller_add(struct bm_poller *poller)
{
    kernel_poller = poller;
}

unsigned bm_keyboard_modifiers(void)
{
    return keyboard_modifiers;
}

void bm_keyboard_key(uint8_t usage, bool pressed)
{
    key_repeats += pressed && keys[usage];
    keys_down += pressed && !keys[usage];
    keys_down -= !pressed && keys[usage]; // another keyboard may have let it go
    keys[usage] = pressed;
}

int bm_pci_bar_get(struct bm_pci_device *device, unsigned index, struct bm_pci_bar *bar)
{
    (void)device;
    *bar = (struct bm_pci_bar){.base = 0xfe000000, .size = KERNEL_REGISTERS};
    return index ? -BM_ENOENT : 0;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    static char registers[1];
    (void)device;
    return !index && !offset && length <= KERNEL_REGISTERS ? registers : NULL;
}

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
}

void bm_pci_disable(struct bm_pci_device *device)
{
    (void)device;
    controller.disabled++;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    (void)device, (void)max;
    return controller.no_messages ? -BM_ENODEV : 1;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device, (void)handler, (void)arg;
    return index ? -BM_EINVAL : 0;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    (void)device;
    kernel_line = handler;
    kernel_line_arg = arg;
    return controller.no_line ? -BM_ENODEV : 0;
}
