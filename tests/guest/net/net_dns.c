// Looks up each of its arguments with getaddrinfo and prints what came; net_dns.py is the name server.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link net virtio_net virtio_rng
// @script net_dns.py

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

static void print_address(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        CHECK(inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text)) != NULL);
        CHECK(ntohs(four->sin_port) == 80);
    } else {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        CHECK(inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text)) != NULL);
        CHECK(ntohs(six->sin6_port) == 80);
    }
    printf(" %s", text);
}

static void look_up(const char *name, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int error = getaddrinfo(name, "80", &hints, &list);
    printf("%s:", name);
    if (error) {
        printf(" error %s\n", error == EAI_NONAME ? "EAI_NONAME" : gai_strerror(error));
        return;
    }
    for (const struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next) {
        CHECK(entry->ai_socktype == SOCK_STREAM);
        print_address(entry->ai_addr);
    }
    printf("\n");
    freeaddrinfo(list);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        look_up(argv[i], strncmp(argv[i], "six", 3) == 0 ? AF_INET6 : AF_INET);
    }
    return passed();
}
