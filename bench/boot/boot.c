// A program that does nothing: how far boot is when main begins.
// SPDX-License-Identifier: MIT
#include "../marker.h"

int main(void)
{
    BM_MARKER(1);
    return 0;
}
