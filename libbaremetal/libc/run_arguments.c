// argv of any length, in QEMU's fw_cfg: argv=fw_cfg on the kernel command line, which baremetal-run
// writes when that line cannot hold them. Linked by baremetal::run.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU, docs/specs/fw_cfg.rst: a selector port and a port of data; one entry lists the files, with numbers
// whose high byte comes first. The file has argv[1…], each with a NUL behind it.
#include "libc.h"

#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/option.h>
#include <stddef.h>

BM_OPTION(argv, "fw_cfg: the program's arguments are in QEMU's fw_cfg");

#define NAME "opt/libbaremetal/arguments"

enum {
    PORT_SELECTOR = 0x510,
    PORT_DATA = 0x511,
    KEY_SIGNATURE = 0,
    KEY_FILES = 0x19,
    FILES_MAX = 1024,   // more than QEMU lists
    BYTES_MAX = 4 << 20 // half of a program's stack
};

struct entry {
    uint32_t size;
    uint16_t key, reserved;
    char name[56];
};

static void take(void *to, size_t size)
{
    for (uint8_t *at = to; size; size--)
        *at++ = bm_port_in8(PORT_DATA);
}

static bool is_same(const char *name, const char *wanted)
{
    while (*name == *wanted && *name)
        name++, wanted++;
    return *name == *wanted;
}

// Selects the file; returns its size, 0 when there is none.
static uint32_t find(void)
{
    uint32_t signature, count;
    bm_port_out16(PORT_SELECTOR, KEY_SIGNATURE);
    take(&signature, sizeof signature);
    if (signature != 0x554d4551) // "QEMU"
        return 0;
    bm_port_out16(PORT_SELECTOR, KEY_FILES);
    take(&count, sizeof count);
    count = __builtin_bswap32(count);
    for (uint32_t i = 0; i < count && i < FILES_MAX; i++) {
        struct entry entry;
        take(&entry, sizeof entry);
        entry.name[sizeof entry.name - 1] = 0;
        if (!is_same(entry.name, NAME))
            continue;
        bm_port_out16(PORT_SELECTOR, __builtin_bswap16(entry.key));
        return __builtin_bswap32(entry.size);
    }
    return 0;
}

// The strings as a vector behind the program's name. Returns their number with it, 0 without memory.
static int make(char ***argv, uint32_t size)
{
    char *text = bm_memory_permanent((size_t)size + 1, 1); // zeros: the last one ends in any case
    size_t count = 1;
    if (!text)
        return 0;
    take(text, size);
    for (uint32_t i = 0; i < size; i++)
        count += !text[i];
    char **words = bm_memory_permanent((count + 1) * sizeof *words, sizeof *words);
    if (!words)
        return 0;
    words[0] = bm_program_name;
    for (size_t i = 1; i < count; i++) {
        words[i] = text;
        while (*text++)
            ;
    }
    *argv = words;
    return (int)count;
}

int __real_bm_arguments_make(char ***argv);
int __wrap_bm_arguments_make(char ***argv);

int __wrap_bm_arguments_make(char ***argv)
{
    char value[8] = "";
    int length = bm_option_get("argv", value, sizeof value);
    if (length < 0)
        return __real_bm_arguments_make(argv);
    if (!is_same(value, "fw_cfg")) {
        bm_log_error("run", "argv=%s: the only place for them is fw_cfg; taking those of the command line",
                     value);
        return __real_bm_arguments_make(argv);
    }
    uint32_t size = find();
    int count = size && size <= BYTES_MAX ? make(argv, size) : 0;
    if (count)
        return count;
    bm_log_error("run", "argv=fw_cfg: %s; taking those of the command line",
                 !size              ? "there is no file " NAME
                 : size > BYTES_MAX ? "the file has more than 4 MiB"
                                    : "not enough memory");
    return __real_bm_arguments_make(argv);
}
