// Where signals come in: an exception of our own at three places, so that the processor saves all registers (signal_frame.c).
// SPDX-License-Identifier: MIT
//
// `int $4` is the vector of INTO, which 64-bit mode does not have: nothing else raises it.

        .text
        .macro place name
        .global \name
        .hidden \name
        .type \name, @function
\name:
        .endm

        // By who has signals to take, at the end of a call. Returns, in the context of the first one's handler, 0 or -EINTR.
        place bm_linux_signal_call
        int     $4
        place bm_linux_signal_called
        ret

        // Where a tick of the time slices lets the program's own text go on: below its red zone stands where it was.
        place bm_linux_signal_inject
        int     $4
        place bm_linux_signal_injected
        ud2

        // Handlers return here, %rsp tells their ucontext_t.
        place bm_linux_rt_sigreturn
        int     $4
        place bm_linux_signal_returned
        ud2

        .section .note.GNU-stack, "", @progbits
