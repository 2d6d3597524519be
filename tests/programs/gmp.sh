# GMP: configure, libtool, make, assembly; its whole `make check`. Expected to fail are the tests that write files, which musl has not yet.
# SPDX-License-Identifier: MIT
image=tests/mpz/t-mul expects=168

recipe_build() {
    mkdir -p doc
    printf 'all check:\n' >doc/Makefile.in # Debian's archive lacks the folder
    ./configure --host="$host" --disable-shared --disable-cxx CC_FOR_BUILD=gcc
    make -j "$jobs"
    make -C tests/mpz t-mul
}

# A test that cannot be linked ends `make check` badly, too.
recipe_test() {
    passes "make check" make -k -j "$jobs" check LOG_COMPILER="baremetal-run --timeout 300" XFAIL_TESTS="io t-inp_str t-io_raw t-scanf t-printf"
    count "$(grep -cE '^PASS: ' output || true)" "$(grep -cE '^(PASS|FAIL|XPASS|ERROR): ' output || true)"
}
