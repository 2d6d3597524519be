// Says whether the image has the network, of which it calls one function.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
    puts(socket(AF_INET, SOCK_STREAM, 0) >= 0 ? "socket" : "no socket");
    return 0;
}
