// Markers: no-operations that the counter plugin sees. On any machine they do nothing.
// SPDX-License-Identifier: MIT
//
// BM_MARKER(number) is the seven bytes 0f 1f 80 nn nn 4d 62: a NOP whose unused address displacement holds
// the number (0 … 65,535) below the magic 0x624d. Markers are not counted as instructions themselves, so what
// stands between two of them is the difference of their counts. Numbers from 0xff00 on command the plugin.
#pragma once

#define BM_MARKER(number) __asm__ volatile("nopl %c0(%%rax)" : : "i"(0x624d0000 | (number)) : "memory")

enum {
    BM_MARKER_PROFILE_BEGIN = 0xff00, // from here on, each block's instructions are counted
    BM_MARKER_PROFILE_END = 0xff01,
    BM_MARKER_TRACE_BEGIN = 0xff02, // from here on, each vCPU's blocks are written down in order
    BM_MARKER_TRACE_END = 0xff03,
    BM_MARKER_HALTED = 0xff04, // only in traces: the vCPU halted
};
