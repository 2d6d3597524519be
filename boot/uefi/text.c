// Reads text that comes from the firmware and from files.
// SPDX-License-Identifier: MIT
//
// Device paths: UEFI specification 2.10, chapter 10.
#include "text.h"

enum {
    PATH_END = 0x7f,
    PATH_END_ALL = 0xff,
    PATH_MESSAGING = 3,
    PATH_UART = 14,
    PATH_MEDIA = 4,
    PATH_FILE = 4,
    PATH_NODES_MAX = 256,
    LENGTH_MAX = BM_EFI_PATH_MAX - BM_EFI_NAME_MAX - 1
};

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static bool printable(unsigned c)
{
    return c >= ' ' && c <= '~';
}

static bool blank(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// True when the words that end at `length` are one that ends in .efi.
static bool is_program(const char *word, unsigned length)
{
    const char *end = ".efi";
    if (length < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if ((word[length - 4 + i] | 0x20) != end[i] && word[length - 4 + i] != end[i])
            return false;
    return true;
}

static void drop_program(char *line)
{
    unsigned length = 0, from;
    while (line[length] && line[length] != ' ')
        length++;
    if (!is_program(line, length))
        return;
    for (from = length; line[from] == ' '; from++)
        ;
    char *to = line;
    do
        *to++ = line[from];
    while (line[from++]);
}

bool bm_efi_options_read(char line[BM_EFI_LINE_MAX], const uint8_t *options, uint64_t size)
{
    unsigned length = 0;
    uint64_t step = size >= 2 && options[1] == 0 ? 2 : 1;
    line[0] = 0;
    for (uint64_t at = 0; at + step <= size; at += step) {
        unsigned c = step == 2 ? read16(options + at) : options[at];
        if (!c)
            break;
        if (blank(c))
            c = ' ';
        if (!printable(c) || length == BM_EFI_LINE_MAX - 1) {
            line[0] = 0;
            return false;
        }
        line[length++] = (char)c;
        line[length] = 0;
    }
    drop_program(line);
    return true;
}

bool bm_efi_file_read(char line[BM_EFI_LINE_MAX], const uint8_t *bytes, uint64_t size)
{
    unsigned length = 0;
    bool wide = size >= 2 && read16(bytes) == 0xfeff, start = true, comment = false;
    uint64_t at = wide ? 2 : size >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf ? 3 : 0;
    line[0] = 0;
    for (uint64_t step = wide ? 2 : 1; at + step <= size; at += step) {
        unsigned c = wide ? read16(bytes + at) : bytes[at];
        if (start && c == '#')
            comment = true;
        start = c == '\n';
        if (start)
            comment = false;
        if (comment)
            continue;
        if (blank(c))
            c = ' ';
        if (!printable(c) || length == BM_EFI_LINE_MAX - 1) {
            line[0] = 0;
            return false;
        }
        if (c != ' ' || (length && line[length - 1] != ' '))
            line[length++] = (char)c;
        line[length] = 0;
    }
    if (length && line[length - 1] == ' ')
        line[length - 1] = 0;
    return true;
}

// One step along a device path: the node's length, 0 when it ends or is broken.
static uint16_t node_length(const uint8_t *node)
{
    uint16_t length = read16(node + 2);
    return length < 4 || node[0] == PATH_END ? 0 : length;
}

// Appends the text of a node; several nodes are joined by one backslash.
static bool append(bm_efi_char *path, unsigned *length, const uint8_t *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bm_efi_char c = read16(text + 2 * i);
        if (!c)
            break;
        if (c == '\\' && *length && path[*length - 1] == '\\')
            continue;
        if (*length >= LENGTH_MAX)
            return false;
        path[(*length)++] = c;
    }
    return true;
}

bool bm_efi_path_beside(bm_efi_char path[BM_EFI_PATH_MAX], const uint8_t *device_path, const char *name)
{
    unsigned length = 0;
    const uint8_t *node = device_path;
    for (unsigned nodes = 0; nodes < PATH_NODES_MAX && node_length(node);
         nodes++, node += node_length(node)) {
        if (node[0] != PATH_MEDIA || node[1] != PATH_FILE)
            continue;
        if (length && length < LENGTH_MAX && path[length - 1] != '\\')
            path[length++] = '\\';
        if (!append(path, &length, node + 4, (node_length(node) - 4u) / 2))
            return false;
    }
    if (!length)
        return false;
    unsigned end = length;
    for (unsigned i = length; i-- && path[i] != '\\';)
        if (name[0] != '.' || path[i] == '.') {
            end = i;
            if (name[0] == '.')
                break;
        }
    for (unsigned i = 0; name[i] && i < BM_EFI_NAME_MAX - 1; i++)
        path[end++] = (bm_efi_char)name[i];
    path[end] = 0;
    return true;
}

bool bm_efi_path_serial(const uint8_t *paths, uint64_t size)
{
    for (uint64_t at = 0; size - at >= 4;) {
        uint16_t length = read16(paths + at + 2);
        if (length < 4 || length > size - at)
            return false;
        if (paths[at] == PATH_MESSAGING && paths[at + 1] == PATH_UART)
            return true;
        if (paths[at] == PATH_END && paths[at + 1] == PATH_END_ALL)
            return false;
        at += length;
    }
    return false;
}
