// argv from the command line: words, quotes, limits; environ from env.NAME= words.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/libc/arguments.c libbaremetal/libc/program_name.c libbaremetal/base/words.c
#include "../../libbaremetal/base/command_line_default.h"
#include "../../libbaremetal/libc/libc.h"

#include <baremetal/boot.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern char **environ;

static struct bm_boot_info boot_info;
const char bm_command_line_default[] = "env.B=own env.D=4";
static int warnings;

const struct bm_boot_info *bm_boot_info_get(void)
{
    return &boot_info;
}

const char *bm_option_arguments(void)
{
    return "";
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    warnings += level <= BM_LOG_WARN;
}

// Splits a copy of exactly the text's size and compares with the words, which NULL ends.
static void expect(const char *text, ...)
{
    char *copy = strdup(text), *argv[8];
    int cut, count = bm_arguments_split(copy, argv, 8, &cut);
    assert_int_equal(cut, 0);
    va_list words;
    va_start(words, text);
    const char *word;
    int index = 0;
    for (; (word = va_arg(words, const char *)); index++) {
        assert_true(index < count);
        assert_string_equal(argv[index], word);
    }
    va_end(words);
    assert_int_equal(count, index);
    free(copy);
}

static void words(void **state)
{
    (void)state;
    expect("", NULL);
    expect(" \t ", NULL);
    expect("one", "one", NULL);
    expect("  one two\tthree  ", "one", "two", "three", NULL);
    expect("-a --b=c -- d", "-a", "--b=c", "--", "d", NULL);
}

static void quotes(void **state)
{
    (void)state;
    expect("\"one two\" three", "one two", "three", NULL);
    expect("'one two' three", "one two", "three", NULL);
    expect("a\"b c\"d'e f'g", "ab cde fg", NULL);
    expect("'\"' \"'\"", "\"", "'", NULL);
    expect("\"\" ''", "", "", NULL);
    expect("\"not closed", "not closed", NULL);
    expect("one\\ two \\\"x \\\\", "one two", "\"x", "\\", NULL);
    expect("'a\\b' \"a\\\"b\"", "a\\b", "a\"b", NULL);
    expect("end\\", "end\\", NULL);
}

static void limit(void **state)
{
    (void)state;
    char text[] = "a b c d", *argv[3];
    int cut;
    assert_int_equal(bm_arguments_split(text, argv, 3, &cut), 3);
    assert_int_equal(cut, 1);
    assert_string_equal(argv[2], "c");
    char exact[] = "a b c ";
    assert_int_equal(bm_arguments_split(exact, argv, 3, &cut), 3);
    assert_int_equal(cut, 0);
}

static void environment(void **state)
{
    (void)state;
    char **before = environ;
    strcpy(boot_info.command_line, "log=warn env.A=1 env.=x env.B=\"two words\" environ=no env.C -- env.E=5");
    warnings = 0;
    bm_environment_make();
    char **made = environ;
    const char *b = getenv("B"), *d = getenv("D"), *e = getenv("E"), *a = getenv("A"), *c = getenv("C");
    environ = before;
    assert_int_equal(warnings, 0);
    assert_string_equal(a, "1");
    assert_string_equal(b, "two words"); // the loader's line wins over the image's own
    assert_null(c);                      // without a value it is no variable
    assert_string_equal(d, "4");
    assert_null(e);
    assert_string_equal(made[0], "A=1");
}

static void environment_limit(void **state)
{
    (void)state;
    char **before = environ;
    boot_info.command_line[0] = 0;
    for (int i = 0; i < 100; i++)
        strcat(boot_info.command_line, "env.X=1 ");
    warnings = 0;
    bm_environment_make();
    int count = 0;
    while (environ[count])
        count++;
    environ = before;
    assert_true(warnings > 0);
    assert_int_equal(count, BM_ARGUMENTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(quotes),
        cmocka_unit_test(limit),
        cmocka_unit_test(environment),
        cmocka_unit_test(environment_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
