// Rules of console.h, file.h, interrupt.h, log.h, option.h and random.h.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/console.h>
#include <baremetal/file.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/random.h>

// @misuse vector_twice bm_interrupt_free: only a vector that bm_interrupt_allocate returned may be given
// back, once
MISUSE(vector_twice)
{
    int vector = bm_interrupt_allocate(NULL, NULL);
    bm_interrupt_free(vector);
    bm_interrupt_free(vector);
}

// @misuse handler_takes_vector bm_interrupt_allocate: it must not be called in an interrupt handler
MISUSE(handler_takes_vector)
{
    bm_interrupt_allocate(NULL, NULL);
}

MISUSE(vector_in_handler)
{
    misuse_in_handler(handler_takes_vector);
}

// @misuse mute_console bm_console_add: a console must have a function `write`
MISUSE(mute_console)
{
    static struct bm_console console = {.name = "mute"};
    bm_console_add(&console);
}

// @misuse handler_reads bm_console_read: it must not be called in an interrupt handler
MISUSE(handler_reads)
{
    char byte;
    bm_console_read(&byte, 1);
}

MISUSE(read_in_handler)
{
    misuse_in_handler(handler_reads);
}

// @misuse log_without_subject bm_log: a line of the log must name its subject
MISUSE(log_without_subject)
{
    bm_log_error("", "nobody said this");
}

// @misuse log_without_level bm_log: there is no such level of the log
MISUSE(log_without_level)
{
    bm_log((enum bm_log_level)9, "misuse", "as loud as that");
}

// @misuse text_without_room bm_format: the buffer of a text must have room for its end
MISUSE(text_without_room)
{
    char text[1];
    bm_format(text, 0, "text");
}

// @misuse option_without_room bm_option_get_nth: there must be room for the value of a key
MISUSE(option_without_room)
{
    bm_option_get("ip", NULL, 0);
}

// @misuse option_turned_round bm_option_number: min must not be above max
MISUSE(option_turned_round)
{
    bm_option_number("cores", 9, 1, 4);
}

// @misuse handler_draws bm_random_fill: it must not be called in an interrupt handler
MISUSE(handler_draws)
{
    char bytes[4];
    bm_random_fill(bytes, sizeof bytes);
}

MISUSE(random_in_handler)
{
    misuse_in_handler(handler_draws);
}

// @misuse too_much_entropy bm_random_add: bytes are worth at most eight bits of entropy each
MISUSE(too_much_entropy)
{
    bm_random_add("misuse", "4", 1, 256);
}

static const struct bm_file_ops no_operations;

// @misuse release_twice bm_file_release: a file must not be released more often than it was acquired
MISUSE(release_twice)
{
    static struct bm_file file = {.ops = &no_operations};
    struct bm_file *same = bm_file_acquire(bm_file_install(&file, 3));
    bm_file_release(same);
    bm_file_release(same);
    bm_file_release(same);
}

// @misuse file_without_ops bm_file_install: a file must have operations
MISUSE(file_without_ops)
{
    static struct bm_file file;
    bm_file_install(&file, 3);
}

const struct misuse misuse_kernel[] = {
    MISUSE_CASE(vector_twice),        {"handler_takes_vector", vector_in_handler},
    MISUSE_CASE(mute_console),        {"handler_reads", read_in_handler},
    MISUSE_CASE(log_without_subject), MISUSE_CASE(log_without_level),
    MISUSE_CASE(text_without_room),   MISUSE_CASE(option_without_room),
    MISUSE_CASE(option_turned_round), {"handler_draws", random_in_handler},
    MISUSE_CASE(too_much_entropy),    MISUSE_CASE(release_twice),
    MISUSE_CASE(file_without_ops),    MISUSE_END};
