// 9P2000.L: messages, and the calls that are one of them.
// SPDX-License-Identifier: MIT
#include "virtio_9p.h"

#include <baremetal/error.h>
#include <baremetal/memory.h>

enum {
    HEADER = 7,
    TAG = 1,
    NO_TAG = 0xffff,
    ERROR_REPLY = 7,
    ERROR_MAX = 4095,
    MESSAGE_MIN = 8192,
    IO_HEAD = 24, // of reads and writes: more than what is before their bytes
    NO_FID = -1,
    BASIC = 0x7ff // attributes
};

void bm_p9_begin(struct p9 *session, enum p9_type type)
{
    bm_file_mutex_acquire(&session->busy);
    session->wrong = false;
    session->at = 4;
    bm_p9_put(session, type, 1);
    bm_p9_put(session, type == P9_VERSION ? NO_TAG : TAG, 2);
}

void bm_p9_put_bytes(struct p9 *session, const void *bytes, size_t size)
{
    if (session->wrong || size > session->max - session->at) {
        session->wrong = true;
        return;
    }
    __builtin_memcpy(session->sent + session->at, bytes, size);
    session->at += (uint32_t)size;
}

void bm_p9_put(struct p9 *session, uint64_t value, unsigned size)
{
    bm_p9_put_bytes(session, &value, size); // the machine is little-endian, too
}

void bm_p9_put_text(struct p9 *session, const char *text, size_t length)
{
    if (length > UINT16_MAX)
        session->wrong = true;
    bm_p9_put(session, length, 2);
    bm_p9_put_bytes(session, text, length);
}

const uint8_t *bm_p9_get_bytes(struct p9 *session, size_t size)
{
    if (session->wrong || size > session->end - session->at) {
        session->wrong = true;
        return NULL;
    }
    session->at += (uint32_t)size;
    return session->received + session->at - size;
}

uint64_t bm_p9_get(struct p9 *session, unsigned size)
{
    uint64_t value = 0;
    const uint8_t *bytes = bm_p9_get_bytes(session, size);
    if (bytes)
        __builtin_memcpy(&value, bytes, size);
    return value;
}

struct p9_file bm_p9_get_file(struct p9 *session)
{
    enum { DIRECTORY = 0x80, LINK = 2 };
    unsigned type = (unsigned)bm_p9_get(session, 1);
    bm_p9_get(session, 4); // version
    return (struct p9_file){
        .number = bm_p9_get(session, 8), .directory = type & DIRECTORY, .link = type & LINK};
}

// The reply is as long as it says, and the one to what was sent, or an error.
int bm_p9_call(struct p9 *session)
{
    uint8_t type = session->sent[4];
    uint16_t tag = (uint16_t)(session->sent[5] | session->sent[6] << 8);
    if (session->wrong)
        return -BM_ENAMETOOLONG;
    __builtin_memcpy(session->sent, &session->at, 4);
    long received = session->exchange(session, session->at);
    if (received < 0)
        return (int)received;
    session->at = 0;
    session->end = (uint32_t)received;
    uint32_t size = (uint32_t)bm_p9_get(session, 4), kind = (uint32_t)bm_p9_get(session, 1);
    if (bm_p9_get(session, 2) != tag || size > session->end || size < HEADER)
        session->wrong = true;
    else
        session->end = size;
    if (!session->wrong && kind == ERROR_REPLY) {
        uint32_t number = (uint32_t)bm_p9_get(session, 4);
        return number && number <= ERROR_MAX && !session->wrong ? -(int)number : -BM_EIO;
    }
    return session->wrong || kind != type + 1u ? -BM_EIO : 0;
}

int bm_p9_end(struct p9 *session, int error)
{
    if (!error && session->wrong)
        error = -BM_EIO;
    bm_file_mutex_release(&session->busy);
    return error;
}

uint32_t bm_p9_fid(struct p9 *session)
{
    uint32_t fid;
    do
        fid = atomic_fetch_add(&session->next_fid, 1) + 1;
    while (fid == P9_ROOT || fid == (uint32_t)NO_FID);
    return fid;
}

int bm_p9_start(struct p9 *session, struct p9_file *root)
{
    static const char version[] = "9P2000.L";
    enum { LENGTH = sizeof version - 1 };
    session->max = P9_BUFFER;
    bm_p9_begin(session, P9_VERSION);
    bm_p9_put(session, P9_BUFFER, 4);
    bm_p9_put_text(session, version, LENGTH);
    int error = bm_p9_call(session);
    uint32_t max = error ? 0 : (uint32_t)bm_p9_get(session, 4);
    if (!error && (bm_p9_get(session, 2) != LENGTH || max < MESSAGE_MIN || max > P9_BUFFER))
        error = -BM_EPROTO;
    const uint8_t *said = error ? NULL : bm_p9_get_bytes(session, LENGTH);
    if (said && __builtin_memcmp(said, version, LENGTH))
        error = -BM_EPROTO;
    error = bm_p9_end(session, error);
    if (error)
        return error;
    session->max = max;
    bm_p9_begin(session, P9_ATTACH);
    bm_p9_put(session, P9_ROOT, 4);
    bm_p9_put(session, (uint32_t)NO_FID, 4);
    bm_p9_put_text(session, "root", 4);
    bm_p9_put_text(session, "", 0);
    bm_p9_put(session, 0, 4); // the user
    error = bm_p9_call(session);
    if (!error)
        *root = bm_p9_get_file(session);
    return bm_p9_end(session, error);
}

int bm_p9_walk(struct p9 *session, uint32_t fid, uint32_t made, const char *name, size_t length,
               struct p9_file *file)
{
    bm_p9_begin(session, P9_WALK);
    bm_p9_put(session, fid, 4);
    bm_p9_put(session, made, 4);
    bm_p9_put(session, name ? 1 : 0, 2);
    if (name)
        bm_p9_put_text(session, name, length);
    int error = bm_p9_call(session);
    uint64_t count = error ? 0 : bm_p9_get(session, 2);
    if (!error && count != (name ? 1 : 0))
        error = -BM_EIO;
    if (!error && name)
        *file = bm_p9_get_file(session);
    return bm_p9_end(session, error);
}

int bm_p9_clunk(struct p9 *session, uint32_t fid)
{
    bm_p9_begin(session, P9_CLUNK);
    bm_p9_put(session, fid, 4);
    return bm_p9_end(session, bm_p9_call(session));
}

int bm_p9_open(struct p9 *session, uint32_t fid, uint32_t flags)
{
    bm_p9_begin(session, P9_OPEN);
    bm_p9_put(session, fid, 4);
    bm_p9_put(session, flags, 4);
    return bm_p9_end(session, bm_p9_call(session));
}

static int64_t get_time(struct p9 *session)
{
    uint64_t seconds = bm_p9_get(session, 8), nanoseconds = bm_p9_get(session, 8);
    int64_t whole;
    if (nanoseconds >= 1000000000 || __builtin_mul_overflow((int64_t)seconds, 1000000000, &whole) ||
        __builtin_add_overflow(whole, (int64_t)nanoseconds, &whole))
        return 0;
    return whole;
}

int bm_p9_attributes(struct p9 *session, uint32_t fid, struct p9_attributes *attributes)
{
    bm_p9_begin(session, P9_GETATTR);
    bm_p9_put(session, fid, 4);
    bm_p9_put(session, BASIC, 8);
    int error = bm_p9_call(session);
    if (!error) {
        bm_p9_get(session, 8); // which of them
        bm_p9_get_file(session);
        attributes->mode = (uint32_t)bm_p9_get(session, 4);
        attributes->owner = (uint32_t)bm_p9_get(session, 4);
        attributes->group = (uint32_t)bm_p9_get(session, 4);
        attributes->links = bm_p9_get(session, 8);
        attributes->special = bm_p9_get(session, 8);
        attributes->size = bm_p9_get(session, 8);
        bm_p9_get(session, 8); // bytes of a block
        attributes->blocks = bm_p9_get(session, 8);
        attributes->accessed = get_time(session);
        attributes->modified = get_time(session);
        attributes->changed = get_time(session);
        if (attributes->size > INT64_MAX)
            error = -BM_EIO;
    }
    return bm_p9_end(session, error);
}

static int read_part(struct p9 *session, uint32_t fid, void *buffer, uint32_t size, uint64_t offset,
                     uint32_t *done)
{
    bm_p9_begin(session, P9_READ);
    bm_p9_put(session, fid, 4);
    bm_p9_put(session, offset, 8);
    bm_p9_put(session, size, 4);
    int error = bm_p9_call(session);
    *done = error ? 0 : (uint32_t)bm_p9_get(session, 4);
    if (!error && *done > size)
        error = -BM_EIO;
    const uint8_t *bytes = error ? NULL : bm_p9_get_bytes(session, *done);
    if (bytes)
        __builtin_memcpy(buffer, bytes, *done);
    return bm_p9_end(session, error);
}

static int write_part(struct p9 *session, uint32_t fid, const void *buffer, uint32_t size, uint64_t offset,
                      uint32_t *done)
{
    bm_p9_begin(session, P9_WRITE);
    bm_p9_put(session, fid, 4);
    bm_p9_put(session, offset, 8);
    bm_p9_put(session, size, 4);
    bm_p9_put_bytes(session, buffer, size);
    int error = bm_p9_call(session);
    *done = error ? 0 : (uint32_t)bm_p9_get(session, 4);
    if (!error && *done > size)
        error = -BM_EIO;
    return bm_p9_end(session, error);
}

static long transfer(struct p9 *session, uint32_t fid, char *buffer, size_t size, uint64_t offset,
                     bool writing)
{
    size_t done = 0;
    while (done < size) {
        uint32_t part = session->max - IO_HEAD, moved;
        if (part > size - done)
            part = (uint32_t)(size - done);
        int error = writing ? write_part(session, fid, buffer + done, part, offset + done, &moved)
                            : read_part(session, fid, buffer + done, part, offset + done, &moved);
        if (error)
            return done ? (long)done : error;
        done += moved;
        if (moved < part)
            break;
    }
    return (long)done;
}

long bm_p9_read(struct p9 *session, uint32_t fid, void *buffer, size_t size, uint64_t offset)
{
    return transfer(session, fid, buffer, size, offset, false);
}

long bm_p9_write(struct p9 *session, uint32_t fid, const void *buffer, size_t size, uint64_t offset)
{
    return transfer(session, fid, (char *)(uintptr_t)buffer, size, offset, true);
}
