# Recipe: llhttp, the generated C sources that stand in the nghttp2 archive (src/*.c, include/llhttp.h).
# SPDX-License-Identifier: MIT

recipe_compiles() { false; }
recipe_tools() { need_tool tar "unpack llhttp"; }

recipe_build() {
    cp -a "$source"/third-party/llhttp/{src,include,LICENSE-MIT} "$result/"
    [ -s "$result/src/llhttp.c" ] && [ -s "$result/include/llhttp.h" ] ||
        die "the archive of llhttp holds no generated llhttp.c."
}
