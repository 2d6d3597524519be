# GMP: configure, libtool, make, assembly; its whole `make check`. Some of its tests write files: files in memory.
# SPDX-License-Identifier: MIT
link=tmpfs image=tests/mpz/t-mul expects=175

recipe_build() {
    mkdir -p doc
    printf 'all check:\n' >doc/Makefile.in # Debian's archive lacks the folder
    ./configure --host="$host" --disable-shared --disable-cxx CC_FOR_BUILD=gcc
    make -j "$jobs"
    make -C tests/mpz t-mul
}

# A test that cannot be linked ends `make check` badly, too.
recipe_test() {
    passes "make check" make -k -j "$jobs" check LOG_COMPILER="baremetal-run --timeout 300"
    count "$(grep -cE '^PASS: ' output || true)" "$(grep -cE '^(PASS|FAIL|XPASS|ERROR): ' output || true)"
}
