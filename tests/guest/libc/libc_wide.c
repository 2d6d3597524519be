// Wide output: what wprintf, fputws and putwc send reaches the console as UTF-8.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @script libc_oracle.py

#define _GNU_SOURCE
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    fputws(L"BEGIN\n", stdout);
    wprintf(L"wide %d %s %ls %lc %g\n", 7, "narrow", L"wide: \u00e9\u20ac", (wint_t)L'x', 1.5);
    fputws(L"fputws \u00e9\u20ac\U0001d11e\n", stdout);
    putwc(L'\u20ac', stdout);
    putwchar(L'\n');
    wprintf(L"%5ls|%-5ls|%.2ls\n", L"\u00e9", L"\u00e9", L"\u00e9\u20acx");
    fputws(L"END\nPASS\n", stdout);
    return 0;
}
