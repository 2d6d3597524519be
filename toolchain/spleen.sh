# Recipe: the font Spleen, 8 by 16 pixels, as a table in C of the characters that a text console shows.
# SPDX-License-Identifier: MIT

recipe_compiles() { false; }
recipe_tools() {
    need_tool ar "unpack spleen" binutils
    need_tool xz "unpack spleen" xz-utils
    need_tool python3 "convert spleen's glyphs"
}

# The PC Screen Font, version 1: a header of 4 bytes, 512 glyphs of 16 bytes, then of each glyph its characters in UTF-16, up to 0xffff
# (0xfffe begins sequences, which are none of ours).
recipe_build() {
    gzip -dc "$source/usr/share/consolefonts/spleen-8x16.psfu.gz" >"$work/font.psf"
    python3 - "$work/font.psf" >"$result/font_glyphs.c" <<'END' || die "the font's file has another form than the recipe knows."
import struct
import sys

font = open(sys.argv[1], "rb").read()
assert font[:4] == bytes([0x36, 0x04, 0x03, 16]), "no PSF 1 of 512 glyphs of 16 rows with characters"
glyphs, table = {}, struct.unpack(f"<{(len(font) - 4 - 512 * 16) // 2}H", font[4 + 512 * 16:])
glyph, taken = 0, True
for code in table:
    if code == 0xFFFF:
        glyph, taken = glyph + 1, True
    elif code == 0xFFFE:
        taken = False
    elif taken:
        glyphs.setdefault(code, font[4 + glyph * 16:20 + glyph * 16])
assert glyph == 512 and all(code in glyphs for code in [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x2500, 0x2580)])
print('// Made of the font Spleen (COPYING beside this file).\n#include "font.h"\n\nconst struct bm_font_glyph bm_font_glyphs[] = {')
for code in sorted(glyphs):
    print(f"    {{{code:#x}, {{{', '.join(map(str, glyphs[code]))}}}}},")
print(f"}};\nconst unsigned bm_font_glyph_count = {len(glyphs)};")
END
    cp "$source/usr/share/doc/fonts-spleen/copyright" "$result/COPYING"
}
