// Input and output of several pieces, of kinds that take one at a time and of those that take them whole.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/file/pieces.c
#include <baremetal/error.h>
#include <baremetal/file.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// What the kind under test gives, and what it was asked for.
static struct {
    long limits[4];     // the most that each call moves, or an error
    int events;         // what poll tells
    size_t sizes[4];    // of each call
    uint64_t places[4]; // of each call at an offset
    int calls;
} kind;

static long moved(size_t size)
{
    assert_in_range(kind.calls, 0, 3);
    long limit = kind.limits[kind.calls];
    kind.sizes[kind.calls++] = size;
    return limit < 0 || (size_t)limit < size ? limit : (long)size;
}

static long read_one(struct bm_file *file, void *data, size_t size)
{
    (void)file, (void)data;
    return moved(size);
}

static long write_one(struct bm_file *file, const void *data, size_t size)
{
    (void)file, (void)data;
    return moved(size);
}

static long read_one_at(struct bm_file *file, void *data, size_t size, uint64_t offset)
{
    (void)file, (void)data;
    kind.places[kind.calls] = offset;
    return moved(size);
}

static long write_whole(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    (void)file, (void)pieces;
    return 1000 + count;
}

static int poll_now(struct bm_file *file)
{
    (void)file;
    return kind.events;
}

static const struct bm_file_ops one_by_one = {
    .read = read_one, .write = write_one, .read_at = read_one_at, .poll = poll_now};
static const struct bm_file_ops whole = {.writev = write_whole};
static struct bm_file file = {.ops = &one_by_one}, whole_file = {.ops = &whole};

// Four pieces of 10, 0, 20 and 30 bytes.
static const struct bm_file_piece pieces[4] = {{"", 10}, {NULL, 0}, {"", 20}, {"", 30}};

static void kind_gives(long first, long second, long third, int events)
{
    memset(&kind, 0, sizeof kind);
    kind.limits[0] = first, kind.limits[1] = second, kind.limits[2] = third, kind.limits[3] = -BM_EIO;
    kind.events = events;
}

static void one_piece_after_the_other(void **state)
{
    (void)state;
    kind_gives(100, 100, 100, 0);
    assert_int_equal(bm_file_writev(&file, pieces, 4), 60);
    assert_int_equal(kind.calls, 3); // the empty one is passed over
    assert_int_equal(kind.sizes[2], 30);
    kind_gives(100, 5, 100, 0);
    assert_int_equal(bm_file_writev(&file, pieces, 4), 15); // a short one ends it
    kind_gives(100, -BM_EIO, 100, 0);
    assert_int_equal(bm_file_writev(&file, pieces, 4), 10); // what was moved is a success
    kind_gives(-BM_EAGAIN, 100, 100, 0);
    assert_int_equal(bm_file_writev(&file, pieces, 4), -BM_EAGAIN);
}

static void reading_does_not_wait_behind_the_first(void **state)
{
    (void)state;
    kind_gives(100, 100, 100, 0);
    assert_int_equal(bm_file_readv(&file, pieces, 4), 10);
    kind_gives(100, 100, 100, BM_POLLIN);
    assert_int_equal(bm_file_readv(&file, pieces, 4), 60);
}

static void at_an_offset(void **state)
{
    (void)state;
    kind_gives(100, 100, 7, 0); // whatever poll says
    assert_int_equal(bm_file_readv_at(&file, pieces, 4, 1000), 37);
    assert_int_equal(kind.places[0], 1000);
    assert_int_equal(kind.places[1], 1010);
    assert_int_equal(kind.places[2], 1030);
    assert_int_equal(bm_file_writev_at(&file, pieces, 4, 0), -BM_EINVAL); // the kind cannot
}

static void kinds_that_take_them_whole(void **state)
{
    (void)state;
    assert_int_equal(bm_file_writev(&whole_file, pieces, 4), 1004);
    assert_int_equal(bm_file_readv(&whole_file, pieces, 4), -BM_EINVAL);
    assert_int_equal(bm_file_writev_at(&whole_file, pieces, 4, 0), -BM_EINVAL);
}

static void no_more_than_a_result_can_tell(void **state)
{
    (void)state;
    static const struct bm_file_piece huge[3] = {{"", INT64_MAX}, {"", 1}, {"", 1}};
    static struct bm_file_piece many[BM_PIECES_MAX + 1];
    kind_gives(INT64_MAX, 100, 100, 0);
    assert_int_equal(bm_file_writev(&file, huge, 1), BM_TRANSFER_MAX);
    assert_int_equal(kind.sizes[0], BM_TRANSFER_MAX);
    assert_int_equal(bm_file_writev(&file, huge, 2), -BM_EINVAL);
    assert_int_equal(bm_file_writev(&file, many, BM_PIECES_MAX), 0);
    assert_int_equal(bm_file_writev(&file, many, BM_PIECES_MAX + 1), -BM_EINVAL);
    assert_int_equal(bm_file_writev(&file, many, -1), -BM_EINVAL);
    assert_int_equal(bm_file_writev(&file, many, 0), 0);
    static const struct bm_file_piece over[3] = {{"", BM_TRANSFER_MAX - 5}, {"", 10}, {"", 1}};
    kind_gives(INT64_MAX, INT64_MAX, 100, 0);
    assert_int_equal(bm_file_writev(&file, over, 3), BM_TRANSFER_MAX);
    assert_int_equal(kind.sizes[1], 5);
    assert_int_equal(kind.calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece_after_the_other),
        cmocka_unit_test(reading_does_not_wait_behind_the_first),
        cmocka_unit_test(at_an_offset),
        cmocka_unit_test(kinds_that_take_them_whole),
        cmocka_unit_test(no_more_than_a_result_can_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
