// A web server for Linux, with nothing of libbaremetal in it: a thread for each connection, which tells what
// it sees of its machine. `server PORT`; GREETING is its first word.
// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *greeting = "Hi";

// Whether a request has come whole; what it wants does not matter.
static int read_request(int client)
{
    char request[4096];
    size_t size = 0;
    while (size < sizeof request - 1) {
        ssize_t part = read(client, request + size, sizeof request - 1 - size);
        if (part <= 0)
            return 0;
        size += (size_t)part;
        request[size] = 0;
        if (strstr(request, "\r\n\r\n"))
            return 1;
    }
    return 0;
}

static void *serve(void *arg)
{
    int client = (int)(long)arg;
    struct utsname system;
    char text[512];
    uname(&system);
    if (read_request(client)) {
        int length = snprintf(text, sizeof text, "%s from an executable for %s on %s, which has %ld cores.\n",
                              greeting, system.sysname, system.nodename, sysconf(_SC_NPROCESSORS_ONLN));
        dprintf(client,
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: "
                "close\r\n\r\n%s",
                length, text);
    }
    close(client);
    return NULL;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 8080, on = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (getenv("GREETING"))
        greeting = getenv("GREETING");
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 64)) {
        perror("server");
        return 1;
    }
    printf("serving on port %d\n", port);
    for (;;) {
        int client = accept(server, NULL, NULL);
        pthread_t thread;
        if (client >= 0 && pthread_create(&thread, NULL, serve, (void *)(long)client) == 0)
            pthread_detach(thread);
        else if (client >= 0)
            close(client);
    }
}
