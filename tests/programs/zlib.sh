# zlib: configure and make. Its test writes a file: files in memory.
# SPDX-License-Identifier: MIT
link=tmpfs image=example expects=4

recipe_build() {
    CHOST=$host ./configure --static
    mkdir files
    cp deflate.c files/
    gzip -nc deflate.c >files/deflate.c.gz
    BAREMETAL_FILES=$PWD/files make -j "$jobs" all
}

# The programs that its `make check` runs; minigzip both ways against the host's gzip.
recipe_test() {
    passes "its own test (example)" boot ./example
    passes "its own test with large files (example64)" boot ./example64
    prints "minigzip decompresses what gzip made" deflate.c boot ./minigzip -c -d /deflate.c.gz
    passes "gzip decompresses what minigzip made" compressed
}

# The machine ends a last line that is open: one byte may stand behind what minigzip wrote, and gzip says so.
compressed() {
    boot ./minigzip -c /deflate.c >said || return
    gzip -t <said || { head -c -1 said >cut && mv cut said; }
    gzip -dc <said >wanted && cmp wanted deflate.c
}
