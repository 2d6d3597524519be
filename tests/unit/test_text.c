// The text screen: characters and control sequences, whole, cut off and absurd.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/display/text.c libbaremetal/display/escape.c
#include "../../libbaremetal/display/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 10, ROWS = 4 };

static struct bm_text_cell *cells, *shown;
static struct bm_text_cell screen[ROWS][COLUMNS]; // what draw() was told
static unsigned drawn;
static struct bm_text text;

static void draw(struct bm_text *it, unsigned column, unsigned row, struct bm_text_cell cell)
{
    assert_ptr_equal(it, &text);
    assert_true(column < COLUMNS && row < ROWS);
    screen[row][column] = cell;
    drawn++;
}

static int begin(void **state)
{
    (void)state;
    cells = calloc(ROWS * COLUMNS, sizeof *cells); // exact, for the sanitizer
    shown = calloc(ROWS * COLUMNS, sizeof *shown);
    text = (struct bm_text){.columns = COLUMNS, .rows = ROWS, .cells = cells, .shown = shown, .draw = draw};
    bm_text_begin(&text);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(cells);
    free(shown);
    return 0;
}

static void put(const char *bytes)
{
    bm_text_write(&text, bytes, strlen(bytes));
}

static void expect(unsigned row, const char *wanted)
{
    for (unsigned column = 0; column < COLUMNS; column++)
        assert_int_equal(screen[row][column].code, column < strlen(wanted) ? (uint8_t)wanted[column] : ' ');
}

static void lines_wrap_and_scroll(void **state)
{
    (void)state;
    put("one\ntwo\n0123456789");
    expect(2, "0123456789");
    assert_int_equal(text.row, 2); // the line is full, and the next character begins another
    put("a\rA\tB\bC\n");
    expect(0, "two");
    expect(1, "0123456789");
    expect(2, "A       C");
    expect(3, "");
}

static void positions_are_cut(void **state)
{
    (void)state;
    put("\033[2;3Hx\033[99;99Hy\033[99A\033[99Dz\033[0;0fZ\033[65535Cq");
    expect(0, "Z        q");
    assert_int_equal(screen[1][2].code, 'x');
    assert_int_equal(screen[3][9].code, 'y');
    put("\033[s\033[2;2H\033[u!\0337\033[1;1H\0338?\033[3d\033[4Gd");
    assert_int_equal(screen[2][3].code, 'd');
}

static void parts_are_erased(void **state)
{
    (void)state;
    put("0123456789abcdefghij0123456789\033[2;5H\033[1K");
    expect(1, "     fghij");
    put("\033[K");
    expect(1, "");
    put("\033[J");
    expect(2, "");
    expect(0, "0123456789");
    put("\033[2J");
    expect(0, "");
}

static void colours(void **state)
{
    (void)state;
    put("\033[31;1;44ma\033[22;39;49mb\033[7mc\033[0md\033[38;5;200;48;2;255;0;0me\033[97;100mf\033[38mg\033["
        "48;9mh");
    const uint8_t wanted[][2] = {{9, 4}, {7, 0}, {0, 7}, {7, 0}, {200, 196}, {15, 8}, {15, 8}, {15, 8}};
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(screen[0][i].foreground, wanted[i][0]);
        assert_int_equal(screen[0][i].background, wanted[i][1]);
    }
    assert_int_equal(bm_text_colour(196), 0xff0000);
    assert_int_equal(bm_text_colour(255), 0xeeeeee);
    assert_int_equal(bm_text_colour(4), 0x0000aa);
}

static void characters(void **state)
{
    (void)state;
    // Two, three and four bytes; one cut off by another, one alone, an overlong one, a surrogate.
    put("\303\251\342\224\200\360\237\230\200\342\224x\200\300\257\355\240\200");
    const uint16_t wanted[] = {0xe9, 0x2500, 0xfffd, 0xfffd, 'x', 0xfffd, 0xfffd, 0xfffd, 0xfffd};
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(screen[0][i].code, wanted[i]);
}

static void strings_and_unknown_ones_are_dropped(void **state)
{
    (void)state;
    put("\033]0;a "
        "title\aa\033[?1049h\033[5nb\033(c\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19md\033["
        "999999999999Ae");
    expect(0, "abcde");
    put("\033[?25l\033[?25h\033[\nf");
    assert_int_equal(screen[0][5].code, 'f'); // the newline cut the sequence off, and went with it
}

static void only_changes_are_drawn(void **state)
{
    (void)state;
    put("x");
    drawn = 0;
    put("y");
    assert_int_equal(drawn, 2); // it, and the cursor
    put("\033[?25l");
    drawn = 0;
    put("\r\b\a");
    assert_int_equal(drawn, 0);
}

static void noise(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 200000; i++) {
        char bytes[8];
        for (unsigned j = 0; j < sizeof bytes; j++) {
            seed = seed * 1664525 + 1013904223;
            static const char often[] = "\033[;?0123456789ABCDHJKmsu\n\r";
            bytes[j] = seed & 1 << 30 ? often[(seed >> 16) % (sizeof often - 1)] : (char)(seed >> 20);
        }
        bm_text_write(&text, bytes, sizeof bytes);
        assert_true(text.column < COLUMNS && text.row < ROWS && text.first < ROWS);
    }
    put("\033\\\033[m\033[?25h\033[2J\033[HOK\033[K");
    expect(0, "OK");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(lines_wrap_and_scroll),
        TEST(positions_are_cut),
        TEST(parts_are_erased),
        TEST(colours),
        TEST(characters),
        TEST(strings_and_unknown_ones_are_dropped),
        TEST(only_changes_are_drawn),
        TEST(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
