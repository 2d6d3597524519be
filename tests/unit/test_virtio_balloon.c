// The virtio balloon driver between an invented device and an invented memory whose pages have owners.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/base/stack.c
// @sources drivers/balloon/virtio_balloon_pages.c drivers/balloon/virtio_balloon_short.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtio_restart.c drivers/virtio/virtqueue.c
// @sources tests/unit/memory_host/permanent.c
#include "virtio_balloon/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { RESERVE = 2048 };

static int set_up(void **state)
{
    (void)state;
    machine_reset();
    return 0;
}

static unsigned attach(void)
{
    assert_int_equal(bm_driver_virtio_balloon.attach(&device.device), 0);
    return frames_free;
}

// What a core does that has nothing else to do.
static void settle(void)
{
    device_work();
    for (unsigned i = 0; i < 10000 && (poller->poll(poller->arg) || poller->arm(poller->arg)); i++)
        device_work();
}

static void host_wants(uint32_t pages)
{
    num_pages = pages;
    atomic_store(&device.config_changed, true);
    settle();
}

static void size_is_what_the_host_says(void **state)
{
    (void)state;
    unsigned before = attach();
    static const uint32_t sizes[] = {1, 0, 1, 2, 255, 256, 257, 1021, 1022, 3000, 1021, 5, 4100, 0};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        host_wants(sizes[i]);
        assert_int_equal(actual, sizes[i]);
        assert_int_equal(frames_lent, sizes[i]);
        assert_int_equal(frames_free, before - sizes[i] - (sizes[i] + 1020) / 1021);
        assert_int_equal(bm_balloon_state_get().held, sizes[i] * BM_PAGE_SIZE);
        assert_int_equal(bm_balloon_state_get().wanted, sizes[i] * BM_PAGE_SIZE);
    }
    assert_int_equal(errors, 0);
}

static void what_the_host_wanted_before_is_heard(void **state)
{
    (void)state;
    num_pages = 300;
    attach();
    settle();
    assert_int_equal(actual, 300);
}

static void reserve_is_kept(void **state)
{
    (void)state;
    attach();
    host_wants(UINT32_MAX);
    assert_int_equal(actual, frames_lent);
    assert_in_range(frames_free, RESERVE, RESERVE + 1);
    // Nothing goes on until memory becomes free, and a second has passed.
    uint32_t before = actual;
    uint64_t due = poller->deadline(poller->arg);
    assert_in_range(due, now, now + 1000000000);
    assert_false(poller->arm(poller->arg));
    bm_balloon_reserve_set((RESERVE - 100) * BM_PAGE_SIZE);
    settle();
    assert_int_equal(actual, before);
    now = due;
    settle();
    assert_in_range(actual, before + 98, before + 100);
    // The program has used what was left: the balloon does not shrink, and not grow.
    void *block = bm_frame_allocate(0);
    assert_non_null(block);
    before = actual;
    now += 2000000000;
    settle();
    assert_int_equal(actual, before);
    host_wants(0);
    assert_int_equal(frames_lent, 0);
}

static void default_reserve_is_an_eighth_or_8_mib(void **state)
{
    (void)state;
    bm_balloon_reserve_set(0);
    attach();
    host_wants(UINT32_MAX);
    assert_in_range(frames_free, 0, 1);
}

static void size_changes_while_the_balloon_does(void **state)
{
    (void)state;
    unsigned before = attach();
    srand(1);
    for (unsigned i = 0; i < 3000; i++) {
        num_pages = rand() % 5 ? (uint32_t)rand() % 3000 : (uint32_t)rand() * 2u;
        atomic_store(&device.config_changed, true);
        for (int steps = rand() % 8; steps; steps--) {
            poller->poll(poller->arg);
            poller->arm(poller->arg);
            if (rand() % 2)
                device_work();
        }
    }
    host_wants(777);
    assert_int_equal(frames_lent, 777);
    assert_int_equal(actual, 777);
    host_wants(0);
    assert_int_equal(frames_free, before);
}

static void statistics_are_told_when_asked(void **state)
{
    (void)state;
    unsigned before = attach();
    device_work();
    assert_int_equal(told[4], before * BM_PAGE_SIZE);
    assert_int_equal(told[5], FRAMES * BM_PAGE_SIZE);
    host_wants(100);
    memset(told, 0, sizeof told);
    settle();
    assert_int_equal(told[4], 0); // nobody has asked
    give_back(STATISTICS, 0, 0);
    assert_true(poller->arm(poller->arg));
    settle();
    assert_int_equal(told[4], (before - 101) * BM_PAGE_SIZE);
    assert_int_equal(told[5], (FRAMES - 100) * BM_PAGE_SIZE);
    assert_int_equal(told[6], told[4]);
}

static void *allocate_all(void)
{
    void *list = NULL, **page;
    while ((page = __wrap_bm_frame_allocate(0))) {
        *page = list;
        list = page;
        device_work();
    }
    return list;
}

static void memory_that_ends_comes_back(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    uint64_t before = bm_balloon_state_get().returned;
    unsigned free = attach();
    host_wants(4000);
    void **list = allocate_all();
    struct bm_balloon_state balloon = bm_balloon_state_get();
    assert_int_equal(balloon.held, 0);
    assert_int_equal(balloon.wanted, 4000 * BM_PAGE_SIZE);
    settle();
    assert_int_equal(actual, 0);
    assert_int_equal(frames_lent, 0);
    // The balloon grows again when there is room, after a while.
    bm_frame_free_list(list);
    assert_int_equal(bm_balloon_state_get().returned - before, 4000 * BM_PAGE_SIZE);
    settle();
    assert_int_equal(frames_free, free);
    now += 2000000000;
    settle();
    assert_int_equal(actual, 4000);
}

// What came back is not taken again at once, even if it is free by then.
static void balloon_waits_behind_a_shortage(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    attach();
    host_wants(4000);
    bm_frame_free_list(allocate_all());
    settle();
    assert_int_equal(bm_balloon_state_get().held, 0);
    assert_in_range(poller->deadline(poller->arg), now, now + 1000000000);
    now += 2000000000;
    settle();
    assert_int_equal(actual, 4000);
}

static void large_blocks_come_back_at_once_or_not(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    attach();
    bm_balloon_reserve_set(0);
    host_wants(UINT32_MAX);
    device_work();
    assert_null(__wrap_bm_frame_allocate(13)); // more than the balloon ever had
    uint64_t held = bm_balloon_state_get().held;
    assert_int_equal(held, actual * BM_PAGE_SIZE);
    assert_null(__wrap_bm_frame_allocate_below(BM_FRAME_ORDER_MAX + 1, 64));
    assert_int_equal(bm_balloon_state_get().held, held);
    prompt = true;
    assert_non_null(__wrap_bm_frame_allocate_below(9, 64));
    assert_int_equal(bm_balloon_state_get().held, held - 1024 * BM_PAGE_SIZE);
    // A device that does not answer is waited for, a second.
    prompt = false;
    num_pages = 2000;
    atomic_store(&device.config_changed, true);
    poller->poll(poller->arg);
    while (__real_bm_frame_allocate_below(0, 64))
        ;
    uint64_t before = now;
    assert_null(__wrap_bm_frame_allocate_below(0, 64));
    assert_in_range(now - before, 1000000000, 1100000000);
    before = now; // not again
    assert_null(__wrap_bm_frame_allocate_below(0, 64));
    assert_in_range(now - before, 0, 10000000);
    prompt = true;
    device_work();
    assert_non_null(__wrap_bm_frame_allocate_below(0, 64));
}

static void without_the_feature_nothing_comes_back(void **state)
{
    (void)state;
    attach();
    host_wants(1000);
    bm_frame_free_list(allocate_all());
    assert_int_equal(frames_lent, 1000);
    assert_int_equal(bm_balloon_state_get().held, 1000 * BM_PAGE_SIZE);
}

// The host wants to be told first: nothing is used before it has answered.
static void host_that_must_be_told_is_waited_for(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_MUST_TELL_HOST | VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    unsigned before = attach();
    host_wants(2000);
    num_pages = 0;
    atomic_store(&device.config_changed, true);
    unsigned free = frames_free;
    poller->poll(poller->arg);
    assert_int_equal(frames_free, free);
    settle();
    assert_int_equal(frames_free, before);
    host_wants(2000);
    while (__real_bm_frame_allocate_below(0, 64))
        ;
    assert_null(__wrap_bm_frame_allocate(0)); // a device that does not answer
    assert_int_equal(frames_free, 0);
    settle();
    assert_int_equal(frames_free, 256);
    prompt = true;
    while (__real_bm_frame_allocate_below(0, 64))
        ;
    assert_non_null(__wrap_bm_frame_allocate(0));
}

static void reset_keeps_what_is_in_the_balloon(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_MUST_TELL_HOST;
    unsigned before = attach();
    host_wants(1500);
    num_pages = 1700;
    atomic_store(&device.config_changed, true);
    poller->poll(poller->arg); // a message is under way
    status |= BM_VIRTIO_NEEDS_RESET;
    atomic_store(&device.config_changed, true);
    poller->poll(poller->arg);
    settle();
    assert_false(device.broken);
    assert_int_equal(frames_lent, 1700);
    assert_int_equal(actual, 1700);
    assert_int_equal(told[5], FRAMES * BM_PAGE_SIZE - 1500 * BM_PAGE_SIZE);
    num_pages = 1800; // one that was answered, and not looked at
    atomic_store(&device.config_changed, true);
    poller->poll(poller->arg);
    device_work();
    status |= BM_VIRTIO_NEEDS_RESET;
    atomic_store(&device.config_changed, true);
    poller->poll(poller->arg);
    settle();
    assert_int_equal(frames_lent, 1800);
    host_wants(0);
    assert_int_equal(frames_free, before);
    for (unsigned i = 0; i < RESETS_MAX; i++) {
        status |= BM_VIRTIO_NEEDS_RESET;
        host_wants(10);
    }
    assert_true(device.broken);
    assert_int_equal(errors, 1);
    settle();
}

static void device_that_ends_leaves_its_pages(void **state)
{
    for (unsigned how = 0; how < 4; how++) {
        bool tell = how == 3;
        set_up(state);
        offered |= tell ? VIRTIO_BALLOON_F_MUST_TELL_HOST : VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
        unsigned before = attach();
        host_wants(1234);
        num_pages = 1500;
        atomic_store(&device.config_changed, true);
        poller->poll(poller->arg); // a message is under way
        if (how == 0)
            gone = true;
        else
            give_back(INFLATE, 3, 0); // that the device does not have
        stuck = how == 2;
        atomic_store(&device.config_changed, true);
        poller->poll(poller->arg);
        settle();
        assert_true(device.broken);
        assert_int_equal(errors, 1);
        assert_int_equal(poller->deadline(poller->arg), UINT64_MAX);
        assert_false(poller->poll(poller->arg) || poller->arm(poller->arg));
        assert_true((frames_free == before) == (how < 2)); // one that may still write keeps them
        assert_int_equal(bm_balloon_state_get().held, how < 2 ? 0 : 1234 * BM_PAGE_SIZE);
        assert_int_equal(bm_balloon_state_get().wanted, 0);
        assert_false(bm_frame_short(BM_PAGE_SIZE));
    }
}

// A device that was taken away says nothing of it: memory that ends finds it out.
static void device_that_is_gone_gives_all_back(void **state)
{
    (void)state;
    offered |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
    attach();
    host_wants(1500);
    gone = true;
    num_pages = 1400;
    while (__real_bm_frame_allocate_below(0, 64))
        ;
    assert_non_null(__wrap_bm_frame_allocate(0)); // the message goes into the queue, and is not answered
    while (__real_bm_frame_allocate_below(0, 64))
        ;
    assert_false(device.broken);
    assert_non_null(__wrap_bm_frame_allocate(0));
    assert_true(device.broken);
    assert_int_equal(bm_balloon_state_get().held, 0);
    assert_true(frames_free > 1000);
    while (__wrap_bm_frame_allocate(0))
        ;
    assert_false(poller->poll(poller->arg) || poller->arm(poller->arg));
    assert_int_equal(errors, 1);
}

static void devices_that_cannot_be_used_are_given_up(void **state)
{
    (void)state;
    queue_max = 0;
    assert_true(bm_driver_virtio_balloon.attach(&device.device) < 0);
    assert_int_equal(errors, 1);
    assert_int_equal(bm_balloon_state_get().held, 0);
    assert_null(poller);
    set_up(state);
    attach();
    struct bm_poller *before = poller;
    assert_int_equal(bm_driver_virtio_balloon.attach(&device.device), -BM_EBUSY);
    assert_ptr_equal(poller, before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(size_is_what_the_host_says),
        TEST(what_the_host_wanted_before_is_heard),
        TEST(reserve_is_kept),
        TEST(default_reserve_is_an_eighth_or_8_mib),
        TEST(size_changes_while_the_balloon_does),
        TEST(statistics_are_told_when_asked),
        TEST(memory_that_ends_comes_back),
        TEST(balloon_waits_behind_a_shortage),
        TEST(large_blocks_come_back_at_once_or_not),
        TEST(without_the_feature_nothing_comes_back),
        TEST(host_that_must_be_told_is_waited_for),
        TEST(reset_keeps_what_is_in_the_balloon),
        TEST(device_that_ends_leaves_its_pages),
        TEST(device_that_is_gone_gives_all_back),
        TEST(devices_that_cannot_be_used_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
