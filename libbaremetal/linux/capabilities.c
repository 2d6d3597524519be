// Capabilities: what a user may who is not root, or root may not.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "linux.h"

static const char *const credentials_needed __attribute__((used)) = &bm_credentials_linked;

enum { VERSION_1 = 0x19980330, VERSION_2 = 0x20071026, VERSION_3 = 0x20080522 };

struct header {
    uint32_t version;
    int process;
};

struct words {
    uint32_t effective, permitted, inheritable;
};

// How many words of 32 capabilities; a version that nobody knows is told the one to use.
static int words_of(struct header *header)
{
    switch (header->version) {
    case VERSION_1:
        return 1;
    case VERSION_2:
    case VERSION_3:
        return 2;
    default:
        header->version = VERSION_3;
        return -BM_EINVAL;
    }
}

long bm_linux_capget(void *header, void *data)
{
    const struct header *from = header;
    struct words *to = data;
    long words = words_of(header);
    if (words < 0)
        return data ? words : 0; // it was a question for the version
    if (from->process < 0)
        return -BM_EINVAL;
    if (from->process != 0 && from->process != LINUX_PROCESS)
        return -BM_ESRCH;
    if (!data)
        return 0;
    bm_spinlock_acquire(&bm_credentials.lock);
    uint64_t effective = bm_credentials.effective, permitted = bm_credentials.permitted;
    uint64_t inheritable = bm_credentials.inheritable;
    bm_spinlock_release(&bm_credentials.lock);
    for (unsigned i = 0; i < (unsigned)words; i++)
        to[i] = (struct words){(uint32_t)(effective >> 32 * i), (uint32_t)(permitted >> 32 * i),
                               (uint32_t)(inheritable >> 32 * i)};
    return 0;
}

// No new ones: what is permitted becomes less, what is effective is permitted, and what programs that nobody
// executes would inherit is one of these, or SETPCAP is there, and of the bounding set. 0 or -BM_EPERM.
static long become(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct bm_credentials *now = &bm_credentials;
    bm_spinlock_acquire(&now->lock);
    uint64_t bounding = bm_linux_capabilities_dropped ? ~bm_linux_capabilities_dropped() : UINT64_MAX;
    bool any = now->effective >> BM_CAP_SETPCAP & 1;
    bool refused = permitted & ~now->permitted || effective & ~permitted ||
                   (inheritable & ~(now->inheritable | now->permitted) && !any) ||
                   inheritable & ~(now->inheritable | bounding);
    if (!refused) {
        now->effective = effective;
        now->permitted = permitted;
        now->inheritable = inheritable;
    }
    bm_spinlock_release(&now->lock);
    return refused ? -BM_EPERM : 0;
}

long bm_linux_capset(void *header, const void *data)
{
    const struct header *to = header;
    const struct words *from = data;
    long words = words_of(header);
    if (words < 0)
        return words;
    if (to->process != 0 && to->process != LINUX_PROCESS)
        return -BM_EPERM;
    if (!data)
        return -BM_EFAULT;
    uint64_t effective = from[0].effective, permitted = from[0].permitted, inheritable = from[0].inheritable;
    if (words == 2) {
        effective |= (uint64_t)from[1].effective << 32;
        permitted |= (uint64_t)from[1].permitted << 32;
        inheritable |= (uint64_t)from[1].inheritable << 32;
    }
    const uint64_t all = BM_CAPABILITIES_ALL;
    return become(effective & all, permitted & all, inheritable & all);
}
