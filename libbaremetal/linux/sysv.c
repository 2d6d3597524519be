// Identifiers and keys of System V's objects.
// SPDX-License-Identifier: MIT
#include "sysv.h"
#include "../file/credentials.h"

#include <baremetal/time.h>

enum { SEQUENCES = 65536, PRIVATE = 0, MODE = 0777 };

int64_t bm_linux_sysv_now(void)
{
    return (int64_t)(bm_time_wall() / 1000000000);
}

struct sysv_object *bm_linux_sysv_at(struct sysv_table *table, int place)
{
    struct sysv_object **chunk = place >= 0 && place < SYSV_MAX ? table->chunks[place / SYSV_CHUNK] : NULL;
    return chunk ? chunk[place % SYSV_CHUNK] : NULL;
}

struct sysv_object *bm_linux_sysv_find(struct sysv_table *table, int number)
{
    struct sysv_object *object = number < 0 ? NULL : bm_linux_sysv_at(table, number % SYSV_MAX);
    return object && object->number == number ? object : NULL;
}

static struct sysv_object *find_key(struct sysv_table *table, int key)
{
    for (int i = 0; key != PRIVATE && table->count && i <= table->highest; i++) {
        struct sysv_object *object = bm_linux_sysv_at(table, i);
        if (object && object->permissions.key == key)
            return object;
    }
    return NULL;
}

// The lowest free place; NULL: there is none, or no memory for it.
static struct sysv_object **place_free(struct sysv_table *table, int *place)
{
    for (int i = 0; i < table->max; i++) {
        struct sysv_object ***chunk = &table->chunks[i / SYSV_CHUNK];
        if (!*chunk) {
            *chunk = bm_frame_allocate(0);
            if (!*chunk)
                return NULL;
            __builtin_memset(*chunk, 0, BM_PAGE_SIZE);
        }
        *place = i;
        if (!(*chunk)[i % SYSV_CHUNK])
            return &(*chunk)[i % SYSV_CHUNK];
    }
    return NULL;
}

static long add(struct sysv_table *table, int key, int flags, struct sysv_object *(*make)(long arg), long arg)
{
    int place;
    struct sysv_object **at = place_free(table, &place);
    struct sysv_object *object = at ? make(arg) : NULL;
    if (!object)
        return at ? -BM_ENOMEM : -BM_ENOSPC;
    *at = object;
    table->count++;
    if (place > table->highest || table->count == 1)
        table->highest = place;
    object->number = (int)(table->sequence * SYSV_MAX) + place;
    object->permissions = (struct sysv_permissions){
        .key = key, .mode = (unsigned)flags & MODE, .sequence = (uint16_t)table->sequence};
    if (&bm_credentials) {
        object->permissions.user = object->permissions.maker = bm_credentials.user[BM_ID_EFFECTIVE];
        object->permissions.group = object->permissions.maker_group = bm_credentials.group[BM_ID_EFFECTIVE];
    }
    table->sequence = (table->sequence + 1) % SEQUENCES;
    object->references = 1;
    object->changed = bm_linux_sysv_now();
    return object->number;
}

int bm_linux_sysv_permit(const struct sysv_object *object, unsigned wanted)
{
    const struct sysv_permissions *of = &object->permissions;
    const uint32_t owners[4] = {of->maker, of->maker_group, of->user, of->group};
    return bm_permission_shared ? bm_permission_shared(of->mode, owners, wanted, BM_CAP_IPC_OWNER) : 0;
}

int bm_linux_sysv_permit_change(const struct sysv_object *object)
{
    const struct sysv_permissions *of = &object->permissions;
    return bm_permission_own_of ? bm_permission_own_of(of->user, of->maker, BM_CAP_SYS_ADMIN) : 0;
}

// What the flags of a call for one that is there ask for: all bits that any class has among them.
static long check_there(const struct sysv_object *there, int flags,
                        long (*check)(const struct sysv_object *object, long arg), long arg)
{
    unsigned wanted = ((unsigned)flags >> 6 | (unsigned)flags >> 3 | (unsigned)flags) & 7;
    long error = check ? check(there, arg) : 0;
    if (!error)
        error = bm_linux_sysv_permit(there, wanted);
    return error ? error : there->number;
}

long bm_linux_sysv_get(struct sysv_table *table, int key, int flags, struct sysv_object *(*make)(long arg),
                       long (*check)(const struct sysv_object *object, long arg), long arg)
{
    long result;
    bm_spinlock_acquire(&table->lock);
    const struct sysv_object *there = find_key(table, key);
    if (there && flags & SYSV_CREATE && flags & SYSV_EXCLUSIVE)
        result = -BM_EEXIST;
    else if (there)
        result = check_there(there, flags, check, arg);
    else if (key == PRIVATE || flags & SYSV_CREATE)
        result = add(table, key, flags, make, arg);
    else
        result = -BM_ENOENT;
    bm_spinlock_release(&table->lock);
    return result;
}

void bm_linux_sysv_release(struct sysv_table *table, struct sysv_object *object)
{
    if (--object->references == 0)
        table->end(object);
}

void bm_linux_sysv_remove(struct sysv_table *table, struct sysv_object *object)
{
    int place = object->number % SYSV_MAX;
    table->chunks[place / SYSV_CHUNK][place % SYSV_CHUNK] = NULL;
    table->count--;
    while (table->count && !bm_linux_sysv_at(table, table->highest))
        table->highest--;
    object->removed = true;
    bm_linux_sysv_release(table, object);
}

void bm_linux_sysv_set(struct sysv_object *object, const struct sysv_permissions *wanted)
{
    object->permissions.user = wanted->user;
    object->permissions.group = wanted->group;
    object->permissions.mode = (object->permissions.mode & ~(unsigned)MODE) | (wanted->mode & MODE);
    object->changed = bm_linux_sysv_now();
}
