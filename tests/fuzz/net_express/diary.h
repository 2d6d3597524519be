// What is seen of a run, event by event: written down in the first run, compared in the second.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;

// Whom a note is about: a connection, or none of them.
enum { CONNECTIONS = 2, NOBODY = CONNECTIONS };

void diary_start(bool compare);
void diary_event(const char *name); // the next one; its name for the message
// Ends the program with a sentence when the first run had something else. `what` is the same text each time.
void diary_note(unsigned whom, const char *what, uint64_t value);
void diary_state(unsigned whom, const struct tcp_pcb *connection); // all that it consists of; NULL: none
void diary_event_end(void);                                        // the first run saw nothing more of it
_Noreturn void diary_fail(const char *sentence);                   // about the event that is under way

// A number for so many bytes; `so_far` is 0 or that of those before.
uint64_t diary_hash(uint64_t so_far, const void *bytes, unsigned count);
