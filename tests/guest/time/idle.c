// A sleeping program halts its cores: the host's processor is not kept busy. No device is served.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @script idle.py

#include "idle.h"

int main(void)
{
    sleep_watched();
    return passed();
}
