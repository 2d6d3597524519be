// Thread-local variables are initialised, aligned and writable; errno is one of them.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl

#include <math.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

static _Thread_local int initialised = 42;
static _Thread_local int zeroed[100];
static _Thread_local _Alignas(64) char aligned_64[64] = "sixty-four";
static _Thread_local _Alignas(256) char aligned_256[256];
static _Thread_local char odd = 'x';

int main(void)
{
    CHECK(initialised == 42);
    for (int i = 0; i < 100; i++) {
        CHECK(zeroed[i] == 0);
        zeroed[i] = i;
    }
    CHECK((uintptr_t)hidden((unsigned long)aligned_64) % 64 == 0);
    CHECK(strcmp(aligned_64, "sixty-four") == 0);
    CHECK((uintptr_t)hidden((unsigned long)aligned_256) % 256 == 0);
    CHECK(aligned_256[255] == 0);
    CHECK(odd == 'x');
    initialised++;
    CHECK(initialised == 43);
    CHECK(zeroed[99] == 99);
    errno = 0;
    CHECK(read(77, &odd, 1) == -1);
    CHECK(errno == EBADF);
    errno = 0;
    unsigned long self;
    __asm__("mov %%fs:0, %0" : "=r"(self));
    CHECK(*(unsigned long *)self == self);
    return passed();
}
