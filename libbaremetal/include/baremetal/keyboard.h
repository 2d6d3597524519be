// Keyboards: keys that go down and up, for programs that want them as such. What is typed comes by the
// console.
// SPDX-License-Identifier: MIT
//
// Drivers (CMake targets baremetal::ps2_keyboard, baremetal::xhci) tell of keys by their usage numbers (USB
// HID Usage Tables 1.12, section 10, "Keyboard/Keypad Page"), which name places on a US keyboard: 0x04 is the
// key A, 0x28 Return, 0x4f to 0x52 the arrows right, left, down, up, 0xe0 to 0xe7 the modifiers. The word
// keymap= says what they mean to the console: us (the default), de, fr.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bits of the modifiers that are held, and of the locks that are on.
enum bm_key_modifier {
    BM_KEY_CONTROL_LEFT = 1 << 0,
    BM_KEY_SHIFT_LEFT = 1 << 1,
    BM_KEY_ALT_LEFT = 1 << 2,
    BM_KEY_GUI_LEFT = 1 << 3,
    BM_KEY_CONTROL_RIGHT = 1 << 4,
    BM_KEY_SHIFT_RIGHT = 1 << 5,
    BM_KEY_ALT_RIGHT = 1 << 6, // AltGr on many keyboards
    BM_KEY_GUI_RIGHT = 1 << 7,
    BM_KEY_CAPS_LOCK = 1 << 8,
    BM_KEY_NUM_LOCK = 1 << 9 // on at the start
};

// A key has changed.
struct bm_key_event {
    uint8_t usage;      // which key
    bool pressed;       // or released
    bool repeated;      // pressed for long: the keyboard says so again and again
    uint16_t modifiers; // enum bm_key_modifier, afterwards
    uint32_t character; // what it types, Unicode; 0: nothing, or no single character
};

// Takes the oldest event that nobody has taken; returns whether there was one. The last 64 are kept. Any
// core, not in handlers.
bool bm_keyboard_read(struct bm_key_event *event);

// Whether bm_keyboard_read would return one. Any context; a condition for bm_wait_until.
bool bm_keyboard_readable(void);

// The modifiers that are held and the locks that are on, enum bm_key_modifier. Any context.
unsigned bm_keyboard_modifiers(void);

// For drivers: a key, by its `usage`, was `pressed` or released. One that is pressed again without having
// been released is repeated. By pollers; those of several keyboards may call it at once.
void bm_keyboard_key(uint8_t usage, bool pressed);

#ifdef __cplusplus
}
#endif
