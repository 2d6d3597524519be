// Which consoles the command line wants.
// SPDX-License-Identifier: MIT
#include "names.h"
#include "console.h"

#include <baremetal/log.h>
#include <baremetal/option.h>

enum { NAMES_SIZE = 64 };

static const char known[][8] = {"serial", "screen", "vga", "virtio"};

// The next name of a list; NULL at its end.
static const char *name_next(const char **list, size_t *length)
{
    const char *name = *list;
    for (*length = 0; name[*length] && name[*length] != ',';)
        ++*length;
    *list = name + *length + (name[*length] == ',');
    return *name ? name : NULL;
}

static bool is_same(const char *name, const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && name[i] == text[i] && name[i])
        i++;
    return i == length && !name[i];
}

void bm_console_names_check(void)
{
    char text[NAMES_SIZE];
    size_t length;
    if (bm_option_get("console", text, sizeof text) < 0)
        return;
    for (const char *list = text, *name; (name = name_next(&list, &length));) {
        bool found = false;
        for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
            found |= is_same(known[i], name, length);
        if (!found)
            bm_log_warn("console",
                        "console=%.*s: there is no such console; there are: serial, screen, vga, virtio",
                        (int)length, name);
    }
}

bool bm_console_wanted(const char *wanted)
{
    char text[NAMES_SIZE];
    size_t length;
    if (bm_option_get("console", text, sizeof text) < 0)
        return true;
    for (const char *list = text, *name; (name = name_next(&list, &length));)
        if (is_same(wanted, name, length))
            return true;
    return false;
}

static void swallow(struct bm_console *console, const char *text, size_t size)
{
    (void)console;
    (void)text;
    (void)size;
}

void bm_console_add_wanted(struct bm_console *console)
{
    bm_console_add(console);
    if (!bm_console_wanted("serial"))
        bm_serial_console()->write = swallow;
}
