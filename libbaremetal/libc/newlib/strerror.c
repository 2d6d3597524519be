// What newlib's perror and strerror_r call.
// SPDX-License-Identifier: MIT
#include <string.h>

struct _reent;
char *_strerror_r(struct _reent *state, int number, int internal, int *error);
char *_strerror_r(struct _reent *state, int number, int internal, int *error)
{
    (void)state;
    (void)internal;
    (void)error;
    return strerror(number);
}
