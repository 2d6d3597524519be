// The tests of test_work.c with cores that halt by MWAIT: they are woken by a write, without an interrupt.
// SPDX-License-Identifier: MIT
// @sources tests/unit/test_work.c
// @sources libbaremetal/work/work.c libbaremetal/work/queue.c libbaremetal/work/parallel.c
// @sources libbaremetal/wait/halt.c
// @sources tests/unit/work_host/machine.c tests/unit/work_host/queue_checks.c
// @defines MACHINE_MWAIT
// @sanitize thread
#include "work_host/machine.h" // where MACHINE_MWAIT counts
