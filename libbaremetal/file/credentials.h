// Who the program is: its users and groups, and what they may do to files.
// SPDX-License-Identifier: MIT
//
// It begins as root, with all capabilities, and a program that never asks to be somebody else
// (linux/credentials.c, linux/capabilities.c) does not link credentials.c: there everything is allowed, and
// the checks below cost nothing. Credentials are the process's, not each thread's: C libraries change those
// of all threads anyway.
#pragma once

#include <baremetal/error.h>
#include <baremetal/inode.h>
#include <baremetal/lock.h>

// The members of bm_credentials.user and .group; files are judged by the last one, which follows the
// effective one.
enum bm_credential { BM_ID_REAL, BM_ID_EFFECTIVE, BM_ID_SAVED, BM_ID_FILES, BM_IDS };

// Linux' numbers of capabilities (capabilities(7)).
enum bm_capability {
    BM_CAP_CHOWN = 0,
    BM_CAP_DAC_OVERRIDE = 1,
    BM_CAP_DAC_READ_SEARCH = 2,
    BM_CAP_FOWNER = 3,
    BM_CAP_FSETID = 4,
    BM_CAP_SETGID = 6,
    BM_CAP_SETUID = 7,
    BM_CAP_SETPCAP = 8,
    BM_CAP_LINUX_IMMUTABLE = 9,
    BM_CAP_NET_BIND_SERVICE = 10,
    BM_CAP_NET_RAW = 13,
    BM_CAP_IPC_LOCK = 14,
    BM_CAP_IPC_OWNER = 15,
    BM_CAP_SYS_ADMIN = 21,
    BM_CAP_SYS_BOOT = 22,
    BM_CAP_SYS_NICE = 23,
    BM_CAP_SYS_RESOURCE = 24,
    BM_CAP_SYS_TIME = 25,
    BM_CAP_MKNOD = 27,
    BM_CAP_MAC_OVERRIDE = 32,
    BM_CAP_SYSLOG = 34,
    BM_CAPABILITIES = 41
};
#define BM_CAPABILITIES_ALL ((1ull << BM_CAPABILITIES) - 1)

// What the program is now. It changes under `lock`, and `groups` with `group_count` under `groups_busy`, too,
// so that whoever has one of both may read them.
struct bm_credentials {
    uint32_t user[BM_IDS], group[BM_IDS];
    uint64_t effective, permitted, inheritable; // capabilities, a bit each
    uint32_t *groups;                           // the supplementary ones; NULL: none
    unsigned group_count;
    struct bm_spinlock lock;
    struct bm_file_mutex groups_busy;
};
extern struct bm_credentials bm_credentials __attribute__((weak));

// Whether files are judged by the group, or a capability is there. Any context.
bool bm_credentials_in_group(uint32_t group) __attribute__((weak));
bool bm_credentials_may(unsigned capability) __attribute__((weak));
static inline bool bm_may(unsigned capability)
{
    return !bm_credentials_may || bm_credentials_may(capability);
}

// Whether what belongs to others may be used: `bits` are its nine of permissions, `wanted` as below. `owners`
// are who made it and who has it, of each the user and the group. By the effective user and group, with
// `capability` whatever the bits say. 0 or -BM_EACCES. Any context.
int bm_permission_shared(unsigned bits, const uint32_t owners[4], unsigned wanted, unsigned capability)
    __attribute__((weak));
// Whether the effective user is one of two, or a capability is there: 0 or -BM_EPERM. Any context.
int bm_permission_own_of(uint32_t user, uint32_t maker, unsigned capability) __attribute__((weak));

// Whether an inode may be used: `wanted` is 4 to read, 2 to write, 1 to execute or search. `real`: by the
// real user and group in place of those for files, as access() has it. Returns 0, -BM_EACCES, or what kept
// the file system from telling. May wait, as the rest.
int bm_permission_check(struct bm_inode *inode, unsigned wanted, bool real) __attribute__((weak));
static inline int bm_permit(struct bm_inode *inode, unsigned wanted, bool real)
{
    return bm_permission_check ? bm_permission_check(inode, wanted, real) : 0;
}

// Whether the name of `there` may be taken out of a directory: writable, and if that is sticky, one's own.
int bm_permission_remove(struct bm_inode *directory, struct bm_inode *there) __attribute__((weak));

// Whether an inode may be changed so. A mode loses the bits that its owner may not set.
int bm_permission_change(struct bm_inode *inode, struct bm_inode_change *change) __attribute__((weak));

// Whether the inode is the program's own, or may be treated so; 0 or -BM_EPERM.
int bm_permission_owner(struct bm_inode *inode) __attribute__((weak));

// Asks the linker for credentials.c, by whoever changes them.
extern const char bm_credentials_linked;

// A regular file is about to be written or cut: of those who may not set them (FSETID), it loses the bits
// that make a program run as its owner or group. 0, or what kept the file system from that.
int bm_permission_written(struct bm_inode *inode) __attribute__((weak));

// Who owns what is made.
void bm_permission_own(struct bm_inode_new *what) __attribute__((weak));
