// What is typed on a keyboard, as bytes of the console and as keys.
// SPDX-License-Identifier: MIT
// @link ps2_keyboard xhci
// @script keys.py
// @variants newlib-checked
#include "check.h"

#include <baremetal/console.h>
#include <baremetal/keyboard.h>
#include <baremetal/wait.h>

static bool something(void *arg)
{
    (void)arg;
    return bm_console_readable() || bm_keyboard_readable();
}

int main(void)
{
    static const char end[] = "quit";
    unsigned matched = 0;
    puts("ready");
    while (matched < sizeof end - 1) {
        struct bm_key_event key;
        char byte;
        fflush(stdout);
        bm_wait_until(something, NULL, UINT64_MAX);
        while (bm_keyboard_read(&key))
            printf("key %02x %s %x %x\n", key.usage,
                   key.repeated  ? "again"
                   : key.pressed ? "down"
                                 : "up",
                   key.modifiers, (unsigned)key.character);
        while (bm_console_read(&byte, 1) == 1) {
            printf("byte %02x\n", (unsigned char)byte);
            matched = byte == end[matched] ? matched + 1 : 0;
        }
    }
    return passed();
}
