// Shows what comes from a keyboard: keys that go down and up, what is held meanwhile, what they type.
// SPDX-License-Identifier: MIT
//
// Esc ends. The word keymap=de on the kernel command line says what the keys mean.
#include <baremetal/keyboard.h>
#include <baremetal/wait.h>
#include <stdio.h>

enum { ESC = 0x29 }; // a key's number: USB HID Usage Tables, "Keyboard/Keypad Page"

static bool readable(void *arg)
{
    (void)arg;
    return bm_keyboard_readable();
}

// The names of what is held.
static void print_modifiers(unsigned held)
{
    static const struct {
        unsigned bits;
        const char *name;
    } names[] = {{BM_KEY_SHIFT_LEFT | BM_KEY_SHIFT_RIGHT, "Shift"},
                 {BM_KEY_CONTROL_LEFT | BM_KEY_CONTROL_RIGHT, "Ctrl"},
                 {BM_KEY_ALT_LEFT, "Alt"},
                 {BM_KEY_ALT_RIGHT, "AltGr"},
                 {BM_KEY_GUI_LEFT | BM_KEY_GUI_RIGHT, "Super"},
                 {BM_KEY_CAPS_LOCK, "Caps Lock"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (held & names[i].bits)
            printf(" \033[36m%s\033[0m", names[i].name);
}

// A character as UTF-8; one that moves the cursor by its number.
static void print_character(uint32_t code)
{
    if (code < 0x20 || code == 0x7f)
        printf("  types 0x%02x", (unsigned)code);
    else if (code < 0x80)
        printf("  types \033[1m%c\033[0m", (int)code);
    else if (code < 0x800)
        printf("  types \033[1m%c%c\033[0m", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 0x3f)));
    else
        printf("  types \033[1m%c%c%c\033[0m", (int)(0xe0 | code >> 12), (int)(0x80 | (code >> 6 & 0x3f)),
               (int)(0x80 | (code & 0x3f)));
}

static void print_key(const struct bm_key_event *key)
{
    printf("key 0x%02x %s", key->usage,
           key->repeated  ? "\033[33magain\033[0m"
           : key->pressed ? "\033[32mdown\033[0m "
                          : "\033[31mup\033[0m   ");
    print_modifiers(key->modifiers);
    if (key->character)
        print_character(key->character);
    putchar('\n');
}

int main(void)
{
    struct bm_key_event key = {0};
    puts("Press keys; Esc ends.");
    while (key.usage != ESC || key.pressed) {
        fflush(stdout);
        bm_wait_until(readable, NULL, UINT64_MAX);
        if (bm_keyboard_read(&key))
            print_key(&key);
    }
    return 0;
}
