// /etc: what C libraries and run-times look for. Files of the image come first.
// SPDX-License-Identifier: MIT
#include "../file/service.h"
#include "proc.h"

#include <baremetal/path.h>

static const struct {
    const char *path, *text;
} files[] = {
    {"/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"},
    {"/etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
    {"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
    {"/etc/nsswitch.conf",
     "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"},
    {"/etc/host.conf", "multi on\n"},
    {"/etc/protocols", "ip\t0\tIP\nicmp\t1\tICMP\nigmp\t2\tIGMP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6\t41\tIPv6\n"
                       "ipv6-icmp\t58\tIPv6-ICMP\n"},
    {"/etc/services",
     "echo\t7/tcp\necho\t7/udp\ndiscard\t9/tcp\t\tsink null\ndiscard\t9/udp\t\tsink null\nftp\t21/tcp\n"
     "ssh\t22/tcp\ntelnet\t23/tcp\nsmtp\t25/tcp\t\tmail\ntime\t37/tcp\ntime\t37/udp\ndomain\t53/tcp\n"
     "domain\t53/udp\ntftp\t69/udp\nhttp\t80/tcp\t\twww\npop3\t110/tcp\nntp\t123/udp\nimap2\t143/tcp\timap\n"
     "snmp\t161/udp\nldap\t389/tcp\nhttps\t443/tcp\nhttps\t443/udp\nsyslog\t514/udp\nldaps\t636/tcp\n"
     "imaps\t993/tcp\npop3s\t995/tcp\nmysql\t3306/tcp\npostgresql\t5432/tcp\tpostgres\nredis\t6379/tcp\n"
     "http-alt\t8080/tcp\n"}};

static const struct {
    const char *path, *target;
} links[] = {{"/etc/mtab", "/proc/self/mounts"},
             {"/etc/hostname", "/proc/sys/kernel/hostname"},
             {"/etc/resolv.conf", "/proc/net/pnp"}};

// What is there already stays.
static int settle(int error)
{
    return error == -BM_EEXIST ? 0 : error;
}

int bm_proc_etc_fill(void)
{
    int error = settle(bm_path_mkdir(BM_AT_FDCWD, "/etc", 0755));
    for (size_t i = 0; !error && i < sizeof files / sizeof *files; i++) {
        struct bm_inode_new what = {
            .mode = BM_FILE_REGULAR | 0644, .data = files[i].text, .size = bm_text_length(files[i].text)};
        error = settle(bm_path_make(files[i].path, &what));
    }
    for (size_t i = 0; !error && i < sizeof links / sizeof *links; i++)
        error = settle(bm_path_symlink(links[i].target, BM_AT_FDCWD, links[i].path));
    return error;
}
