# bzip2: a Makefile. Its tests decompress and compress three files, which stand in the image here or come by standard input.
# SPDX-License-Identifier: MIT
image=bzip2 expects=10

recipe_build() {
    mkdir files
    cp sample*.ref sample*.bz2 files/
    make -j "$jobs" libbz2.a bzip2recover CC="$CC" AR="$AR" RANLIB="$RANLIB"
    BAREMETAL_FILES=$PWD/files make bzip2 CC="$CC" AR="$AR" RANLIB="$RANLIB"
}

compress() {
    baremetal-run --timeout 60 ./bzip2 -$1 <sample$1.ref
}

recipe_test() {
    local number
    for number in 1 2 3; do
        prints "decompresses sample$number" sample$number.ref boot ./bzip2 -d -c /sample$number.bz2
    done
    prints "decompresses sample3 in little memory" sample3.ref boot ./bzip2 -d -s -c /sample3.bz2
    for number in 1 2 3; do
        prints "compresses sample$number" sample$number.bz2 compress $number
        passes "tests sample$number" boot ./bzip2 -t /sample$number.bz2
    done
}
