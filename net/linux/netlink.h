// Netlink: what the socket and those who answer its requests share (RFC 3549, netlink(7), rtnetlink(7)).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// struct nlmsghdr.
struct bm_netlink_header {
    uint32_t size; // with this
    uint16_t type, flags;
    uint32_t sequence, port;
};

enum {
    BM_NETLINK_REQUEST = 1, // flags
    BM_NETLINK_MULTI = 2,
    BM_NETLINK_ACK = 4,
    BM_NETLINK_DUMP = 0x300,
    BM_NETLINK_ERROR = 2, // types
    BM_NETLINK_DONE = 3,
    BM_NETLINK_TYPES = 16 // the first of a family's own
};

// A datagram that waits to be received: messages that fit into the page that many programs have for it.
struct bm_netlink_reply {
    struct bm_netlink_reply *next;
    size_t size;
    char bytes[4096 - 64];
};

// What answers one request.
struct bm_netlink_answer {
    struct bm_netlink_reply *first, *last;
    uint32_t sequence, port;
    struct bm_netlink_header *message; // that is being written
    bool failed;                       // memory has ended: the program is to hear of it
};

// Begins a message of that type whose own header has `size` bytes, which are zeros; NULL: no memory. At most
// 512 bytes of attributes may follow, then bm_netlink_end.
void *bm_netlink_begin(struct bm_netlink_answer *answer, uint16_t type, uint16_t flags, size_t size);
void bm_netlink_attribute(struct bm_netlink_answer *answer, uint16_t type, const void *data, size_t size);
void bm_netlink_end(struct bm_netlink_answer *answer);

// netlink_answer.c: answers the requests in `bytes`, aligned to 4; false: memory has ended, and there is no
// answer.
bool bm_netlink_answer_all(struct bm_netlink_answer *answer, const char *bytes, size_t size);
void bm_netlink_replies_free(struct bm_netlink_reply *reply);

// rtnetlink.c: writes all that a dump of that type tells of a family of addresses (0: all). Returns 0 or
// -BM_EOPNOTSUPP.
int bm_rtnetlink_dump(struct bm_netlink_answer *answer, uint16_t type, uint8_t family);
