// Keyboards: which keys are down, what they type, and events for who wants keys as such.
// SPDX-License-Identifier: MIT
#include <baremetal/keyboard.h>

#include "keymap.h"

#include <baremetal/console.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <stdatomic.h>
#include <stddef.h>

BM_OPTION(keymap, "us (default), de or fr: what the keys of a keyboard type");

enum { EVENTS = 64, MODIFIERS = 0xe0, CAPS_LOCK = 0x39, NUM_LOCK = 0x53, KEYPAD = 0x59, KEYPAD_END = 0x63 };
enum { SHIFT = BM_KEY_SHIFT_LEFT | BM_KEY_SHIFT_RIGHT, CONTROL = BM_KEY_CONTROL_LEFT | BM_KEY_CONTROL_RIGHT };

static struct {
    const struct bm_keymap *map;
    uint32_t down[8]; // by usage
    _Atomic(uint16_t) modifiers;
    uint32_t dead;           // that waits for its letter
    struct bm_spinlock lock; // of it all: several keyboards may be served at once
    struct bm_key_event ring[EVENTS];
    _Atomic(unsigned) head, tail;
} keyboard = {.modifiers = BM_KEY_NUM_LOCK};

static void map_choose(void)
{
    char name[8];
    keyboard.map = bm_keymap_find("us");
    int length = bm_option_get("keymap", name, sizeof name);
    const struct bm_keymap *wanted = length < 0 ? keyboard.map : bm_keymap_find(name);
    if (wanted)
        keyboard.map = wanted;
    else
        bm_log_warn("keymap", "keymap=%s: there is no such layout; there are: us, de, fr", name);
}

static void type(const char *bytes)
{
    while (*bytes)
        bm_console_input(*bytes++);
}

static void type_character(uint32_t code)
{
    if (code < 0x80)
        bm_console_input((char)code);
    else if (code < 0x800) {
        bm_console_input((char)(0xc0 | code >> 6));
        bm_console_input((char)(0x80 | (code & 0x3f)));
    } else {
        bm_console_input((char)(0xe0 | code >> 12));
        bm_console_input((char)(0x80 | (code >> 6 & 0x3f)));
        bm_console_input((char)(0x80 | (code & 0x3f)));
    }
}

// What keys without a character send: xterm's sequences.
static const char *sequence(uint8_t usage)
{
    static const char text[][6] = {[0x3a - 0x3a] = "\033OP",
                                   "\033OQ",
                                   "\033OR",
                                   "\033OS",
                                   "\033[15~",
                                   "\033[17~",
                                   "\033[18~",
                                   "\033[19~",
                                   "\033[20~",
                                   "\033[21~",
                                   "\033[23~",
                                   "\033[24~", // F1 to F12
                                   [0x49 - 0x3a] = "\033[2~",
                                   "\033[H",
                                   "\033[5~",
                                   "\033[3~",
                                   "\033[F",
                                   "\033[6~",
                                   "\033[C",
                                   "\033[D",
                                   "\033[B",
                                   "\033[A"}; // Insert to Page Down, arrows
    return usage >= 0x3a && usage - 0x3au < sizeof text / sizeof *text && *text[usage - 0x3a]
               ? text[usage - 0x3a]
               : NULL;
}

// Keys of the number pad, without Num Lock, are those of the same name elsewhere.
static uint8_t keypad_other(uint8_t usage)
{
    static const uint8_t other[] = {0x4d, 0x51, 0x4e, 0x50, 0, 0x4f, 0x4a, 0x52, 0x4b, 0x49, 0x4c};
    return other[usage - KEYPAD];
}

static uint32_t character_of(uint8_t usage)
{
    unsigned held = keyboard.modifiers;
    if (usage >= KEYPAD && usage < KEYPAD_END)
        return (uint32_t) "1234567890"[usage - KEYPAD];
    bool shift = held & SHIFT;
    uint32_t plain = bm_keymap_character(keyboard.map, usage, 0);
    bool is_letter = (plain >= 'a' && plain <= 'z') || (plain >= 0xe0 && plain < 0xff && plain != 0xf7);
    if (held & BM_KEY_CAPS_LOCK && is_letter && bm_keymap_character(keyboard.map, usage, 1) + 32 == plain)
        shift = !shift;
    return bm_keymap_character(keyboard.map, usage, shift | (held & BM_KEY_ALT_RIGHT ? 2 : 0));
}

// An accent waits; with its letter it becomes one character, with another both.
static uint32_t compose(uint32_t code)
{
    uint32_t dead = keyboard.dead;
    keyboard.dead = 0;
    if (code >= BM_DEAD_GRAVE && code < BM_DEAD_END && !dead) {
        keyboard.dead = code;
        return 0;
    }
    uint32_t both = dead ? bm_keymap_compose(dead, code) : 0;
    if (dead && !both)
        type_character(bm_keymap_compose(dead, ' '));
    if (code >= BM_DEAD_GRAVE && code < BM_DEAD_END)
        return bm_keymap_compose(code, ' ');
    return both ? both : code;
}

// Ctrl with a character of ASCII is what terminals send; Ctrl with Space is 0, Ctrl with ? or / is as usual.
static uint32_t control_of(uint32_t code)
{
    if (code >= 0x40 && code < 0x7f)
        return code & 0x1f;
    return code == ' ' ? 0 : code == '/' ? 0x1f : code;
}

static uint32_t press(uint8_t usage)
{
    bool keypad = usage >= KEYPAD && usage <= KEYPAD_END;
    if (keypad && !(keyboard.modifiers & BM_KEY_NUM_LOCK))
        usage = keypad_other(usage);
    const char *keys = sequence(usage);
    if (keys) {
        type(keys);
        return 0;
    }
    uint32_t code = usage ? character_of(usage) : 0;
    if (usage == KEYPAD_END && !code)
        code = '.';
    if (!code || !(code = compose(code)))
        return 0;
    if (keyboard.modifiers & BM_KEY_ALT_LEFT)
        bm_console_input(0x1b);
    if (keyboard.modifiers & CONTROL)
        code = control_of(code);
    type_character(code);
    return code;
}

static void event_put(const struct bm_key_event *event)
{
    keyboard.ring[keyboard.head % EVENTS] = *event;
    keyboard.head++;
    if (keyboard.head - keyboard.tail > EVENTS)
        keyboard.tail++; // the oldest is lost
}

static void modifier_change(uint8_t usage, bool pressed, bool repeated)
{
    uint16_t bit = usage >= MODIFIERS && usage < MODIFIERS + 8 ? (uint16_t)(1u << (usage - MODIFIERS)) : 0;
    keyboard.modifiers = (uint16_t)(pressed ? keyboard.modifiers | bit : keyboard.modifiers & ~bit);
    if (pressed && !repeated && usage == CAPS_LOCK)
        keyboard.modifiers ^= BM_KEY_CAPS_LOCK;
    if (pressed && !repeated && usage == NUM_LOCK)
        keyboard.modifiers ^= BM_KEY_NUM_LOCK;
}

void bm_keyboard_key(uint8_t usage, bool pressed)
{
    uint32_t bit = 1u << usage % 32, *down = &keyboard.down[usage / 32];
    struct bm_key_event event = {.usage = usage, .pressed = pressed};
    bm_spinlock_acquire(&keyboard.lock);
    if (!keyboard.map)
        map_choose();
    event.repeated = pressed && *down & bit;
    *down = pressed ? *down | bit : *down & ~bit;
    modifier_change(usage, pressed, event.repeated);
    event.character = pressed ? press(usage) : 0;
    event.modifiers = keyboard.modifiers;
    event_put(&event);
    bm_spinlock_release(&keyboard.lock);
}

unsigned bm_keyboard_modifiers(void)
{
    return keyboard.modifiers;
}

bool bm_keyboard_readable(void)
{
    return atomic_load(&keyboard.head) != atomic_load(&keyboard.tail);
}

bool bm_keyboard_read(struct bm_key_event *event)
{
    bm_spinlock_acquire(&keyboard.lock);
    bool found = bm_keyboard_readable();
    if (found)
        *event = keyboard.ring[keyboard.tail++ % EVENTS];
    bm_spinlock_release(&keyboard.lock);
    return found;
}
