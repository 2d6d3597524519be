// Standard input comes from the serial line, line by line and character by character.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @input name\? => baremetal\n
// @input number\? => 12 0x1f 2.5\n
// @input long\? => {abcdefghij*40}\n
// @input key\? => z\n
// @expect ^hello <baremetal>$
// @expect ^sum 45.5$

#include <poll.h>
#include <unistd.h>

#include "check.h"

// Asks, and waits for the answer with nothing left in stdio's buffer.
static void ask(const char *prompt)
{
    fputs(prompt, stdout);
    fflush(stdout);
}

int main(void)
{
    static char line[1024];
    ask("name?\n");
    CHECK(fgets(line, sizeof(line), stdin) != NULL);
    line[strcspn(line, "\r\n")] = 0;
    printf("hello <%s>\n", line);
    int decimal, hexadecimal;
    float fraction;
    ask("number?\n");
    CHECK(scanf("%d %x %f", &decimal, (unsigned *)&hexadecimal, &fraction) == 3);
    CHECK(getchar() == '\n');
    printf("sum %.1f\n", (double)(decimal + hexadecimal) + (double)fraction);
    ask("long?\n");
    CHECK(fgets(line, sizeof(line), stdin) != NULL);
    CHECK(strlen(line) == 401);
    CHECK(line[399] == 'j');
    struct pollfd watched = {.fd = 0, .events = POLLIN};
    CHECK(poll(&watched, 1, 0) == 0);
    ask("key?\n");
    CHECK(poll(&watched, 1, 20000) == 1);
    CHECK(watched.revents == POLLIN);
    char key = 0;
    CHECK(read(0, &key, 1) == 1);
    CHECK(key == 'z');
    return passed();
}
