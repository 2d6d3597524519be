// The first process of the Linux guest: starts the program that the kernel's command line names, then
// switches off. SPDX-License-Identifier: MIT
//
// The word `program=/path` of the command line arrives as an environment variable; the console hands lines
// over as they are, without an echo.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int main(void)
{
    const char *program = getenv("program");
    struct termios terminal;
    mount("proc", "/proc", "proc", 0, "");
    mount("sys", "/sys", "sysfs", 0, "");
    if (!tcgetattr(0, &terminal)) {
        terminal.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(0, TCSANOW, &terminal);
    }
    pid_t child = fork();
    if (!child) {
        if (program)
            execl(program, program, (char *)NULL);
        perror(program ? program : "no program=… on the command line");
        _exit(1);
    }
    int status = 0;
    while (wait(&status) != child)
        continue;
    printf("program ended with status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
