# The case `compiler` of tests/consumer/run: baremetal-cc as build systems use it.
# SPDX-License-Identifier: MIT

run_image() {
    "$prefix/bin/baremetal-run" --timeout 60 "$@" </dev/null
}

# The Makefile's project with one C library, with a file, a command line and an argument.
compiler_makefile() {
    local libc=$1 said
    cp -r "$here/compiler" "$work/$libc"
    mkdir -p "$work/files/folder"
    echo inside >"$work/files/folder/text"
    export BAREMETAL_LIBC=$libc
    BAREMETAL_FILES=$work/files BAREMETAL_CMDLINE="env.COLOUR=blue" make -C "$work/$libc" CC=baremetal-cc AR=baremetal-ar \
        RANLIB=baremetal-ranlib
    status=0
    said=$(run_image "$work/$libc/program" 2) || status=$?
    [ "$said" = $'program: 12.566\ncolour: blue\nfile: inside' ] && [ $status -eq 2 ] || fail "$libc: '$said', status $status"
    look_at_image "$work/$libc/program"
    echo "passed: $libc"
}

# What configure scripts find out.
compiler_configure() {
    local libc=$1 is_linux=$2
    mkdir -p "$work/configure-$libc"
    (cd "$work/configure-$libc" && CC="baremetal-cc --libc=$libc" RUN="baremetal-run --timeout 60" "$here/compiler/configure" >said)
    cat >"$work/expected" <<TEXT
compiler works: yes
a.out: yes
no main: no
syntax error: no
function qsort: yes
function strtold: yes
function no_such_function: no
header stdio.h: yes
header sys/socket.h: yes
header no_such_header.h: no
library m has cbrt: yes
library z has deflate: no
size of void *: 8
size of long double: 16
size of int: 4
is linux: $is_linux
shared library: no
warning is an error: no
warning is none: yes
run: runs 3
TEXT
    diff "$work/expected" "$work/configure-$libc/said" || fail "configure with $libc"
    echo "passed: configure with $libc"
}

# What is asked and what is refused; none of it is the host's.
compiler_answers() {
    local libc folder=$prefix/lib/baremetal
    [ "$(baremetal-cc --libc=musl -dumpmachine)" = x86_64-baremetal-linux-musl ] || fail "-dumpmachine with musl"
    [ "$(baremetal-cc --libc=newlib -dumpmachine)" = x86_64-baremetal-elf ] || fail "-dumpmachine with newlib"
    [ "$(baremetal-cc --libc=newlib -print-file-name=libm.a)" = "$folder/newlib/lib/libm.a" ] || fail "-print-file-name"
    [ "$(baremetal-cc -print-file-name=libz.a)" = libz.a ] || fail "-print-file-name names a library of the host"
    [ -f "$(baremetal-cc -print-libgcc-file-name)" ] || fail "-print-libgcc-file-name"
    [[ $(baremetal-cc --version) =~ gcc|clang|GCC ]] || fail "--version"
    for libc in musl picolibc newlib; do
        ! baremetal-cc --libc=$libc -E -x c -H -include stdlib.h -include sys/stat.h /dev/null 2>&1 | grep -E '(^|"|\. )/usr/include' ||
            fail "headers of the host with $libc"
    done
    cd "$work"
    echo 'int main(void) { return 0; }' >empty.c
    refused "-shared: images hold no shared libraries" baremetal-cc -shared empty.c
    refused "cannot find -lz: no libz.a in" baremetal-cc empty.c -lz
    refused "cannot find -lz: no libz.a in" baremetal-cc empty.c -Wl,--as-needed,-lz
    refused "cannot find -lz: no libz.a in" baremetal-cc empty.c -Xlinker -lz
    refused "-T: an image has a link script" baremetal-cc empty.c -Xlinker -T -Xlinker a.ld
    mkdir host
    echo '#error of the host' >host/host.h
    printf '#if __has_include(<host.h>)\n#include <host.h>\n#endif\n' >folders.c
    CPATH=$work/host C_INCLUDE_PATH=$work/host baremetal-cc --compile --output=folders.o folders.c || fail "headers of CPATH are seen"
    refused "there is no C library 'glibc'; known are: musl, picolibc, newlib." baremetal-cc --libc=glibc empty.c
    refused "-pthread: picolibc has no POSIX threads: choose --libc=musl." baremetal-cc --libc=picolibc -pthread -c empty.c
    refused "a program has one heap; choose one of malloc_block, malloc_list" baremetal-cc --baremetal-link=net,malloc_list,malloc_block empty.c
    refused "there is no part 'malloc_blocks'; known are:" baremetal-cc --baremetal-link=malloc_blocks empty.c
    refused "there is no folder $work/none." baremetal-cc --baremetal-files="$work/none" empty.c
    refused "the output $work is a folder." baremetal-cc empty.c -o "$work"
    refused "the C compiler 'no-such-cc' is missing" env BAREMETAL_COMPILER=no-such-cc baremetal-cc empty.c
    for libc in picolibc newlib; do
        refused "this C library has no POSIX threads: choose musl" baremetal-cc --libc=$libc -include pthread.h -c empty.c
    done
    echo 'int pthread_create(void); int no_such(void); int main(void) { return pthread_create() + no_such(); }' >undefined.c
    refused "pthread_create: picolibc has no POSIX threads: choose --libc=musl." baremetal-cc --libc=picolibc undefined.c -o undefined
    [ ! -e undefined ] && [ ! -e undefined.debug ] || fail "a failed link left something behind"
    refused "no_such" baremetal-cc --libc=musl undefined.c
    compiler_libraries_apart
}

# Objects that were compiled with the headers of different C libraries are refused by name; those of one, or of none, are linked.
compiler_libraries_apart() {
    local libc compiler
    printf '%s\n' '#include <stdio.h>' 'void say(void) { puts("said"); }' >say.c
    echo 'void say(void); int main(void) { say(); return 0; }' >says.c
    for libc in musl picolibc newlib; do
        baremetal-cc --libc=$libc -c say.c -o say-$libc.o
        baremetal-ar rcs libsay-$libc.a say-$libc.o
    done
    refused "say-newlib.o was compiled with newlib, but the image is linked with musl" baremetal-cc --libc=musl says.c say-newlib.o -o said
    refused "libsay-picolibc.a, member say-picolibc.o was compiled with picolibc, but the image is linked with musl" \
        baremetal-cc --libc=musl says.c -L. -lsay-picolibc -o said
    refused "say-musl.o was compiled with musl, but the image is linked with picolibc" baremetal-cc --libc=picolibc says.c say-musl.o -o said
    refused "was compiled with another C library, but the image is linked with newlib" \
        sh -c 'baremetal-cc --libc=musl -flto -c say.c && baremetal-cc --libc=newlib -flto says.c say.o -o said'
    [ ! -e said ] || fail "an image of two C libraries was left behind"
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        BAREMETAL_COMPILER=$compiler baremetal-cc --libc=newlib -c say.c
        refused "say.o was compiled with newlib, but the image is linked with musl" baremetal-cc says.c say.o -o said
    done
    baremetal-cc --libc=newlib -c says.c # which includes no header
    baremetal-cc says.o libsay-musl.a -o said
    [ "$(run_image said)" = said ] || fail "objects of one C library"
}

# Libraries of PKG_CONFIG_PATH are seen, and none of the host.
compiler_pkg_config() {
    local name
    if ! command -v pkg-config >/dev/null; then
        echo "pkg-config is missing; baremetal-pkg-config is not tried"
        return 0
    fi
    mkdir -p "$work/pc"
    printf 'Name: area\nDescription: test\nVersion: 1.5\nLibs: -L/area/lib -larea\nLibs.private: -lm\n' >"$work/pc/area.pc"
    [ "$(PKG_CONFIG_PATH=$work/pc baremetal-pkg-config --libs area | xargs)" = "-L/area/lib -larea -lm" ] || fail "baremetal-pkg-config --libs"
    mkdir -p "$prefix/lib/baremetal/newlib/lib/pkgconfig"
    printf 'Name: beside\nDescription: test\nVersion: 1.5\n' >"$prefix/lib/baremetal/newlib/lib/pkgconfig/beside.pc"
    baremetal-pkg-config --libc=newlib --exists beside || fail "baremetal-pkg-config --libc=newlib"
    ! baremetal-pkg-config --libc=musl --exists beside || fail "baremetal-pkg-config sees a library of newlib's with musl"
    refused "there is no C library 'glibc'" baremetal-pkg-config --libc=glibc --exists beside
    compiler_finds_beside
    rm -r "$prefix/lib/baremetal/newlib/lib/pkgconfig"
    for name in $(pkg-config --list-all | awk 'NR <= 3 { print $1 }'); do
        ! baremetal-pkg-config --exists "$name" || fail "baremetal-pkg-config sees the host's $name"
    done
}

# Ways to call it that are not a plain -c and -o.
compiler_words() {
    local libc
    cd "$work"
    printf -- "-O1 '-DTEXT=\"a b\"' -o response" >words
    echo '#include <stdio.h>
int main(void) { puts(TEXT); return 0; }' >text.c
    baremetal-cc @words text.c -static -no-pie -fPIC -pipe -s
    [ "$(run_image response)" = "a b" ] || fail "a response file"
    baremetal-cc -flto -O2 -MD -DTEXT='"lto"' text.c -o lto
    [ "$(run_image lto)" = lto ] || fail "link-time optimisation"
    grep -q 'text\.c' lto-text.d || fail "-MD did not write lto-text.d"
    grep -q '^lto: ' lto-text.d || fail "-MD names another target than lto: $(cat lto-text.d)"
    (mkdir -p objects && cd objects && baremetal-cc -MMD -MQ mine -fstack-usage -DTEXT='"a"' ../text.c -o ../aside)
    grep -q '^mine: ' aside-text.d && [ -s aside-text.su ] || fail "-MQ or -fstack-usage while linking"
    # What gcc only says something about is made.
    baremetal-cc -flto -flto-partition=max -DTEXT='"lto"' text.c "$here/compiler/area.c" -o parts 2>said || fail "-flto: $(cat said)"
    [ ! -s said ] || fail "-flto of several parts says: $(cat said)"
    baremetal-cc -ffunction-sections -Wl,--gc-sections,--print-gc-sections empty.c "$here/compiler/area.c" -o swept 2>said || fail "--print-gc-sections: $(cat said)"
    grep -q 'removing unused section' said || fail "what the linker says is not passed on"
    baremetal-cc -x c -DTEXT='"standard input"' - -o piped <text.c
    [ "$(run_image piped)" = "standard input" ] || fail "a source from standard input"
    baremetal-cc empty.c -o /dev/null
    [ -c /dev/null ] || fail "/dev/null was replaced"
    baremetal-cc -v empty.c -o verbose 2>said || fail "-v: $(cat said)"
    grep -q 'cc1' said && grep -q 'collect2' said || fail "-v shows no commands"
    baremetal-cc '-###' empty.c -o shown 2>said || fail "-###: $(cat said)"
    grep -q 'image\.ld' said && [ ! -e shown ] || fail "-### shows no link, or links"
    if command -v clang >/dev/null; then
        BAREMETAL_COMPILER=clang baremetal-cc -DTEXT='"clang"' text.c -o clang
        [ "$(run_image clang)" = clang ] || fail "clang"
    fi
    # The C library comes behind the kernel, also where it is named.
    for libc in picolibc newlib; do
        baremetal-cc --libc=$libc -DTEXT='"named"' text.c -o "named"
        cp named plain
        baremetal-cc --libc=$libc -DTEXT='"named"' text.c -lc -lgcc -lm -lc -o named
        cmp plain named || fail "-lc changes an image with $libc"
    done
    # What calls the network has it, and what does not lacks it.
    for libc in picolibc musl; do
        baremetal-cc --libc=$libc "$here/compiler/network.c" -o network
        [ "$(CMDLINE=ip=off run_image network)" = socket ] || fail "a socket with $libc"
        nm network.debug | grep bm_driver_virtio_net >/dev/null || fail "no driver for the network with $libc"
    done
    ! nm lto.debug | grep bm_net_start || fail "a network that nobody calls"
}

# Standard input and output that are no terminal carry bytes as they are, with an end, and say that they are none; a terminal that is asked
# for stays one.
compiler_streams() {
    local libc
    cd "$work"
    cp "$here/compiler/copy.c" .
    { for _ in {1..200}; do printf '\0\1\2\3\4\10\20\21\23\20\4\25\32\177\377\r\n\n\r\r\n'; done && printf 'exit: 3'; } >bytes
    for libc in picolibc newlib musl; do
        baremetal-cc --libc=$libc copy.c -o copy
        status=0
        baremetal-run --timeout 60 copy <bytes >copied 2>said || status=$?
        [ $status -eq 0 ] || fail "copy with $libc: status $status, $(cat said)"
        cmp bytes copied || fail "bytes came changed with $libc"
        [ "$(baremetal-run --timeout 60 copy what </dev/null)" = "input pipe, output pipe" ] || fail "streams are terminals with $libc"
        [ "$(baremetal-run --timeout 60 --terminal copy what </dev/null)" = "input terminal, output terminal" ] || fail "--terminal with $libc"
    done
    refused "terminal=no is neither on nor off; using on" env CMDLINE=terminal=no baremetal-run --timeout 60 copy fail </dev/null
}

# Arguments are those of a program of the host, and so is standard error output, for images of baremetal-cc; where both outputs are one file,
# their order stays.
compiler_arguments() {
    local libc long given
    cd "$work"
    cp "$here/compiler/words.c" .
    long=$(head -c 100000 /dev/zero | tr '\0' x)
    mapfile -t given < <(seq 1 500)
    given+=("$long" $'a\nb' "it's" 'a  b' '')
    gcc -O1 words.c -o words-host
    for libc in picolibc newlib musl; do
        baremetal-cc --libc=$libc words.c -o words
        baremetal-run --timeout 60 words "${given[@]}" </dev/null >said 2>errors || fail "words with $libc: status $?, $(cat errors)"
        cmp said <(./words-host "${given[@]}" 2>/dev/null) || fail "the arguments of a program with $libc"
        [ "$(cat errors)" = $'error output\nof two lines' ] || fail "error output with $libc: $(cat errors)"
        [ "$(baremetal-run --timeout 60 words 2>&1 </dev/null)" = "$(./words-host 2>&1)" ] || fail "both outputs in one with $libc"
        status=0
        baremetal-run --timeout 60 words fault </dev/null >said 2>errors || status=$?
        [ $status -eq 139 ] && [ "$(wc -l <said)" = 1 ] && grep -q "fault: page fault" errors || fail "a fault with $libc: status $status"
    done
    refused "argv=host: the only place for them is fw_cfg" env CMDLINE="argv=host -- fail" baremetal-run --timeout 60 words </dev/null
    refused "argv=fw_cfg: there is no file" env CMDLINE="argv=fw_cfg -- fail" baremetal-run --timeout 60 words </dev/null
    refused "stderr=serial2: there is no such port" env CMDLINE="stderr=serial2 -- fail" baremetal-run --timeout 60 words </dev/null
}

# The files for Meson and CMake say the C library to pkg-config, too.
compiler_finds_beside() {
    mkdir -p "$work/beside"
    echo "project('beside', 'c')
dependency('beside', method: 'pkg-config')" >"$work/beside/meson.build"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.22)' 'project(beside C)' 'find_package(PkgConfig REQUIRED)' \
        'pkg_check_modules(BESIDE REQUIRED beside)' >"$work/beside/CMakeLists.txt"
    baremetal-cc --libc=newlib --print-meson-cross-file >"$work/beside/cross.txt"
    baremetal-cc --libc=newlib --print-cmake-toolchain-file >"$work/beside/toolchain.cmake"
    meson setup --cross-file "$work/beside/cross.txt" "$work/beside" "$work/beside/meson" || fail "Meson finds no library of newlib's"
    cmake -S "$work/beside" -B "$work/beside/cmake" "-DCMAKE_TOOLCHAIN_FILE=$work/beside/toolchain.cmake" || fail "CMake finds no library of newlib's"
}

# What ends in the middle of its link leaves nothing behind, and a link that fails no older image.
compiler_ends() {
    local folder=$work/ends pid
    mkdir -p "$folder/temporary"
    cd "$folder"
    echo 'int main(void) { return 0; }' >empty.c
    mkfifo links
    printf '%s\n' '#!/bin/sh' 'case "$*" in' \
        '*bm_image_checked*) gcc "$@" && echo links >links && exec sleep 100 ;;' '*) exec gcc "$@" ;;' esac >waiting-gcc
    chmod +x waiting-gcc
    BAREMETAL_COMPILER=$folder/waiting-gcc TMPDIR=$folder/temporary baremetal-cc empty.c -o ended &
    pid=$!
    read -r _ <links
    kill "$pid"
    status=0
    wait "$pid" || status=$?
    [ $status -eq 143 ] || fail "ended by SIGTERM with status $status"
    [ ! -e ended ] && [ ! -e ended.debug ] || fail "an image that was not checked was left behind"
    [ -z "$(ls temporary)" ] || fail "left behind: $(ls temporary)"
    baremetal-cc empty.c -o older
    refused no_such baremetal-cc -x c - -o older <<<'int no_such(void); int main(void) { return no_such(); }'
    [ ! -e older ] && [ ! -e older.debug ] || fail "an older image was left behind"
    refused "the output none/image.debug cannot be written: No such file or directory" baremetal-cc empty.c -o none/image
    [ "$(ls)" = $'empty.c\nlinks\ntemporary\nwaiting-gcc' ] || fail "left behind: $(ls)"
}

# A program reads and writes files of a folder of the host.
compiler_share() {
    mkdir -p "$work/share/log"
    cd "$work/share"
    echo "from the host" >log/in
    cat >copy.c <<'TEXT'
#include <stdio.h>
int main(void)
{
    char line[32];
    FILE *in = fopen("log/in", "r"), *out = fopen("log/out", "w");
    return !in || !out || !fgets(line, sizeof line, in) || fputs(line, out) < 0 || fclose(out);
}
TEXT
    baremetal-cc --libc=musl --baremetal-link=virtio_9p copy.c -o copy
    CMDLINE="mount=/log=9p:share" QEMU_ARGS="-fsdev local,id=f,path=log,security_model=none -device virtio-9p-pci,fsdev=f,mount_tag=share" \
        baremetal-run --timeout 60 copy </dev/null || fail "files of the host were not copied"
    cmp log/in log/out || fail "the host's copy is another one"
    on_disk picolibc
    on_disk musl
}

# on_disk LIBC: the same program with a disk, which it unmounts at its end.
on_disk() {
    rm log/out
    truncate -s 16M disk.img
    PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F -d log disk.img
    baremetal-cc "--libc=$1" --baremetal-link=ext4_write,virtio_blk,nvme copy.c -o copy
    CMDLINE="mount=/log=nvme0n1" baremetal-run --timeout 60 --disk nvme:disk.img copy </dev/null || fail "files of a disk were not copied"
    PATH=$PATH:/usr/sbin:/sbin debugfs -R "cat /out" disk.img >log/out
    cmp log/in log/out || fail "the disk's copy is another one"
    rm disk.img
}

# Meson knows of the commands by the cross file.
compiler_meson() {
    mkdir -p "$work/meson"
    cp "$here"/compiler/*.[ch] "$work/meson"
    cat >"$work/meson/meson.build" <<'TEXT'
project('area', 'c')
compiler = meson.get_compiler('c')
assert(compiler.has_function('qsort'))
assert(not compiler.has_function('no_such_function'))
assert(compiler.sizeof('long double') == 16)
area = static_library('area', 'area.c')
program = executable('program', 'main.c', link_with: area, dependencies: compiler.find_library('m'))
test('fails', program, should_fail: true)
TEXT
    baremetal-cc --print-meson-cross-file >"$work/cross.txt"
    meson setup --cross-file "$work/cross.txt" "$work/meson" "$work/meson/build"
    meson test -C "$work/meson/build" --print-errorlogs
}

# A CMake project that knows nothing of libbaremetal.
compiler_cmake() {
    local libc=$1
    mkdir -p "$work/cmake"
    cp "$here"/compiler/*.[ch] "$work/cmake"
    cat >"$work/cmake/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.13)
project(area C)
include(CheckFunctionExists)
include(CheckLibraryExists)
check_function_exists(qsort HAVE_QSORT)
check_function_exists(no_such_function HAVE_NO_SUCH_FUNCTION)
check_library_exists(z deflate "" HAVE_Z)
find_path(ZLIB_HEADER zlib.h)
if(NOT HAVE_QSORT OR HAVE_NO_SUCH_FUNCTION OR HAVE_Z OR ZLIB_HEADER)
    message(FATAL_ERROR "qsort ${HAVE_QSORT}, no_such_function ${HAVE_NO_SUCH_FUNCTION}, z ${HAVE_Z}, zlib.h ${ZLIB_HEADER}")
endif()
add_library(area area.c)
add_executable(program main.c)
target_link_libraries(program area m)
enable_testing()
add_test(NAME program COMMAND program 2)
set_tests_properties(program PROPERTIES PASS_REGULAR_EXPRESSION "program: 12.566")
TEXT
    baremetal-cc --libc="$libc" --print-cmake-toolchain-file >"$work/toolchain-$libc.cmake"
    cmake -S "$work/cmake" -B "$work/cmake/$libc" -G "Unix Makefiles" "-DCMAKE_TOOLCHAIN_FILE=$work/toolchain-$libc.cmake"
    cmake --build "$work/cmake/$libc"
    ctest --test-dir "$work/cmake/$libc" --output-on-failure
    look_at_image "$work/cmake/$libc/program"
}

case_compiler() {
    export PATH=$prefix/bin:$PATH
    unset BAREMETAL_LIBC BAREMETAL_FILES BAREMETAL_CMDLINE BAREMETAL_LINK BAREMETAL_COMPILER CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS
    compiler_configure picolibc no
    compiler_configure musl yes
    compiler_answers
    compiler_words
    compiler_streams
    compiler_arguments
    compiler_ends
    compiler_share
    compiler_pkg_config
    compiler_meson
    compiler_cmake musl
    compiler_cmake newlib
    local libc
    for libc in picolibc newlib musl; do
        compiler_makefile $libc
    done
}
