// Making sure that a stack has memory below the stack pointer.
// SPDX-License-Identifier: MIT
#include "stack.h"

bool bm_stack_later;

__asm__(".text\n"
        ".globl bm_stack_touch, bm_stack_touched\n"
        ".hidden bm_stack_touched\n"
        ".type bm_stack_touch, @function\n"
        "bm_stack_touch:\n"
        "    testb %al, (%rdi)\n"
        "bm_stack_touched:\n"
        "    ret\n"
        ".size bm_stack_touch, . - bm_stack_touch\n");
