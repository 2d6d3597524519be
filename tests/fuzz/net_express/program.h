// The program whose connections these are: what it does in its callbacks and outside of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;

enum program_option {
    OPTION_SCALE = 1, // the peer's SYN asks for scaled windows
    OPTION_SACK = 2,
    OPTION_NODELAY = 4,
    OPTION_SMALL = 8,  // the peer takes segments of 536 bytes
    OPTION_LAZY = 16,  // the program tells lwIP of data that it has read only when it is asked to
    OPTION_CLOSED = 32 // not connected at the start
};

void program_start(void); // once: listens
void program_reset(const uint8_t options[]);
struct tcp_pcb *program_connection(
    unsigned number); // lwIP's control block, whether the program still knows it or not; NULL: none

enum program_moment { MOMENT_RECEIVED, MOMENT_SENT, MOMENT_POLLED, MOMENTS };
// What it does when lwIP calls it the next time. An action is any byte.
void program_plan(unsigned number, enum program_moment moment, uint8_t action, uint8_t amount);
void program_act(unsigned number, uint8_t action, uint8_t amount); // now, in no callback
