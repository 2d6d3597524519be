# Recipe: mimalloc, sources only; libbaremetal/ compiles them with this project's layers below and above.
# SPDX-License-Identifier: MIT

recipe_compiles() { false; }
recipe_tools() { need_tool tar "unpack mimalloc"; }

# set_macro FILE NAME OLD NEW: changes the value of a macro, which must be OLD.
set_macro() {
    grep -qE "^#define $2 +$(sed 's/[()+]/\\&/g' <<<"$3")" "$source/$1" || die "mimalloc's $1 does not define $2 as $3 any more."
    sed -i -E "s/^(#define $2 +)$(sed 's/[()+]/\\&/g' <<<"$3")/\1$4/" "$source/$1"
}

# Sizes for machines without overcommitment: each core holds whole segments, so they have 2 MiB (a large page) instead of 32, of slices
# of 32 KiB and pages of 32 and 128 KiB. All memory lies above what the map of segments knows, so that needs no room.
recipe_build() {
    set_macro include/mimalloc-types.h MI_SEGMENT_SLICE_SHIFT "(13 + MI_INTPTR_SHIFT)" "(12 + MI_INTPTR_SHIFT)"
    set_macro include/mimalloc-types.h MI_SEGMENT_SHIFT "( 9 + MI_SEGMENT_SLICE_SHIFT)" "( 6 + MI_SEGMENT_SLICE_SHIFT)"
    set_macro include/mimalloc-types.h MI_MEDIUM_PAGE_SHIFT "( 3 + MI_SMALL_PAGE_SHIFT)" "( 2 + MI_SMALL_PAGE_SHIFT)"
    set_macro src/segment-cache.c MI_MAX_ADDRESS "((size_t)20 << 40)" "((size_t)1 << 30)"
    cp -a "$source/src" "$source/include" "$source/LICENSE" "$result/"
}
