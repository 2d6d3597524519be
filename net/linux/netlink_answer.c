// Netlink's messages: requests are taken apart, and answers written.
// SPDX-License-Identifier: MIT
#include "../lwip/memory.h"
#include "netlink.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <string.h>

enum { ATTRIBUTES_MAX = 512 };

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

// A datagram with room for `size` bytes more; NULL: no memory.
static struct bm_netlink_reply *reply_for(struct bm_netlink_answer *answer, size_t size)
{
    if (answer->last && answer->last->size + size <= sizeof answer->last->bytes)
        return answer->last;
    struct bm_netlink_reply *made = bm_net_allocate_zeroed(1, sizeof *made);
    if (!made) {
        answer->failed = true;
        return NULL;
    }
    *(answer->last ? &answer->last->next : &answer->first) = made;
    answer->last = made;
    return made;
}

void *bm_netlink_begin(struct bm_netlink_answer *answer, uint16_t type, uint16_t flags, size_t size)
{
    struct bm_netlink_reply *reply =
        reply_for(answer, sizeof *answer->message + aligned(size) + ATTRIBUTES_MAX);
    if (!reply)
        return NULL;
    struct bm_netlink_header *header = (void *)(reply->bytes + reply->size);
    *header = (struct bm_netlink_header){(uint32_t)(sizeof *header + aligned(size)), type, flags,
                                         answer->sequence, answer->port};
    answer->message = header;
    return header + 1;
}

void bm_netlink_attribute(struct bm_netlink_answer *answer, uint16_t type, const void *data, size_t size)
{
    struct attribute {
        uint16_t size, type;
    } *attribute = (void *)((char *)answer->message + answer->message->size);
    BM_ASSERT_HERE(size < ATTRIBUTES_MAX / 2, "an attribute is short");
    *attribute = (struct attribute){(uint16_t)(sizeof *attribute + size), type};
    memcpy(attribute + 1, data, size);
    answer->message->size += (uint32_t)aligned(attribute->size);
}

void bm_netlink_end(struct bm_netlink_answer *answer)
{
    answer->last->size += answer->message->size;
    answer->message = NULL;
}

// An error, or with 0 that all went well: struct nlmsgerr, with the request's header.
static void error_tell(struct bm_netlink_answer *answer, int error, const struct bm_netlink_header *request)
{
    struct told {
        int32_t error;
        struct bm_netlink_header request;
    } *told = bm_netlink_begin(answer, BM_NETLINK_ERROR, 0, sizeof *told);
    if (!told)
        return;
    *told = (struct told){error, *request};
    bm_netlink_end(answer);
}

static void answer_one(struct bm_netlink_answer *answer, const struct bm_netlink_header *request)
{
    if (!(request->flags & BM_NETLINK_REQUEST) || request->type < BM_NETLINK_TYPES) {
        if (request->flags & BM_NETLINK_ACK)
            error_tell(answer, 0, request);
        return;
    }
    answer->sequence = request->sequence;
    int error = -BM_EOPNOTSUPP;
    if (request->size == sizeof *request) // the family is missing
        error = -BM_EINVAL;
    else if ((request->flags & BM_NETLINK_DUMP) == BM_NETLINK_DUMP)
        error = bm_rtnetlink_dump(answer, request->type, *(const uint8_t *)(request + 1));
    if (error) {
        error_tell(answer, error, request);
        return;
    }
    int32_t *end = bm_netlink_begin(answer, BM_NETLINK_DONE, BM_NETLINK_MULTI, sizeof *end);
    if (end)
        bm_netlink_end(answer);
}

void bm_netlink_replies_free(struct bm_netlink_reply *reply)
{
    while (reply) {
        struct bm_netlink_reply *next = reply->next;
        bm_net_free(reply);
        reply = next;
    }
}

bool bm_netlink_answer_all(struct bm_netlink_answer *answer, const char *bytes, size_t size)
{
    while (size >= sizeof(struct bm_netlink_header)) {
        const struct bm_netlink_header *request = (const void *)bytes;
        if (request->size < sizeof *request || request->size > size)
            break; // as Linux: what is not whole is passed over
        answer_one(answer, request);
        size_t part = aligned(request->size);
        part = part < size ? part : size;
        bytes += part;
        size -= part;
    }
    if (answer->failed)
        bm_netlink_replies_free(answer->first);
    return !answer->failed;
}
