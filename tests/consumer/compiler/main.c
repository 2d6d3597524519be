// Prints an area, its words, and a file of the image; ends with the number of its words.
// SPDX-License-Identifier: MIT
#include "area.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    printf("%s: %.3f\n", argv[0], area(argc > 1 ? atof(argv[1]) : 1));
    const char *variable = getenv("COLOUR");
    if (variable)
        printf("colour: %s\n", variable);
    FILE *file = fopen("/folder/text", "r");
    char line[80];
    while (file && fgets(line, sizeof line, file))
        printf("file: %s", line);
    return argc;
}
