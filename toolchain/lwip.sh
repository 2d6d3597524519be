# Recipe: lwIP, sources only; net/ compiles them with this project's configuration.
# SPDX-License-Identifier: MIT

recipe_compiles() { false; }
recipe_tools() { need_tool tar "unpack lwIP"; }

# The upstream archive has lines that end in CR LF, Debian's has not.
recipe_normalise() {
    find "$source/src" -name '*.[ch]' -exec sed -i 's/\r$//' {} +
}

recipe_build() {
    cp -a "$source/src" "$source/COPYING" "$result/"
}
