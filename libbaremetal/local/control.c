// Sockets within the machine: the control bytes of messages, which bring descriptors and credentials.
// SPDX-License-Identifier: MIT
#include "local.h"

enum { SOL_SOCKET = BM_SOL_SOCKET, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, PROCESS = 1 };

// struct cmsghdr, whose data is behind it; the next one is aligned to 8 bytes.
struct control {
    uint64_t size; // with this
    int32_t level, type;
    char data[];
} __attribute__((may_alias));

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

// How many descriptors messages hold, of all sockets.
unsigned bm_local_rights_in_flight;

int bm_local_rights_count(const struct bm_local_rights *rights, int by)
{
    if (!rights)
        return 0;
    if (by > 0 && bm_local_rights_in_flight + rights->count > BM_FILES_MAX)
        return -BM_ETOOMANYREFS;
    bm_local_rights_in_flight += (unsigned)by * rights->count;
    for (unsigned i = 0; i < rights->count; i++)
        if (rights->files[i]->ops == &bm_local_ops)
            bm_local_of(rights->files[i])->in_flight += (unsigned)by;
    return 0;
}

static size_t rights_size(unsigned count)
{
    return sizeof(struct bm_local_rights) + count * sizeof(struct bm_file *);
}

void bm_local_rights_free(struct bm_local_rights *rights)
{
    if (!rights)
        return;
    for (unsigned i = 0; i < rights->count; i++)
        bm_file_release(rights->files[i]);
    bm_file_free(rights, rights_size(rights->room));
}

// Room for more descriptors in a message.
static int rights_grow(struct bm_local_message *to, size_t count)
{
    const struct bm_local_rights *old = to->rights;
    unsigned before = old ? old->count : 0;
    if (count > LOCAL_RIGHTS_MAX - before)
        return -BM_EINVAL;
    struct bm_local_rights *rights = bm_file_allocate(rights_size(before + (unsigned)count));
    if (!rights)
        return -BM_ENOMEM;
    rights->room = before + (unsigned)count;
    rights->count = before;
    for (unsigned i = 0; i < before; i++)
        rights->files[i] = old->files[i];
    if (old)
        bm_file_free(to->rights, rights_size(old->room));
    to->rights = rights;
    return 0;
}

static int rights_take(const int *descriptors, size_t count, struct bm_local_message *to)
{
    int error = rights_grow(to, count);
    for (size_t i = 0; !error && i < count; i++) {
        struct bm_file *file = bm_file_acquire(descriptors[i]);
        if (file)
            to->rights->files[to->rights->count++] = file;
        else
            error = -BM_EBADF;
    }
    return error;
}

// There is one process, which may be any user.
static int credentials_take(const struct bm_socket_credentials *said, size_t size,
                            struct bm_local_message *to)
{
    if (size != sizeof *said)
        return -BM_EINVAL;
    if (said->process != PROCESS)
        return -BM_EPERM;
    to->credentials = *said;
    return 0;
}

int bm_local_control_take(const struct bm_socket_message *from, struct bm_local_message *to)
{
    to->credentials = (struct bm_socket_credentials){PROCESS, 0, 0};
    if (!from->control)
        return 0;
    for (size_t at = 0; at + sizeof(struct control) <= from->control_size;) {
        const struct control *control = (const void *)((const char *)from->control + at);
        size_t size = control->size;
        if (size < sizeof *control || size > from->control_size - at)
            return -BM_EINVAL;
        at += aligned(size);
        size -= sizeof *control;
        if (control->level != SOL_SOCKET)
            continue;
        int error = -BM_EINVAL;
        if (control->type == SCM_RIGHTS && size % sizeof(int) == 0)
            error = size ? rights_take((const int *)(const void *)control->data, size / sizeof(int), to) : 0;
        else if (control->type == SCM_CREDENTIALS)
            error = credentials_take((const void *)control->data, size, to);
        if (error)
            return error;
    }
    return 0;
}

// Room for control data in a message that is received; cut off where there is less.
static void put(struct bm_socket_message *to, size_t *done, int type, const void *data, size_t size)
{
    size_t room = to->control ? to->control_size - *done : 0;
    struct control head = {sizeof head + size, SOL_SOCKET, type};
    if (room < sizeof head) {
        to->flags |= BM_MSG_CTRUNC;
        return;
    }
    if (room < head.size) {
        to->flags |= BM_MSG_CTRUNC;
        head.size = room;
    }
    char *place = (char *)to->control + *done;
    __builtin_memcpy(place, &head, sizeof head);
    __builtin_memcpy(place + sizeof head, data, head.size - sizeof head);
    *done += aligned(head.size) < room ? aligned(head.size) : room;
}

static void rights_put(struct bm_socket_message *to, size_t *done, const struct bm_local_rights *rights,
                       bool cloexec)
{
    int descriptors[LOCAL_RIGHTS_MAX];
    size_t room = to->control ? to->control_size - *done : 0;
    unsigned fit =
        room > sizeof(struct control) ? (unsigned)((room - sizeof(struct control)) / sizeof(int)) : 0;
    unsigned count = 0;
    for (; count < rights->count && count < fit; count++) {
        int descriptor = bm_file_install(rights->files[count], 0);
        if (descriptor < 0)
            break;
        if (cloexec)
            bm_file_set_cloexec(descriptor, true);
        descriptors[count] = descriptor;
    }
    if (count)
        put(to, done, SCM_RIGHTS, descriptors, count * sizeof(int));
    if (count < rights->count)
        to->flags |= BM_MSG_CTRUNC;
}

void bm_local_control_put(struct bm_socket_message *to, const struct bm_local_message *from,
                          const struct bm_local_rights *rights, bool credentials, bool cloexec)
{
    size_t done = 0;
    if (credentials)
        put(to, &done, SCM_CREDENTIALS, &from->credentials, sizeof from->credentials);
    if (rights)
        rights_put(to, &done, rights, cloexec);
    to->control_size = done;
}
