// Cores: how many there are, and which one this is.
// SPDX-License-Identifier: MIT
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum { BM_CORES_MAX = 255 }; // that the kernel can run

// Cores that run, 1 to 255. The first call waits, at most some seconds, for those that boot started to
// arrive.
unsigned bm_core_count(void);

// As many as there are to be, 1 to 255: while drivers attach the others have not been called yet, and nobody
// waits for them here. Any core.
unsigned bm_core_called(void);

#ifdef BM_HOST_TEST
// As below, of a test on the host.
unsigned bm_core_id(void);
#else
// Number of the calling core, 0 … bm_core_count() - 1; main begins on core 0, and stays there in programs
// without threads (thread.h). A thread may be on another core after each function that waits. Any context.
static inline unsigned bm_core_id(void)
{
    unsigned id;
    __asm__ volatile("mov %%gs:16, %0" : "=r"(id));
    return id;
}
#endif

#ifdef __cplusplus
}
#endif
