// Messages, locales, wide characters, times and searching give what the host's C library gives, case by case.
// SPDX-License-Identifier: MIT
// @script libc_oracle.py
// @link net

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <netdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#define E(name)                                                                                              \
    {                                                                                                        \
#name, name                                                                                          \
    }

static const struct {
    const char *name;
    int number;
} errors[] = {E(EPERM),        E(ENOENT),          E(ESRCH),        E(EINTR),
              E(EIO),          E(ENXIO),           E(E2BIG),        E(ENOEXEC),
              E(EBADF),        E(ECHILD),          E(EAGAIN),       E(EWOULDBLOCK),
              E(ENOMEM),       E(EACCES),          E(EFAULT),       E(EBUSY),
              E(EEXIST),       E(EXDEV),           E(ENODEV),       E(ENOTDIR),
              E(EISDIR),       E(EINVAL),          E(ENFILE),       E(EMFILE),
              E(ENOTTY),       E(ETXTBSY),         E(EFBIG),        E(ENOSPC),
              E(ESPIPE),       E(EROFS),           E(EMLINK),       E(EPIPE),
              E(EDOM),         E(ERANGE),          E(EDEADLK),      E(ENAMETOOLONG),
              E(ENOLCK),       E(ENOSYS),          E(ENOTEMPTY),    E(ELOOP),
              E(ENOMSG),       E(EIDRM),           E(ENOSTR),       E(ENODATA),
              E(ETIME),        E(ENOSR),           E(ENOLINK),      E(EPROTO),
              E(EMULTIHOP),    E(EBADMSG),         E(EOVERFLOW),    E(EILSEQ),
              E(ENOTSOCK),     E(EDESTADDRREQ),    E(EMSGSIZE),     E(EPROTOTYPE),
              E(ENOPROTOOPT),  E(EPROTONOSUPPORT), E(EOPNOTSUPP),   E(ENOTSUP),
              E(EPFNOSUPPORT), E(EAFNOSUPPORT),    E(EADDRINUSE),   E(EADDRNOTAVAIL),
              E(ENETDOWN),     E(ENETUNREACH),     E(ENETRESET),    E(ECONNABORTED),
              E(ECONNRESET),   E(ENOBUFS),         E(EISCONN),      E(ENOTCONN),
              E(ETOOMANYREFS), E(ETIMEDOUT),       E(ECONNREFUSED), E(EHOSTDOWN),
              E(EHOSTUNREACH), E(EALREADY),        E(EINPROGRESS),  E(ESTALE),
              E(EDQUOT),       E(ECANCELED),       E(EOWNERDEAD),   E(ENOTRECOVERABLE)};

static const struct {
    const char *name;
    int number;
} found_errors[] = {E(EAI_BADFLAGS), E(EAI_NONAME),  E(EAI_AGAIN),  E(EAI_FAIL),  E(EAI_FAMILY),
                    E(EAI_SOCKTYPE), E(EAI_SERVICE), E(EAI_MEMORY), E(EAI_SYSTEM)};

static void messages(void)
{
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        printf("%s: %s\n", errors[i].name, strerror(errors[i].number));
    printf("0: %s\n", strerror(0));
    printf("9999: %s\n", strerror(9999));
    printf("-1: %s\n", strerror(-1));
    for (unsigned i = 0; i < sizeof found_errors / sizeof *found_errors; i++)
        printf("%s: %s\n", found_errors[i].name, gai_strerror(found_errors[i].number));
    printf("9999: %s\n", gai_strerror(9999));
}

static void messages_signals(void)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGKILL, SIGPIPE, SIGHUP};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        printf("signal %u: %s\n", i, strsignal(numbers[i]));
}

static void locale_try(int category, const char *name)
{
    const char *got = setlocale(category, name);
    printf("setlocale %d \"%s\": %s, now %s\n", category == LC_ALL, name ? name : "NULL", got ? got : "NULL",
           setlocale(LC_CTYPE, NULL));
}

static void locales(void)
{
    static const char *const names[] = {"C",
                                        "POSIX",
                                        "xx_XX",
                                        "en_XX.UTF-8",
                                        "C.UTF-8",
                                        "nonsense",
                                        "de",
                                        "C.nonsense",
                                        "C.",
                                        ".UTF-8",
                                        "C-UTF-8",
                                        "POSIX.UTF-8",
                                        "/",
                                        "c",
                                        "en_US.ISO-8859-77",
                                        "aVeryLongNameOfALocaleThatNoSystemHasAnywhere.UTF-8",
                                        "C"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        locale_try(LC_ALL, names[i]);
    locale_try(LC_NUMERIC, "C.UTF-8");
    locale_try(LC_NUMERIC, "C");
    locale_try(LC_TIME, "nonsense");
    locale_try(LC_CTYPE, NULL);
    printf("category: %d\n", setlocale(77, "C") == NULL);
    setenv("LC_ALL", "nonsense", 1);
    locale_try(LC_ALL, "");
    setenv("LC_ALL", "C.UTF-8", 1);
    locale_try(LC_ALL, "");
    printf("max %d codeset %s\n", (int)MB_CUR_MAX, nl_langinfo(CODESET));
    setlocale(LC_ALL, "C");
    unsetenv("LC_ALL");
    struct lconv *convention = localeconv();
    printf("localeconv [%s] [%s] [%s] %d\n", convention->decimal_point, convention->thousands_sep,
           convention->grouping, convention->frac_digits == CHAR_MAX);
    printf("nl_langinfo %s %s %s %s\n", nl_langinfo(DAY_1), nl_langinfo(MON_12), nl_langinfo(D_T_FMT),
           nl_langinfo(RADIXCHAR));
    locale_t none = newlocale(LC_ALL_MASK, "nonsense", (locale_t)0);
    printf("newlocale %d\n", none == (locale_t)0);
}

static void multibyte(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    static const char *const texts[] = {"a",        "é", "€", "𝄞", "\xc3", "\xff", "\xc0\x80", "\xed\xa0\x80",
                                        "\xe2\x82", ""};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        wchar_t wide = 0;
        mbstate_t state = {0};
        errno = 0;
        size_t length = mbrtowc(&wide, texts[i], strlen(texts[i]) + (i == 9), &state);
        printf("mbrtowc %u: %zd %x %d\n", i, length, (int)wide, errno == EILSEQ);
        wchar_t many[10];
        errno = 0;
        printf("mbstowcs %u: %zd", i, mbstowcs(many, texts[i], 10));
        printf(" %d\n", errno == EILSEQ);
    }
    static const wchar_t codes[] = {0, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff, 0xd800, -1};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
        char bytes[MB_LEN_MAX + 1] = "";
        mbstate_t state = {0};
        errno = 0;
        size_t length = wcrtomb(bytes, codes[i], &state);
        printf("wcrtomb %x: %zd", (int)codes[i], length);
        for (size_t k = 0; k < length && length < 9; k++)
            printf(" %02x", (unsigned char)bytes[k]);
        printf(" %d\n", errno == EILSEQ);
    }
    wchar_t part;
    mbstate_t state = {0};
    printf("parts %zd", mbrtowc(&part, "\xe2", 1, &state));
    printf(" %zd", mbrtowc(&part, "\x82", 1, &state));
    printf(" %zd", mbrtowc(&part, "\xac", 1, &state));
    printf(" %x\n", (int)part);
    printf("mblen %d %d\n", mblen("€", 3), mblen("\xff", 1));
    printf("btowc %d %d wctob %d %d\n", (int)btowc('a'), btowc(0xc3) == WEOF, wctob(L'a'), wctob(0x20ac));
    static const wchar_t points[] = L"aZ5 \t\n_é€Σжß中";
    for (unsigned i = 0; points[i]; i++)
        printf("class %x: %d%d%d%d%d%d%d %x %x\n", (int)points[i], !!iswalpha(points[i]),
               !!iswupper(points[i]), !!iswlower(points[i]), !!iswdigit(points[i]), !!iswspace(points[i]),
               !!iswpunct(points[i]), !!iswprint(points[i]), (int)towupper(points[i]),
               (int)towlower(points[i]));
    setlocale(LC_ALL, "C");
}

static void classes(void)
{
    for (int c = -1; c < 256; c++) {
        printf("%d: %d%d%d%d%d%d%d%d%d%d%d%d %d %d\n", c, !!isalpha(c), !!isupper(c), !!islower(c),
               !!isdigit(c), !!isxdigit(c), !!isalnum(c), !!isspace(c), !!isblank(c), !!ispunct(c),
               !!isprint(c), !!isgraph(c), !!iscntrl(c), toupper(c), tolower(c));
    }
}

static const char times[] = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";

static void time_show(const struct tm *day)
{
    char text[300];
    for (const char *c = times; *c; c++) {
        const char format[] = {'%', *c, 0};
        size_t length = strftime(text, sizeof text, format, day);
        printf("%s: %zu [%s]\n", format, length, text);
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S|%Ey|%Od|%EC", day);
    puts(text);
}

static void calendar(void)
{
    static const long long moments[] = {
        0,          1,          -1,         86399,        86400,      951782400,  951868800,    1078012800,
        1709164800, 1709251199, 4102444800, -2208988800,  2147483647, 2147483648, 253402300799, 1230768000,
        1104537600, 1672531200, 1735603200, -62135596800, 32503680000};
    for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
        time_t moment = (time_t)moments[i];
        struct tm day;
        gmtime_r(&moment, &day);
        printf("gmtime %lld: %d-%d-%d %d:%d:%d %d %d\n", moments[i], day.tm_year, day.tm_mon, day.tm_mday,
               day.tm_hour, day.tm_min, day.tm_sec, day.tm_wday, day.tm_yday);
        printf("%lld %s", (long long)timegm(&day), asctime(&day));
        if (moment > -86400 * 366 * 100LL)
            time_show(&day);
    }
    struct tm odd = {.tm_year = 124, .tm_mon = 13, .tm_mday = 32, .tm_hour = 25, .tm_min = -1, .tm_sec = 61};
    const time_t moment = mktime(&odd);
    printf("mktime %lld %s", (long long)moment, asctime(&odd));
    char small[4] = "?";
    printf("strftime %zu\n", strftime(small, sizeof small, "%Y", &odd));
    printf("difftime %g\n", difftime(10, 3));
}

static void parse_time(const char *text, const char *format)
{
    struct tm day = {0};
    const char *end = strptime(text, format, &day);
    printf("strptime \"%s\" \"%s\": %s %d-%d-%d %d:%d:%d %d %d\n", text, format, end ? end : "NULL",
           day.tm_year, day.tm_mon, day.tm_mday, day.tm_hour, day.tm_min, day.tm_sec, day.tm_wday,
           day.tm_yday);
}

static void parse_times(void)
{
    parse_time("2024-02-29 12:34:56", "%Y-%m-%d %H:%M:%S");
    parse_time("Thu, 01 Jan 1970 00:00:00 GMT", "%a, %d %b %Y %H:%M:%S GMT");
    parse_time("Monday January 5 99", "%A %B %e %y");
    parse_time("11:15:07 PM x", "%I:%M:%S %p");
    parse_time("12/31/69", "%D");
    parse_time("23:59", "%R");
    parse_time("2024-060", "%Y-%j");
    parse_time("13", "%m");
    parse_time("x", "%d");
    parse_time("2024-02-10%", "%Y-%m-%d%%");
    parse_time("2024-02- 7", "%Y-%m-%n%d");
    struct timespec moment = {-1, -1};
    printf("timespec_get %d", timespec_get(&moment, TIME_UTC) == TIME_UTC);
    printf(" %d", moment.tv_sec > 1000000 && moment.tv_nsec >= 0 && moment.tv_nsec < 1000000000);
    printf(" %d\n", timespec_get(&moment, 77));
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void strings(void)
{
    char text[80] = "one,two;;three", *at = NULL;
    for (char *word = strtok_r(text, ",;", &at); word; word = strtok_r(NULL, ",;", &at))
        printf("strtok_r %s\n", word);
    char more[80] = "a::b", *rest = more;
    for (char *word; (word = strsep(&rest, ":"));)
        printf("strsep [%s]\n", word);
    printf("compare %d %d %d %d %d\n", sign(strcmp("a\xff", "ab")), sign(strncmp("abc", "abd", 2)),
           sign(strcasecmp("ABC", "abd")), sign(memcmp("\x80", "\x7f", 1)), sign(strcoll("a", "B")));
    printf("search %s %s %s %zu %zu %s\n", strstr("haystack", "st"), strpbrk("hello", "ol"),
           strrchr("a/b/c", '/'), strspn("aab", "a"), strcspn("aab", "b"), strchrnul("abc", 'x'));
    printf("memmem %s memrchr %s stpcpy %td\n", (char *)memmem("haystack", 8, "ta", 2),
           (char *)memrchr("a/b/c", '/', 5), stpcpy(text, "abc") - text);
    printf("strnlen %zu strndup %s\n", strnlen("abcdef", 3), strndup("abcdef", 3));
    printf("strstr %s %d\n", strstr("abc", ""), strstr("abc", "abcd") == NULL);
    printf("case %s\n", strcasestr("HAYstack", "yST"));
    printf("verscmp %d\n", sign(ffs(8) - 4));
}

static int compare(const void *first, const void *second)
{
    return *(const int *)first - *(const int *)second;
}

static void algorithms(void)
{
    int numbers[200];
    for (int i = 0; i < 200; i++)
        numbers[i] = i * 7919 % 1009;
    qsort(numbers, 200, sizeof *numbers, compare);
    for (int i = 0; i < 200; i += 20)
        printf("%d ", numbers[i]);
    int key = numbers[77];
    printf("bsearch %td\n", (int *)bsearch(&key, numbers, 200, sizeof *numbers, compare) - numbers);
    div_t parts = div(-7, 2);
    lldiv_t large = lldiv(-7, -2);
    printf("div %d %d %lld %lld\n", parts.quot, parts.rem, large.quot, large.rem);
    printf("abs %d %ld\n", abs(-5), labs(-5L));
}

int main(void)
{
    puts("BEGIN");
    messages();
    messages_signals();
    locales();
    multibyte();
    classes();
    calendar();
    parse_times();
    strings();
    algorithms();
    puts("END");
    puts("PASS");
    return 0;
}
