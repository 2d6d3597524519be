// What the files of the POSIX layer share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/file.h>
#include <errno.h>

enum { BM_ARGUMENTS_MAX = 64 }; // words of argv, and variables from the command line

// A kernel result as POSIX wants it: -1 and errno for a negative one.
static inline long bm_posix_result(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

// path.c: makes an absolute path without empty parts, `.` and `..` in out[PATH_MAX]. Returns 0 or an
// errno. There is one working directory, the root.
int bm_path_resolve(const char *path, char *out);
// embedded.c: whether a file lies below the resolved path[PATH_MAX]; the root always is a directory. Changes
// behind its end.
bool bm_embedded_is_directory(char *path);

// arguments.c: splits `text` in place into words at spaces; quotes (" and ') keep spaces and disappear, a
// backslash outside '…' takes the next character as it is. Fills argv[0 … return - 1] with at most `max`
// words and says in *cut whether there were more.
int bm_arguments_split(char *text, char **argv, int max, int *cut);

// program_name.c, or the image's own: argv[0].
extern char bm_program_name[];

// arguments.c: argv from the command line behind ` -- `; environ from its env.NAME=value words.
int bm_arguments_make(char ***argv);
void bm_environment_make(void);

// tls.c: thread-local storage of this core, with the canary of the stack protector.
void bm_tls_start(void);
// tls.c: that of a new thread, at the end of its stack (thread/thread.h).
void *bm_tls_make(void **end, size_t size, unsigned number);
// linux/start.c: whether that can be done yet.
bool bm_tls_ready(void);
