# PCRE2: configure, libtool, make. Its tests are files of expressions and of what pcre2test says to them. Left out: those that want a
# second run (2), a locale (3) or another build (8, 11 to 14, 17, 22, 23).
# SPDX-License-Identifier: MIT
link=tmpfs image=pcre2test expects=16

recipe_build() {
    ./configure --host="$host" --disable-shared --disable-pcre2grep-callout-fork
    mkdir files
    cp testdata/testinput* files/
    BAREMETAL_FILES=$PWD/files make -j "$jobs"
}

recipe_test() {
    local number
    for number in 1 4 5 6 7 9 10 15 16 18 19 20 21 24 25; do
        prints "testinput$number" testdata/testoutput$number boot ./pcre2test -q /testinput$number
    done
    passes "the interface of POSIX (pcre2posix_test)" boot ./pcre2posix_test
}
