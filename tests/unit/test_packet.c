// Packet pools: limits, short memory, the wake-up of who found one empty, and two cores at once.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/device/packet.c tests/unit/memory_host/permanent.c
#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/netdev.h>
#include <baremetal/wait.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned largest_order, pages_left;
static atomic_uint wakes;
static void *blocks[4096];
static unsigned block_count;

void *bm_frame_allocate(unsigned order)
{
    if (order > largest_order || pages_left < 1u << order)
        return NULL;
    pages_left -= 1u << order;
    return blocks[block_count++] = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block; // tear_down frees all
    pages_left += 1u << order;
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)address + 0x1000000;
}

unsigned bm_core_id(void)
{
    return 5;
}

void bm_core_wake(unsigned core)
{
    assert_int_equal(core, 5);
    wakes++;
}

static int set_up(void **state)
{
    (void)state;
    largest_order = 18;
    pages_left = 1024;
    wakes = block_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (block_count)
        free(blocks[--block_count]);
    return 0;
}

// Takes packets until there are none, marks each, and returns how many there were.
static unsigned take_all(struct bm_packet_pool *pool, struct bm_packet *packets[], unsigned most)
{
    unsigned count = 0;
    struct bm_packet *packet;
    while ((packet = bm_packet_allocate(pool, 1))) {
        assert_true(count < most);
        assert_int_equal((uintptr_t)packet % BM_PACKET_SIZE, 0);
        assert_int_equal(packet->dma, (uint64_t)packet + 0x1000000);
        assert_ptr_equal(packet->pool, pool);
        memset((char *)packet + BM_PACKET_DATA_OFFSET, (int)count, BM_PACKET_SIZE - BM_PACKET_DATA_OFFSET);
        packets[count++] = packet;
    }
    return count;
}

static void pool_ends_at_its_limit(void **state)
{
    (void)state;
    struct bm_packet *packets[512];
    struct bm_packet_pool *pool = bm_packet_pool_create(16, 100);
    assert_non_null(pool);
    unsigned count = take_all(pool, packets, 512);
    assert_int_equal(count, 100);
    for (unsigned i = 0; i < count; i++) // none overlaps another
        assert_int_equal(((unsigned char *)packets[i])[BM_PACKET_SIZE - 1], i);
    for (unsigned i = 0; i < count; i++)
        bm_packet_free(packets[i]);
    assert_int_equal(take_all(pool, packets, 512), 100);
}

static void pool_lives_with_what_memory_there_is(void **state)
{
    (void)state;
    struct bm_packet *packets[64];
    pages_left = 6;
    largest_order = 1; // in pieces
    struct bm_packet_pool *pool = bm_packet_pool_create(8, 1000);
    assert_non_null(pool);
    assert_int_equal(take_all(pool, packets, 64), 10); // one page is the pool's own
    pages_left = 1;
    assert_non_null(bm_packet_allocate(pool, 1)); // memory came back
    pages_left = 1;
    assert_null(bm_packet_pool_create(8, 8)); // not one buffer
    pages_left = 0;
    assert_null(bm_packet_pool_create(8, 8));
}

static void who_went_away_empty_is_woken_once(void **state)
{
    (void)state;
    struct bm_packet *packets[8];
    struct bm_packet_pool *pool = bm_packet_pool_create(4, 4);
    for (unsigned i = 0; i < 4; i++)
        packets[i] = bm_packet_allocate(pool, 1);
    bm_packet_free(packets[0]);
    assert_int_equal(wakes, 0); // nobody had asked in vain
    packets[0] = bm_packet_allocate(pool, 1);
    assert_null(bm_packet_allocate(pool, 1));
    assert_null(bm_packet_allocate(pool, 1));
    bm_packet_free(packets[0]);
    bm_packet_free(packets[1]);
    assert_int_equal(wakes, 1);
}

static void lists_are_as_long_as_the_pool_allows(void **state)
{
    (void)state;
    struct bm_packet *packets[16], *list;
    struct bm_packet_pool *pool = bm_packet_pool_create(4, 10);
    assert_null(bm_packet_allocate(pool, 0));
    unsigned count = 0;
    for (list = bm_packet_allocate(pool, 6); list; list = list->next)
        packets[count++] = list;
    assert_int_equal(count, 6);
    for (list = bm_packet_allocate(pool, 6); list; list = list->next) {
        for (unsigned i = 0; i < count; i++)
            assert_ptr_not_equal(list, packets[i]);
        packets[count++] = list;
    }
    assert_int_equal(count, 10);
    bm_packet_free(packets[3]);
    assert_int_equal(wakes, 1); // the second list was shorter than it should have been
    list = bm_packet_allocate(pool, 6);
    assert_ptr_equal(list, packets[3]);
    assert_null(list->next);
}

static void pool_tells_when_the_stack_holds_many(void **state)
{
    (void)state;
    enum { POOL_MIN = 8, HELD = 256 };
    struct bm_packet_pool *pool = bm_packet_pool_create(POOL_MIN, 400);
    struct bm_packet *list = bm_packet_allocate(pool, POOL_MIN + HELD);
    assert_false(bm_packet_pool_scarce(pool));
    struct bm_packet *one = bm_packet_allocate(pool, 1);
    assert_true(bm_packet_pool_scarce(pool));
    bm_packet_free(one);
    assert_false(bm_packet_pool_scarce(pool));
    while (list) {
        struct bm_packet *next = list->next;
        bm_packet_free(list);
        list = next;
    }
    list = bm_packet_allocate(pool, POOL_MIN + HELD + 1); // all that were given back are counted
    assert_true(bm_packet_pool_scarce(pool));
    pool = bm_packet_pool_create(POOL_MIN, POOL_MIN + HELD);
    list = bm_packet_allocate(pool, POOL_MIN + HELD + 50); // and only those that there were
    assert_false(bm_packet_pool_scarce(pool));
}

// One core allocates, the other frees, through a ring of one direction.
enum { TURNS = 200000, RING = 64 };
static struct bm_packet *_Atomic ring[RING];

static void *free_them(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < TURNS; i++) {
        struct bm_packet *packet;
        while (!(packet = atomic_exchange(&ring[i % RING], NULL)))
            sched_yield();
        bm_packet_free(packet);
    }
    return NULL;
}

static void two_cores_share_a_pool(void **state)
{
    (void)state;
    struct bm_packet *packets[64];
    struct bm_packet_pool *pool = bm_packet_pool_create(16, 32);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_them, NULL), 0);
    for (unsigned i = 0; i < TURNS; i++) {
        struct bm_packet *packet;
        while (!(packet = bm_packet_allocate(pool, 1)))
            sched_yield();
        while (atomic_load(&ring[i % RING]))
            sched_yield();
        atomic_store(&ring[i % RING], packet);
    }
    pthread_join(thread, NULL);
    assert_int_equal(take_all(pool, packets, 64), 32); // none lost, none twice
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pool_ends_at_its_limit),
        TEST(pool_lives_with_what_memory_there_is),
        TEST(who_went_away_empty_is_woken_once),
        TEST(lists_are_as_long_as_the_pool_allows),
        TEST(pool_tells_when_the_stack_holds_many),
        TEST(two_cores_share_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
