# Recipe: lwIP, sources only; net/ compiles them with this project's configuration.
# SPDX-License-Identifier: MIT

recipe_compiles() { false; }
recipe_tools() { need_tool tar "unpack lwIP"; }

recipe_build() {
    cp -a "$source/src" "$source/COPYING" "$result/"
    # The upstream archive has lines that end in CR LF, Debian's has not: make them alike.
    find "$result" -name '*.[ch]' -exec sed -i 's/\r$//' {} +
}
