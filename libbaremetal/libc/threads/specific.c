// Thread-specific storage of <threads.h>.
// SPDX-License-Identifier: MIT
//
// A key is a place in each thread's table and a generation in one number, so that what threads have stored
// under a key that was deleted is not found under the next one of its place.
#include "threads.h"

#include <baremetal/lock.h>
#include <stddef.h>

enum { KEYS = 64 };

static struct {
    tss_t current; // that has the place; 0: none
    unsigned generation;
    tss_dtor_t destructor;
} keys[KEYS];
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static _Thread_local struct {
    tss_t key;
    void *value;
} values[KEYS];

int tss_create(tss_t *key, tss_dtor_t destructor)
{
    int result = thrd_error;
    bm_spinlock_acquire(&lock);
    for (unsigned place = 0; place < KEYS && result != thrd_success; place++) {
        if (keys[place].current)
            continue;
        keys[place].current = *key = ++keys[place].generation * KEYS + place;
        keys[place].destructor = destructor;
        result = thrd_success;
    }
    bm_spinlock_release(&lock);
    return result;
}

void tss_delete(tss_t key)
{
    bm_spinlock_acquire(&lock);
    if (keys[key % KEYS].current == key)
        keys[key % KEYS].current = 0;
    bm_spinlock_release(&lock);
}

void *tss_get(tss_t key)
{
    return values[key % KEYS].key == key ? values[key % KEYS].value : NULL;
}

int tss_set(tss_t key, void *value)
{
    if (keys[key % KEYS].current != key)
        return thrd_error;
    values[key % KEYS].key = key;
    values[key % KEYS].value = value;
    return thrd_success;
}

// The destructor of a value that is there, which is forgotten then; NULL: there is nothing to call.
static tss_dtor_t value_take(unsigned place, void **value)
{
    tss_dtor_t destructor = NULL;
    bm_spinlock_acquire(&lock);
    if (values[place].value && keys[place].current == values[place].key)
        destructor = keys[place].destructor;
    bm_spinlock_release(&lock);
    *value = values[place].value;
    if (destructor)
        values[place].value = NULL;
    return destructor;
}

void bm_threads_values_end(void)
{
    bool called = true;
    for (unsigned round = 0; called && round < TSS_DTOR_ITERATIONS; round++) {
        called = false;
        for (unsigned place = 0; place < KEYS; place++) {
            void *value;
            tss_dtor_t destructor = value_take(place, &value);
            if (destructor) {
                destructor(value);
                called = true;
            }
        }
    }
}
