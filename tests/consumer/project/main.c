// The outside program: uses a little of everything and exits 0 only when all of it was right.
// SPDX-License-Identifier: MIT
#include "geometry.h"
#include "outside_driver.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failures;

static void check(int right, const char *what)
{
    printf("%s: %s\n", right ? "right" : "wrong", what);
    failures += !right;
}

static int file_holds(const char *path, const char *text)
{
    char buffer[64] = "";
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0)
        return 0;
    long size = (long)read(descriptor, buffer, sizeof(buffer) - 1);
    close(descriptor);
    return size > 0 && strncmp(buffer, text, strlen(text)) == 0;
}

static void check_network(void)
{
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    check(descriptor >= 0, "a socket opens");
    if (descriptor >= 0)
        close(descriptor);
}

int main(int argc, char **argv)
{
    char text[32];
    check(argc == 3 && !strcmp(argv[1], "one") && !strcmp(argv[2], "two"),
          "arguments of the embedded command line");
    check(file_holds("/pages/first.txt", "the first page"), "an embedded file of a folder");
    check(file_holds("/pages/deeper/second.txt", "the second page"), "an embedded file of a folder below");
    check(file_holds("/main.c", "// The outside program"), "an embedded file that was named");
    snprintf(text, sizeof(text), "%.3f", geometry_diagonal(3, 4));
    check(!strcmp(text, "5.000"), "the mathematics library and floating point in printf");
    char *memory = malloc(100000);
    check(memory != NULL, "memory is allocated");
    free(memory);
    check(outside_driver_offers > 0, "the registry offered devices to the outside driver");
    check_network();
    printf("consumer: %s\n", failures ? "FAIL" : "PASS");
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
