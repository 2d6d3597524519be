// The first process of the Linux guest: modules, an address, a program; then it switches off.
// SPDX-License-Identifier: MIT
//
// Words of the kernel's command line arrive as environment variables: `program=/path`, and where there is a
// network `address=10.7.0.2` (of /24), and with `disk=/dev/vda` what is on the disk at /data; those behind `
// -- ` are the program's arguments. The console hands lines over as they are, without an echo.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void load_modules(void)
{
    char path[32];
    for (int i = 0;; i++) {
        snprintf(path, sizeof path, "/modules/%d.ko", i);
        int file = open(path, O_RDONLY);
        if (file < 0)
            return;
        if (syscall(SYS_finit_module, file, "", 0))
            perror(path);
        close(file);
    }
}

static void set_address(int socket, const char *name, const char *address)
{
    struct ifreq request = {0};
    struct sockaddr_in *where = (struct sockaddr_in *)&request.ifr_addr;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (address) {
        where->sin_family = AF_INET;
        inet_aton(address, &where->sin_addr);
        if (ioctl(socket, SIOCSIFADDR, &request))
            perror(name);
        inet_aton("255.255.255.0", &where->sin_addr);
        if (ioctl(socket, SIOCSIFNETMASK, &request))
            perror(name);
    }
    memset(&request.ifr_addr, 0, sizeof request.ifr_addr);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(socket, SIOCSIFFLAGS, &request))
        perror(name);
}

// The disk's driver may need a moment to find it.
static void mount_disk(const char *disk)
{
    for (int i = 0; i < 1000 && access(disk, F_OK); i++)
        usleep(10000);
    if (mount(disk, "/data", "ext4", 0, ""))
        perror(disk);
}

static void set_terminal(void)
{
    struct termios terminal;
    if (tcgetattr(0, &terminal))
        return;
    terminal.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(0, TCSANOW, &terminal);
}

int main(int count, char **words)
{
    (void)count;
    const char *program = getenv("program"), *address = getenv("address"), *disk = getenv("disk");
    mount("proc", "/proc", "proc", 0, "");
    mount("sys", "/sys", "sysfs", 0, "");
    mount("dev", "/dev", "devtmpfs", 0, "");
    set_terminal();
    load_modules();
    if (address) {
        int any = socket(AF_INET, SOCK_DGRAM, 0);
        set_address(any, "lo", NULL);
        set_address(any, "eth0", address);
        close(any);
    }
    if (disk)
        mount_disk(disk);
    pid_t child = fork();
    if (!child) {
        words[0] = (char *)program;
        if (program)
            execv(program, words);
        perror(program ? program : "no program=… on the command line");
        _exit(1);
    }
    int status = 0;
    while (wait(&status) != child)
        continue;
    printf("program ended with status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    fflush(stdout);
    if (disk && umount("/data"))
        perror(disk);
    reboot(RB_POWER_OFF);
    return 1;
}
