// What picolibc's perror and strerror_r call.
// SPDX-License-Identifier: MIT
#include <string.h>

char *_strerror_r(int number, int internal, int *error);
char *_strerror_r(int number, int internal, int *error)
{
    (void)internal;
    (void)error;
    return strerror(number);
}
