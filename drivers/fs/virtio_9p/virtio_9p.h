// A 9P2000.L session: one request after the other, through two buffers.
// SPDX-License-Identifier: MIT
//
// 9P2000.L: diod's protocol.md, and Linux' include/net/9p/9p.h for the numbers. Every message is size[4]
// type[1] tag[2] and what belongs to the type; numbers are little-endian, strings length[2] and bytes.
#pragma once

#include <baremetal/inode.h>
#include <baremetal/mount.h>

enum {
    P9_BUFFER_ORDER = 4,                         // 64 KiB, the largest message
    P9_BUFFER = BM_PAGE_SIZE << P9_BUFFER_ORDER, //
    P9_TAG_MAX = 64,                             // bytes of a share's name, with its NUL
    P9_ROOT = 0                                  // the fid of what is shared
};

enum p9_type {
    P9_STATFS = 8,
    P9_OPEN = 12,
    P9_CREATE = 14,
    P9_SYMLINK = 16,
    P9_MKNOD = 18,
    P9_READLINK = 22,
    P9_GETATTR = 24,
    P9_SETATTR = 26,
    P9_READDIR = 40,
    P9_FSYNC = 50,
    P9_LINK = 70,
    P9_MKDIR = 72,
    P9_RENAMEAT = 74,
    P9_UNLINKAT = 76,
    P9_VERSION = 100,
    P9_ATTACH = 104,
    P9_WALK = 110,
    P9_READ = 116,
    P9_WRITE = 118,
    P9_CLUNK = 120
};

struct p9 {
    struct bm_file_mutex busy; // who has the buffers
    uint8_t *sent, *received;  // messages of at most `max` bytes
    uint32_t max;              // as agreed upon
    uint32_t at, end;          // where the message is written, or read; the end of what was received
    bool wrong;                // the reply was too short, or the message too long
    BM_ATOMIC(uint32_t) next_fid;
    char tag[P9_TAG_MAX];
    // Sends `size` bytes of `sent` and waits; how many were received, or a negative error.
    long (*exchange)(struct p9 *session, uint32_t size);
};

// What a file is on the other side.
struct p9_file {
    uint64_t number; // the same for all its names
    bool directory, link;
};

struct p9_attributes {
    uint32_t mode, owner, group;
    uint64_t links, special, size, blocks;
    int64_t accessed, modified, changed;
};

// virtio_9p_session.c. A message: begin, put what belongs to it, call, get what belongs to the reply, end,
// which gives the buffers back. 0 or a negative error.
void bm_p9_begin(struct p9 *session, enum p9_type type);
void bm_p9_put(struct p9 *session, uint64_t value, unsigned size);
void bm_p9_put_bytes(struct p9 *session, const void *bytes, size_t size);
void bm_p9_put_text(struct p9 *session, const char *text, size_t length);
int bm_p9_call(struct p9 *session);
uint64_t bm_p9_get(struct p9 *session, unsigned size);
// The next bytes; NULL: there are not so many.
const uint8_t *bm_p9_get_bytes(struct p9 *session, size_t size);
struct p9_file bm_p9_get_file(struct p9 *session);
int bm_p9_end(struct p9 *session, int error);

// Agrees upon the version, and makes P9_ROOT what is shared.
int bm_p9_start(struct p9 *session, struct p9_file *root);
uint32_t bm_p9_fid(struct p9 *session);
// Makes `made` the file `name` below `fid`, or without a name a copy of it.
int bm_p9_walk(struct p9 *session, uint32_t fid, uint32_t made, const char *name, size_t length,
               struct p9_file *file);
int bm_p9_clunk(struct p9 *session, uint32_t fid);
int bm_p9_open(struct p9 *session, uint32_t fid, uint32_t flags);
int bm_p9_attributes(struct p9 *session, uint32_t fid, struct p9_attributes *attributes);
long bm_p9_read(struct p9 *session, uint32_t fid, void *buffer, size_t size, uint64_t offset);
long bm_p9_write(struct p9 *session, uint32_t fid, const void *buffer, size_t size, uint64_t offset);

// virtio_9p_files.c: the session's file system; NULL: out of memory, or the other side cannot (*error).
struct bm_mount *bm_p9_mount(struct p9 *session, int *error);
void bm_p9_unmount(struct bm_mount *mount);
// virtio_9p.c: the session of the share with a name, for one mount; NULL: there is none.
struct p9 *bm_p9_find(const char *tag);
