// What the work queue promises, checked on the cores that the host's machine has.
// SPDX-License-Identifier: MIT
#pragma once

// Each ends the program when a promise is broken; what items write is plain data on purpose, so that
// ThreadSanitizer sees whether it is handed over properly.
void check_items(void);
void check_nesting(void);
void check_pinned(void);
void check_groups(void);
void check_group_then_alone(void);
void check_several_waiters(void);
void check_wait_while_submitted_anew(void);
void check_interrupt_submissions(void);
void check_loops(void);

// These need two cores or more: main does not help, so others have to wake up.
void check_wake_one(void);
void check_wake_all(void);
