// getenv, setenv, unsetenv and putenv work on an environment that starts out valid.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @append env.PLACE=here env.EMPTY= -- word

#include "check.h"

extern char **environ;

int main(void)
{
    CHECK(environ != NULL);
    CHECK(getenv("PLACE") != NULL && strcmp(getenv("PLACE"), "here") == 0);
    CHECK(getenv("EMPTY") != NULL && strcmp(getenv("EMPTY"), "") == 0);
    CHECK(getenv("COLOUR") == NULL);
    CHECK(setenv("COLOUR", "red", 0) == 0);
    CHECK(strcmp(getenv("COLOUR"), "red") == 0);
    CHECK(setenv("COLOUR", "green", 0) == 0);
    CHECK(strcmp(getenv("COLOUR"), "red") == 0);
    CHECK(setenv("COLOUR", "a longer colour than before", 1) == 0);
    CHECK(strcmp(getenv("COLOUR"), "a longer colour than before") == 0);
    CHECK(getenv("COLOU") == NULL);
    CHECK(unsetenv("COLOUR") == 0);
    CHECK(getenv("COLOUR") == NULL);
    for (int i = 0; i < 200; i++) {
        char name[16], value[16];
        snprintf(name, sizeof(name), "N%d", i);
        snprintf(value, sizeof(value), "%d", i * i);
        CHECK(setenv(name, value, 1) == 0);
    }
    CHECK(strcmp(getenv("N199"), "39601") == 0);
    CHECK(strcmp(getenv("N0"), "0") == 0);
    return passed();
}
