// Packed virtqueues against an invented device: every size and place of the wrap, chains of all lengths out
// of order, notifications both ways, lies.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtqueue_packed.c drivers/virtio/virtio.c tests/unit/memory_host/permanent.c
#include "virtqueue_packed/device.h"

// --- Tests ---

static void chains_are_shown_by_the_kick(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 5);
    assert_int_equal(add(2, 1, 1), 0);
    assert_int_equal(add(0, 1, 2), 0);
    assert_false(device_take());
    bm_virtqueue_packed_kick(&queue);
    assert_true(device_take() && device_take());
    assert_false(device_take());
    assert_true(side.had[0].slots == 3 && side.had[0].written == 10 && side.had[0].first == 0x1000);
    assert_true(side.had[1].slots == 1 && side.had[1].written == 10);
    assert_int_equal(add(2, 0, 3), -BM_EAGAIN);
    // A chain that was not added was never there, wherever the ring ends.
    assert_int_equal(add(1, 0, 3), 0);
    bm_virtqueue_packed_kick(&queue);
    device_return(0, 5);
    uint32_t length;
    assert_int_equal(take(&length), 1);
    assert_int_equal(length, 5);
    assert_int_equal(queue.free_count, 3);
    assert_int_equal(add(2, 2, 4), -BM_EAGAIN);
    assert_int_equal(add(0, 0, 4), -BM_EAGAIN);
    assert_int_equal(add(1, 0, 5), 0);
    bm_virtqueue_packed_kick(&queue);
    assert_true(device_take() && device_take());
    assert_false(device_take());
    assert_false(device.broken);
}

// What was not taken back yet, by cookie: the pieces that it has.
static unsigned out[1 << 16];
static unsigned out_count;

static void random_add(uintptr_t *cookie)
{
    unsigned max = queue.size < 6 ? queue.size : 6, pieces = 1 + (unsigned)rand() % max;
    unsigned readable = (unsigned)rand() % (pieces + 1);
    bool fits = pieces <= queue.free_count;
    int error = add(readable, pieces - readable, *cookie);
    assert_int_equal(error, fits ? 0 : -BM_EAGAIN);
    if (error)
        return;
    out[*cookie % 65536] = pieces;
    out_count++;
    *cookie = *cookie % 65535 + 1;
}

static void random_device(void)
{
    if (rand() % 2) {
        while (device_take() && rand() % 3)
            ;
    } else if (side.count) {
        unsigned which = (unsigned)rand() % side.count;
        uint32_t cookie = side.had[which].first / 0x1000;
        device_return(which, side.had[which].written ? cookie % 8 : 0);
    }
}

static void every_size_wraps(void **state)
{
    (void)state;
    srand(7);
    for (unsigned size = 1; size <= 300; size += size < 70 ? 1 : 29) {
        uintptr_t cookie = 1;
        start(size % 2 ? BM_VIRTIO_F_EVENT_IDX : 0, size);
        out_count = 0;
        memset(out, 0, sizeof out);
        for (unsigned step = 0; step < 4000 + 40 * size; step++) {
            if (rand() % 3 == 0)
                random_add(&cookie);
            if (rand() % 2)
                bm_virtqueue_packed_kick(&queue);
            random_device();
            // Lengths are those of chains that the device writes.
            struct bm_virtqueue_done done;
            if (rand() % 2 && bm_virtqueue_packed_take(&queue, &done, 1)) {
                uintptr_t one = (uintptr_t)done.cookie;
                assert_true(out[one] && (done.length == one % 8 || done.length == 0));
                out[one] = 0;
                out_count--;
            }
        }
        assert_false(device.broken);
        bm_virtqueue_packed_kick(&queue);
        while (device_take())
            ;
        while (side.count)
            device_return(0, 0);
        while (bm_virtqueue_packed_ready(&queue))
            assert_int_not_equal(take(NULL), 0);
        assert_int_equal(queue.free_count, size);
    }
}

// One chain at a time, for many rounds: both bits of all slots change at each.
static void rounds_go_on(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 2, 3, 7, 256, 1000};
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        start(BM_VIRTIO_F_EVENT_IDX, sizes[s]);
        for (uint32_t i = 1; i <= 70000 / (sizes[s] > 100 ? 10 : 1); i++) {
            uint32_t length;
            unsigned readable = i % 2 && sizes[s] > 1;
            assert_int_equal(add(readable, 1, i), 0);
            bm_virtqueue_packed_kick(&queue);
            assert_false(bm_virtqueue_packed_ready(&queue));
            assert_true(device_take());
            device_return(0, i % 10);
            assert_true(bm_virtqueue_packed_ready(&queue));
            assert_int_equal(take(&length), i);
            assert_int_equal(length, i % 10);
        }
        assert_int_equal(queue.free_count, sizes[s]);
    }
}

static void doorbell_rings_when_asked(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 7);
    device_events(2, 0, true);
    bm_virtqueue_packed_kick(&queue); // nothing new
    assert_int_equal(notified, 0);
    add(2, 0, 1); // slots 0 and 1
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 1);
    device_events(2, 5, true);
    add(3, 0, 2); // slots 2 to 4
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 1);
    add(1, 0, 3); // slot 5
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 2);
    device_events(2, 1, false); // slot 1 of the next round
    while (device_take())
        ;
    while (side.count)
        device_return(0, 0);
    while (take(NULL))
        ;
    add(2, 0, 4); // slots 6 and 0
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 2);
    add(1, 0, 5); // slot 1
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 3);
    device_events(1, 0, false);
    add(1, 0, 6);
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 3);
    device_events(0, 0, false);
    add(1, 0, 7);
    bm_virtqueue_packed_kick(&queue);
    assert_int_equal(notified, 4);
}

// Every place that the device may ask for, at every size: it is told of the slot that it names, and of no
// other.
static void doorbell_at_every_place(void **state)
{
    (void)state;
    for (unsigned size = 1; size < 20; size++)
        for (unsigned from = 0; from < 2 * size; from++)
            for (unsigned pieces = 1; pieces <= size; pieces++)
                for (unsigned place = 0; place < 2 * size; place++) {
                    start(BM_VIRTIO_F_EVENT_IDX, size);
                    for (unsigned i = 0; i < from; i++) {
                        add(1, 0, 1);
                        bm_virtqueue_packed_kick(&queue);
                        device_take();
                        device_return(0, 0);
                        take(NULL);
                    }
                    notified = 0;
                    device_events(2, place % size, place < size);
                    assert_int_equal(add(pieces, 0, 2), 0);
                    bm_virtqueue_packed_kick(&queue);
                    bool inside = false;
                    for (unsigned i = 0; i < pieces; i++)
                        inside |= (from + i) % (2 * size) == place;
                    // One that lies a whole round behind is as good as any: the device asks for what comes.
                    if (inside)
                        assert_int_equal(notified, 1);
                    else if (pieces + (place + 2 * size - from) % (2 * size) < 2 * size)
                        assert_int_equal(notified, 0);
                }
}

static void interrupts_are_asked_for(void **state)
{
    (void)state;
    for (unsigned event_index = 0; event_index < 2; event_index++) {
        start(event_index ? BM_VIRTIO_F_EVENT_IDX : 0, 9);
        for (unsigned round = 0; round < 40; round++) {
            for (unsigned i = 1; i <= 3; i++)
                add(2, 1, i);
            bm_virtqueue_packed_kick(&queue);
            while (device_take())
                ;
            interrupts = 0;
            assert_false(bm_virtqueue_packed_arm(&queue, 1));
            device_return(1, 0);
            assert_int_equal(interrupts, 1);
            assert_true(bm_virtqueue_packed_arm(&queue, 1)); // it is there
            take(NULL);
            assert_false(bm_virtqueue_packed_arm(&queue, 2));
            interrupts = 0;
            device_return(0, 0);
            assert_int_equal(interrupts, !event_index); // the second one
            device_return(0, 0);
            assert_int_equal(interrupts, event_index ? 1 : 2);
            while (take(NULL))
                ;
            bm_virtqueue_packed_disarm(&queue);
            add(1, 0, 7);
            bm_virtqueue_packed_kick(&queue);
            device_take();
            interrupts = 0;
            device_return(0, 0);
            assert_int_equal(interrupts, 0);
            assert_int_equal(take(NULL), 7);
        }
    }
}

// Whoever arms and finds nothing done is woken before all is done, whatever the chains' lengths and order.
static void no_interrupt_is_missed(void **state)
{
    (void)state;
    srand(3);
    for (unsigned size = 1; size < 40; size++) {
        start(BM_VIRTIO_F_EVENT_IDX, size);
        for (unsigned round = 0; round < 200; round++) {
            uintptr_t cookie = 1;
            while (rand() % 8 && cookie < 60)
                random_add(&cookie);
            bm_virtqueue_packed_kick(&queue);
            while (device_take())
                ;
            unsigned have = side.count;
            interrupts = 0;
            if (have)
                assert_false(bm_virtqueue_packed_arm(&queue, 1 + (unsigned)rand() % (have + 3)));
            while (side.count)
                device_return((unsigned)rand() % side.count, 0);
            assert_int_equal(interrupts, have ? 1 : 0);
            while (take(NULL))
                ;
        }
        assert_int_equal(queue.free_count, size);
    }
}

static void expect_broken(void)
{
    assert_int_equal(take(NULL), 0);
    assert_true(device.broken && device.silent);
    assert_int_equal(errors, 1);
    unsigned before = queue.free_count;
    assert_int_equal(take(NULL), 0);
    assert_int_equal(queue.free_count, before);
}

static void device_returns_what_it_has_not(void **state)
{
    (void)state;
    static const uint16_t wrong[] = {8, 0x7fff, 0xffff, 1, 5};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        start(0, 8);
        add(0, 1, 1); // id 0
        bm_virtqueue_packed_kick(&queue);
        used_write(wrong[i], 0, 1);
        expect_broken();
    }
    start(0, 8);
    add(0, 1, 1);
    bm_virtqueue_packed_kick(&queue);
    used_write(0, 0, 1);
    used_write(0, 0, 1); // twice
    assert_int_equal(take(NULL), 1);
    expect_broken();
    start(0, 8);
    add(1, 2, 1);
    add(2, 0, 2);
    bm_virtqueue_packed_kick(&queue);
    used_write(1, UINT32_MAX, 2); // nothing to write: the length means nothing
    uint32_t length;
    assert_int_equal(take(&length), 2);
    assert_int_equal(length, 0);
    used_write(0, 21, 3);
    expect_broken();
}

static void broken_device_gives_everything_back_once(void **state)
{
    (void)state;
    start(0, 8);
    add(2, 0, 1);
    add(0, 1, 2);
    add(3, 0, 4);
    bm_virtqueue_packed_kick(&queue);
    assert_null(bm_virtqueue_packed_abandon(&queue)); // not as long as it works
    bm_virtio_fail(&device, "test");
    uintptr_t sum = 0, cookie;
    while ((cookie = (uintptr_t)bm_virtqueue_packed_abandon(&queue)) != 0)
        sum += cookie;
    assert_int_equal(sum, 7);
    assert_int_equal(queue.free_count, 8);
}

static void restart_begins_anew(void **state)
{
    (void)state;
    start(BM_VIRTIO_F_EVENT_IDX, 6);
    for (unsigned i = 0; i < 10; i++) { // somewhere in a second round, with a chain not shown
        add(1, 0, 1);
        bm_virtqueue_packed_kick(&queue);
        device_take();
        device_return(0, 0);
        take(NULL);
    }
    add(3, 1, 2);
    assert_int_equal(bm_virtqueue_packed_restart(&queue), 0);
    assert_int_equal(enabled, 2);
    assert_int_equal(queue.free_count, 6);
    memset(&side, 0, sizeof side);
    side.wrap = side.used_wrap = true;
    assert_false(device_take());
    assert_int_equal(add(3, 3, 3), 0);
    bm_virtqueue_packed_kick(&queue);
    assert_true(device_take());
    device_return(0, 30);
    assert_int_equal(take(NULL), 3);
}

static void queues_that_cannot_be(void **state)
{
    (void)state;
    start(0, 8);
    assert_int_equal(bm_virtqueue_packed_create(&(struct bm_virtqueue){0}, &device, 1, 8), -BM_ENOENT);
    for (unsigned frames = 0; frames < 2; frames++) {
        frames_left = frames;
        assert_int_equal(bm_virtqueue_packed_create(&(struct bm_virtqueue){0}, &device, 0, 8), -BM_ENOMEM);
    }
    offered_size = 32768;
    frames_left = 2;
    struct bm_virtqueue other;
    device.interrupts = 3;
    assert_int_equal(bm_virtqueue_packed_create(&other, &device, 0, 100), 0);
    assert_int_equal(other.size, 100);
    assert_int_equal(other.interrupt, 1);
    free(other.descriptors);
    free(bm_virtqueue_packed_of(&other));
}

static int stop(void **state)
{
    (void)state;
    free(queue.descriptors);
    free(queue.entries ? (void *)bm_virtqueue_packed_of(&queue) : NULL);
    queue = (struct bm_virtqueue){0};
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
    const struct CMUnitTest tests[] = {
        TEST(chains_are_shown_by_the_kick),
        TEST(every_size_wraps),
        TEST(rounds_go_on),
        TEST(doorbell_rings_when_asked),
        TEST(doorbell_at_every_place),
        TEST(interrupts_are_asked_for),
        TEST(no_interrupt_is_missed),
        TEST(device_returns_what_it_has_not),
        TEST(broken_device_gives_everything_back_once),
        TEST(restart_begins_anew),
        TEST(queues_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
