# Recipe: musl, installed as a sysroot (include/, lib/libc.a; the other libraries that programs name are empty).
# SPDX-License-Identifier: MIT

recipe_tools() {
    need_tool make "build musl"
    need_version make 4.0 "musl"
    need_tool ar "build musl" binutils
    need_tool ranlib "build musl" binutils
}

# AOBJS: position independent for executables, not for shared libraries.
recipe_build() {
    local flags=("${image_flags[@]}")
    compiler_is_clang && flags+=(-Wno-unused-command-line-argument)
    mkdir -p "$work/build"
    cd "$work/build"
    run_logged "$source/configure" --target=x86_64 --prefix="$result" --syslibdir="$result/lib" --disable-shared --disable-wrapper \
        CC="$cc" AR=ar RANLIB=ranlib LIBCC= CFLAGS="${flags[*]}"
    run_logged make -j "${BAREMETAL_JOBS:-$(nproc)}" AOBJS='$(LIBC_OBJS)' lib/libc.a lib/lib{m,rt,pthread,crypt,util,xnet,resolv,dl}.a
    run_logged make install-headers
    mark_objects "$result/include/features.h"
    mkdir -p "$result/lib"
    run_logged cp lib/*.a "$result/lib/"
    run_logged cp "$source/COPYRIGHT" "$result/"
}

# mark_objects HEADER: what is compiled with the headers says so to the link (toolchain/tools/baremetal_tools/foreign.py).
mark_objects() {
    cat >>"$1" <<'TEXT'

#if !defined(BM_OBJECT_LIBC) && !defined(__ASSEMBLER__) && !defined(BM_INSIDE)
#define BM_OBJECT_LIBC
__asm__(".set bm_object_libc_musl, 1");
#endif
TEXT
}
