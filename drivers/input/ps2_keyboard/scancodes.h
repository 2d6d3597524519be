// Scan codes of set 1, as USB's usages: functions over memory.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// What has come of a key; all zeros at the start.
struct bm_scancodes {
    bool extended; // 0xe0 has come
    uint8_t skip;  // bytes of the Pause key, which come all at once
};

struct bm_scancode_key {
    uint8_t usage;
    bool pressed;
};

// Takes a byte; returns whether *key has changed by it. Any context.
bool bm_scancodes_take(struct bm_scancodes *self, uint8_t byte, struct bm_scancode_key *key);
