# Lua: a Makefile. Its tests are an archive of their own that Debian lacks: scripts of ours, whose output on the host is recorded.
# SPDX-License-Identifier: MIT
link=malloc_block image=src/lua expects=3

recipe_build() {
    mkdir files
    cp "$recipes"/lua/*.lua "$top"/bench/programs/compute.lua files/
    BAREMETAL_FILES=$PWD/files make -j "$jobs" posix CC="$CC -std=gnu99 -fomit-frame-pointer" AR="$AR rc" RANLIB="$RANLIB"
}

recipe_test() {
    local script
    for script in "$recipes"/lua/*.lua; do
        prints "$(basename "$script")" "${script%.lua}.expected" boot src/lua "/$(basename "$script")" one "two words"
    done
    passes "compiles to bytecode (luac -l)" boot src/luac -l -p /language.lua
}
