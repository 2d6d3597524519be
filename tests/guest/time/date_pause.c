// A pause of the machine leaves the date behind, which a warning tells once; a machine without a clock chip
// says so.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @script date_pause.py

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    printf("date %ld\n", (long)time(NULL));
    fflush(stdout);
    if (time(NULL) > 1000000)
        for (int i = 0; i < 24; i++) { // the pause comes in here; two comparisons follow
            usleep(500000);
            time(NULL);
        }
    printf("date %ld\n", (long)time(NULL));
    return passed();
}
