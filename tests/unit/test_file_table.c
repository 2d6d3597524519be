// The descriptor table: lowest free number, references, growth, the end of it.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/file/table.c
#include <baremetal/error.h>
#include <baremetal/file.h>
#include <baremetal/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int closed;
static bool no_memory;

static int count_close(struct bm_file *file)
{
    (void)file;
    closed++;
    return 0;
}

static const struct bm_file_ops ops = {.close = count_close};
struct bm_file bm_terminal_file = {.ops = &ops, .references = 3};

void *bm_frame_allocate(unsigned order)
{
    assert_int_equal(order, 0);
    return no_memory ? NULL : aligned_alloc(BM_PAGE_SIZE, BM_PAGE_SIZE);
}

static void lowest_number(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops}, b = {.ops = &ops};
    closed = 0;
    assert_int_equal(bm_file_install(&a, 0), 3);
    assert_int_equal(bm_file_install(&b, 0), 4);
    assert_int_equal(bm_file_install(&b, 10), 10);
    assert_int_equal(bm_file_install(&b, 10), 11);
    assert_int_equal(bm_file_install(&b, 0), 5);
    assert_int_equal(bm_file_close(5), 0);
    assert_int_equal(bm_file_close(3), 0);
    assert_int_equal(closed, 1);
    assert_int_equal(bm_file_install(&a, 0), 3);
    assert_int_equal(bm_file_install(&a, 0), 5);
    assert_int_equal(bm_file_close(3), 0);
    assert_int_equal(closed, 1); // 5 still holds it
    assert_int_equal(bm_file_close(5), 0);
    assert_int_equal(closed, 2);
    for (int descriptor = 4; descriptor <= 11; descriptor += descriptor == 4 ? 6 : 1)
        assert_int_equal(bm_file_close(descriptor), 0);
    assert_int_equal(closed, 3);
}

static void wrong_numbers(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops};
    static const int wrong[] = {-1, 3, 500, BM_FILES_MAX, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_null(bm_file_acquire(wrong[i]));
        assert_int_equal(bm_file_close(wrong[i]), -BM_EBADF);
        assert_int_equal(bm_file_duplicate(wrong[i], 7), -BM_EBADF);
    }
    assert_int_equal(bm_file_duplicate(1, -1), -BM_EBADF);
    assert_int_equal(bm_file_duplicate(1, BM_FILES_MAX), -BM_EBADF);
    assert_int_equal(bm_file_install(&a, -1), -BM_EINVAL);
    assert_int_equal(bm_file_install(&a, BM_FILES_MAX), -BM_EINVAL);
    assert_int_equal(a.references, 0);
    assert_int_equal(bm_terminal_file.references, 3);
}

// A call that is under way keeps the file; the last one out closes it.
static void references(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops};
    closed = 0;
    int descriptor = bm_file_install(&a, 0);
    assert_ptr_equal(bm_file_acquire(descriptor), &a);
    assert_int_equal(bm_file_close(descriptor), 0);
    assert_int_equal(closed, 0);
    assert_null(bm_file_acquire(descriptor));
    bm_file_release(&a);
    assert_int_equal(closed, 1);
}

// One that is kept for a file to come is nobody else's.
static void reservation(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops};
    closed = 0;
    int descriptor = bm_file_reserve(), other = bm_file_install(&a, 0);
    assert_int_equal(other, descriptor + 1);
    assert_int_equal(bm_file_close(descriptor), -BM_EBADF);
    assert_int_equal(bm_file_duplicate(other, descriptor), -BM_EBUSY);
    assert_int_equal(bm_file_duplicate(descriptor, other), -BM_EBADF);
    assert_int_equal(bm_file_duplicate(descriptor, descriptor), -BM_EBADF);
    assert_int_equal(a.references, 1);
    bm_file_fill(descriptor, NULL);
    assert_int_equal(bm_file_reserve(), descriptor);
    bm_file_fill(descriptor, &a);
    assert_int_equal(a.references, 2);
    assert_int_equal(bm_file_close(descriptor), 0);
    assert_int_equal(bm_file_close(other), 0);
    assert_int_equal(closed, 1);
}

static void duplicates(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops}, b = {.ops = &ops};
    closed = 0;
    int first = bm_file_install(&a, 0), second = bm_file_install(&b, 0);
    assert_int_equal(bm_file_duplicate(first, first), first);
    assert_int_equal(a.references, 1);
    assert_int_equal(bm_file_duplicate(first, second), second); // closes b
    assert_int_equal(closed, 1);
    assert_int_equal(a.references, 2);
    assert_int_equal(bm_file_close(first), 0);
    assert_int_equal(bm_file_close(second), 0);
    assert_int_equal(closed, 2);
}

static void exhaustion(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops};
    no_memory = true;
    int last = -1, descriptor;
    while ((descriptor = bm_file_install(&a, 0)) >= 0)
        last = descriptor;
    assert_int_equal(descriptor, -BM_ENOMEM);
    no_memory = false;
    while ((descriptor = bm_file_install(&a, 0)) >= 0) {
        assert_int_equal(descriptor, last + 1);
        last = descriptor;
    }
    assert_int_equal(descriptor, -BM_EMFILE);
    assert_int_equal(last, BM_FILES_DEFAULT - 1);
    assert_int_equal(bm_file_close(1000), 0);
    assert_int_equal(bm_file_install(&a, 0), 1000);
    bm_file_limit_set(BM_FILES_MAX);
    while ((descriptor = bm_file_install(&a, 0)) >= 0)
        last = descriptor;
    assert_int_equal(last, BM_FILES_MAX - 1);
    bm_file_limit_set(BM_FILES_DEFAULT);
    for (descriptor = 3; descriptor < BM_FILES_MAX; descriptor++)
        assert_int_equal(bm_file_close(descriptor), 0);
    assert_int_equal(a.references, 0);
}

// New ones are below the limit; those that are open above it stay.
static void limit(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops}, b = {.ops = &ops};
    int reserved = bm_file_reserve(), high = bm_file_install(&a, 600);
    assert_int_equal(high, 600);
    bm_file_limit_set(reserved);
    assert_int_equal(bm_file_install(&b, 0), -BM_EMFILE);
    assert_int_equal(bm_file_install(&b, reserved), -BM_EINVAL);
    assert_int_equal(bm_file_duplicate(high, reserved), -BM_EBADF);
    assert_int_equal(bm_file_duplicate(high, high), high);
    bm_file_fill(reserved, &b); // as was promised
    assert_int_equal(bm_file_duplicate(high, 1), 1);
    assert_ptr_equal(bm_file_acquire(high), &a);
    bm_file_release(&a);
    bm_file_limit_set(BM_FILES_DEFAULT);
    assert_int_equal(bm_file_duplicate(reserved, 1), 1);
    assert_int_equal(bm_file_close(high), 0);
    assert_int_equal(a.references, 0);
    assert_int_equal(bm_file_close(reserved), 0);
    assert_int_equal(bm_file_duplicate(0, 1), 1);
    assert_int_equal(b.references, 0);
}

// Of the descriptor, not of the file; a number that is used again begins without it.
static void cloexec(void **state)
{
    (void)state;
    struct bm_file a = {.ops = &ops};
    int first = bm_file_install(&a, 0), second = bm_file_install(&a, 0);
    assert_int_equal(bm_file_cloexec(first), 0);
    assert_int_equal(bm_file_set_cloexec(first, true), 0);
    assert_int_equal(bm_file_cloexec(first), 1);
    assert_int_equal(bm_file_cloexec(second), 0);
    assert_ptr_equal(bm_file_acquire(first), &a);
    bm_file_release(&a);
    assert_int_equal(bm_file_duplicate(first, second), second);
    assert_int_equal(bm_file_cloexec(second), 0);
    assert_int_equal(bm_file_close(first), 0);
    assert_int_equal(bm_file_cloexec(first), -BM_EBADF);
    assert_int_equal(bm_file_set_cloexec(first, true), -BM_EBADF);
    assert_int_equal(bm_file_install(&a, 0), first);
    assert_int_equal(bm_file_cloexec(first), 0);
    assert_int_equal(bm_file_close(first), 0);
    assert_int_equal(bm_file_close(second), 0);
    assert_int_equal(a.references, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowest_number), cmocka_unit_test(wrong_numbers), cmocka_unit_test(references),
        cmocka_unit_test(duplicates),    cmocka_unit_test(exhaustion),    cmocka_unit_test(limit),
        cmocka_unit_test(reservation),   cmocka_unit_test(cloexec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
