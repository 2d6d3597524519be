# Recipe: newlib, installed as a sysroot (include/, lib/libc.a, lib/libm.a).
# SPDX-License-Identifier: MIT

recipe_tools() {
    need_tool make "build newlib"
    need_version make 4.0 "newlib"
    need_tool gcc "run newlib's configure script"
    need_tool ar "build newlib" binutils
    need_tool ranlib "build newlib" binutils
}

recipe_build() {
    local compile="$cc -nostdinc -isystem $(compiler_headers)"
    local flags="${image_flags[*]} -D_READ_WRITE_RETURN_TYPE=_ssize_t"
    # clang reports as errors what newlib's older sources do in a few places.
    compiler_is_clang && flags+=" -Wno-implicit-function-declaration -Wno-implicit-int -Wno-int-conversion"
    mkdir -p "$work/build"
    cd "$work/build"
    run_logged "$source/configure" --target=x86_64-elf --prefix="$result" --disable-multilib --disable-libgloss \
        --disable-newlib-supplied-syscalls --enable-newlib-retargetable-locking --enable-newlib-reent-thread-local \
        --enable-newlib-io-c99-formats --enable-newlib-io-long-long --enable-newlib-io-long-double \
        --enable-newlib-io-pos-args --enable-newlib-mb --disable-shared --disable-nls \
        CC_FOR_TARGET="$compile" CXX_FOR_TARGET=false GCC_FOR_TARGET="$compile" AR_FOR_TARGET=ar AS_FOR_TARGET=as \
        LD_FOR_TARGET=ld NM_FOR_TARGET=nm RANLIB_FOR_TARGET=ranlib STRIP_FOR_TARGET=strip OBJDUMP_FOR_TARGET=objdump \
        READELF_FOR_TARGET=readelf OBJCOPY_FOR_TARGET=objcopy CFLAGS_FOR_TARGET="$flags" MAKEINFO=true
    run_logged make -j "${BAREMETAL_JOBS:-$(nproc)}" MAKEINFO=true all-target-newlib
    run_logged make MAKEINFO=true install-target-newlib
    mv "$result"/x86_64-elf/* "$result/"
    rm -rf "$result/x86_64-elf" "$result/share" "$result"/lib/*.o
    leave_out "$result/lib/libc.a" libc_a-{strerror,strsignal,strtod,strtold,strtorx,strtodg,wcstod,wcstold,tzset,tzset_r,lcltime_r,mktime}.o
    leave_out "$result/lib/libm.a" libm_a-{s_fma,sf_fma}.o
    run_logged cp "$source/COPYING.NEWLIB" "$result/"
}
