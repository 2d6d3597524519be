// Who the program is, and what that allows: Linux' checks of files' permissions.
// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "service.h"

struct bm_credentials bm_credentials = {.effective = BM_CAPABILITIES_ALL, .permitted = BM_CAPABILITIES_ALL};

const char bm_credentials_linked = 1;

// As whom a file is judged.
struct identity {
    uint32_t user, group;
    uint64_t capabilities;
};

static bool has(const struct identity *self, unsigned capability)
{
    return self->capabilities >> capability & 1;
}

static struct identity identity_now(bool real)
{
    const struct bm_credentials *now = &bm_credentials;
    bm_spinlock_acquire(&bm_credentials.lock);
    unsigned id = real ? BM_ID_REAL : BM_ID_FILES;
    struct identity self = {now->user[id], now->group[id], now->effective};
    if (real) // as if it were effective
        self.capabilities = self.user == 0 ? now->permitted : 0;
    bm_spinlock_release(&bm_credentials.lock);
    return self;
}

bool bm_credentials_may(unsigned capability)
{
    struct identity self = identity_now(false);
    return has(&self, capability);
}

// Of the supplementary groups alone.
static bool is_member(uint32_t group)
{
    bool found = false;
    bm_spinlock_acquire(&bm_credentials.lock);
    for (unsigned i = 0; i < bm_credentials.group_count && !found; i++)
        found = bm_credentials.groups[i] == group;
    bm_spinlock_release(&bm_credentials.lock);
    return found;
}

bool bm_credentials_in_group(uint32_t group)
{
    return identity_now(false).group == group || is_member(group);
}

// The capabilities that go around the bits, as far as they tell without these.
static bool is_above_bits(const struct identity *self, bool directory, unsigned wanted)
{
    if (has(self, BM_CAP_DAC_OVERRIDE) && (directory || !(wanted & 1)))
        return true;
    return has(self, BM_CAP_DAC_READ_SEARCH) && (directory ? !(wanted & 2) : wanted == 4);
}

int bm_permission_check(struct bm_inode *inode, unsigned wanted, bool real)
{
    struct identity self = identity_now(real);
    struct bm_file_status status;
    if (!wanted || is_above_bits(&self, inode->type == BM_FILE_DIRECTORY, wanted))
        return 0;
    int error = bm_inode_status(inode, &status);
    if (error)
        return error;
    unsigned bits = status.mode;
    if (status.owner == self.user)
        bits >>= 6;
    else if (status.group == self.group || is_member(status.group))
        bits >>= 3;
    if (!(wanted & ~bits & 7) || (has(&self, BM_CAP_DAC_OVERRIDE) && status.mode & 0111))
        return 0;
    return -BM_EACCES;
}

int bm_permission_shared(unsigned bits, const uint32_t owners[4], unsigned wanted, unsigned capability)
{
    const uint32_t user = bm_credentials.user[BM_ID_EFFECTIVE], group = bm_credentials.group[BM_ID_EFFECTIVE];
    if (user == owners[0] || user == owners[2])
        bits >>= 6;
    else if (group == owners[1] || group == owners[3] || is_member(owners[1]) || is_member(owners[3]))
        bits >>= 3;
    return !(wanted & ~bits & 7) || bm_credentials_may(capability) ? 0 : -BM_EACCES;
}

int bm_permission_own_of(uint32_t user, uint32_t maker, unsigned capability)
{
    const uint32_t self = bm_credentials.user[BM_ID_EFFECTIVE];
    return self == user || self == maker || bm_credentials_may(capability) ? 0 : -BM_EPERM;
}

static bool is_owner(const struct identity *self, const struct bm_file_status *status)
{
    return self->user == status->owner || has(self, BM_CAP_FOWNER);
}

int bm_permission_owner(struct bm_inode *inode)
{
    struct identity self = identity_now(false);
    struct bm_file_status status;
    int error = bm_inode_status(inode, &status);
    return error ? error : is_owner(&self, &status) ? 0 : -BM_EPERM;
}

int bm_permission_remove(struct bm_inode *directory, struct bm_inode *there)
{
    enum { STICKY = 01000 };
    struct identity self = identity_now(false);
    struct bm_file_status above;
    int error = bm_permission_check(directory, 2 | 1, false);
    if (!error)
        error = bm_inode_status(directory, &above);
    if (error || !(above.mode & STICKY) || above.owner == self.user)
        return error;
    return bm_permission_owner(there);
}

// An owner stays as it is or is changed by who may; a group becomes one of the owner's own.
static bool may_give(const struct identity *self, const struct bm_file_status *now,
                     const struct bm_inode_change *change)
{
    if (has(self, BM_CAP_CHOWN))
        return true;
    if (change->which & BM_CHANGE_OWNER && (self->user != now->owner || change->owner != now->owner))
        return false;
    return !(change->which & BM_CHANGE_GROUP) ||
           (self->user == now->owner &&
            (change->group == now->group || bm_credentials_in_group(change->group)));
}

enum { SET_USER = 04000, SET_GROUP = 02000, GROUP_EXECUTES = 010, PERMISSIONS = 07777 }; // of modes

int bm_permission_written(struct bm_inode *inode)
{
    struct bm_file_status now;
    if (bm_credentials_may(BM_CAP_FSETID))
        return 0;
    int error = bm_inode_status(inode, &now);
    if (error || !(now.mode & (SET_USER | SET_GROUP)))
        return error;
    bool group = now.mode & GROUP_EXECUTES || !bm_credentials_in_group(now.group);
    uint32_t lost = SET_USER | (group ? SET_GROUP : 0);
    return bm_inode_change(
        inode, &(struct bm_inode_change){.which = BM_CHANGE_MODE, .mode = now.mode & PERMISSIONS & ~lost});
}

int bm_permission_change(struct bm_inode *inode, struct bm_inode_change *change)
{
    enum { TIMES = BM_CHANGE_ACCESSED | BM_CHANGE_MODIFIED };
    struct identity self = identity_now(false);
    struct bm_file_status now;
    int error = bm_inode_status(inode, &now);
    if (error)
        return error;
    bool owner = is_owner(&self, &now);
    if (!may_give(&self, &now, change) || (!owner && change->which & BM_CHANGE_MODE))
        return -BM_EPERM;
    if (!owner && change->which & TIMES && !(change->which & BM_CHANGE_TOUCH))
        return -BM_EPERM;
    if (!owner && change->which & TIMES)
        error = bm_permission_check(inode, 2, false);
    if (!error && change->which & BM_CHANGE_SIZE)
        error = bm_permission_check(inode, 2, false);
    uint32_t group = change->which & BM_CHANGE_GROUP ? change->group : now.group;
    if (change->which & BM_CHANGE_MODE && !has(&self, BM_CAP_FSETID) && !bm_credentials_in_group(group))
        change->mode &= ~(uint32_t)SET_GROUP;
    return error;
}

void bm_permission_own(struct bm_inode_new *what)
{
    struct identity self = identity_now(false);
    what->owner = self.user;
    what->group = self.group;
}
