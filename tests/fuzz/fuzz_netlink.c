// Any bytes as netlink requests: what answers them is whole messages, and nothing is left afterwards.
// SPDX-License-Identifier: MIT
// @sources net/linux/netlink_answer.c
// @seconds 5
//
// The first byte of the input says after how many datagrams memory ends, 0: never.
#include "../../net/linux/netlink.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PORT = 7, MESSAGES = 40 };

static unsigned blocks, left;

void *bm_net_allocate_zeroed(size_t count, size_t size)
{
    if (left && --left == 0)
        return NULL;
    blocks++;
    return calloc(count, size);
}

void bm_net_free(void *memory)
{
    blocks -= memory != NULL;
    free(memory);
}

// Any dump: as many messages as the family says, of which some need another datagram.
int bm_rtnetlink_dump(struct bm_netlink_answer *answer, uint16_t type, uint8_t family)
{
    char bytes[100] = {0};
    if (type != 18)
        return -BM_EOPNOTSUPP;
    for (unsigned i = 0; i < family % MESSAGES; i++) {
        uint32_t *header = bm_netlink_begin(answer, 16, BM_NETLINK_MULTI, sizeof *header);
        if (!header)
            return 0;
        if (*header)
            abort();
        *header = i;
        for (unsigned j = 0; j < 3; j++)
            bm_netlink_attribute(answer, (uint16_t)j, bytes, (i * 7 + j * 31) % sizeof bytes);
        bm_netlink_end(answer);
    }
    return 0;
}

static void check(const struct bm_netlink_reply *reply)
{
    size_t at = 0;
    if (!reply->size || reply->size > sizeof reply->bytes)
        abort();
    while (at < reply->size) {
        struct bm_netlink_header header;
        if (reply->size - at < sizeof header)
            abort();
        memcpy(&header, reply->bytes + at, sizeof header);
        if (header.size < sizeof header || header.size > reply->size - at || header.size % 4 ||
            header.port != PORT)
            abort();
        at += header.size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct bm_netlink_answer answer = {.port = PORT};
    char *bytes = malloc(size); // aligned, and with an end that is watched
    memcpy(bytes, data + 1, size - 1);
    left = data[0] ? data[0] + 1u : 0;
    if (bm_netlink_answer_all(&answer, bytes, size - 1)) {
        for (const struct bm_netlink_reply *reply = answer.first; reply; reply = reply->next)
            check(reply);
        bm_netlink_replies_free(answer.first);
    }
    free(bytes);
    if (blocks)
        abort();
    return 0;
}
