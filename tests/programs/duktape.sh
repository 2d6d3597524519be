# Duktape, an engine of JavaScript: the Makefile of its command-line program. Its tests need Node.js: a script of ours, and one of its own,
# whose output on the host is recorded.
# SPDX-License-Identifier: MIT
image=duk expects=2

recipe_build() {
    mkdir files
    cp mandel.js "$recipes/duktape/language.js" files/
    BAREMETAL_FILES=$PWD/files make -f Makefile.cmdline CC="$CC"
}

recipe_test() {
    prints "language.js" "$recipes/duktape/language.expected" boot ./duk /language.js
    prints "mandel.js" "$recipes/duktape/mandel.expected" boot ./duk /mandel.js
}
