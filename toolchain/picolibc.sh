# Recipe: picolibc, installed as a sysroot (include/, lib/libc.a, lib/libm.a).
# SPDX-License-Identifier: MIT

recipe_tools() {
    need_tool meson "build picolibc"
    need_version meson 0.57 "picolibc"
    need_tool ninja "build picolibc" ninja-build
    need_tool ar "build picolibc" binutils
}

# quoted_list WORD…: the words as meson writes a list of strings.
quoted_list() {
    local list
    list=$(printf "'%s', " "$@")
    echo "[${list%, }]"
}

write_cross_file() {
    local headers
    headers=$(compiler_headers)
    cat >"$work/cross.txt" <<END
[binaries]
c = $(quoted_list "$cc" "${image_flags[@]}" -nostdlib -nostdinc -isystem "$headers")
ar = 'ar'
nm = 'nm'
strip = 'strip'
[host_machine]
system = 'none'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
[properties]
skip_sanity_check = true
needs_exe_wrapper = true
END
}

recipe_build() {
    write_cross_file
    run_logged meson setup --cross-file "$work/cross.txt" --prefix "$result" --libdir lib --includedir include \
        --buildtype plain --wrap-mode nodownload \
        -Dmultilib=false -Dpicocrt=false -Dpicocrt-lib=false -Dsemihost=false -Dtests=false -Dpicolib=false \
        -Dspecsdir=none -Dthread-local-storage=true -Dtls-model=local-exec -Dnewlib-global-errno=false \
        -Dtinystdio=true -Dposix-console=true -Dstdio-locking=true -Dnewlib-global-atexit=true \
        -Dio-long-long=true -Dio-c99-formats=true -Dio-pos-args=true -Dio-long-double=true -Dio-wchar=true \
        -Dmb-capable=true -Dinitfini-array=true -Dsingle-thread=false -Dformat-default=double \
        -Dfortify-source=none "$work/build" "$source"
    run_logged ninja -C "$work/build" -j "${BAREMETAL_JOBS:-$(nproc)}"
    run_logged ninja -C "$work/build" install
    leave_out "$result/lib/libc.a" libc_string_{strerror,strsignal}.c.o libc_time_{tzset,lcltime_r,mktime}.c.o libm_common_{s_fma,sf_fma}.c.o
    run_logged cp "$source/COPYING.picolibc" "$source/COPYING.NEWLIB" "$result/"
    # Start files, linker scripts and host-side extras have no use here.
    find "$result" -name '*.ld' -delete
    rm -rf "$result/share" "$result"/lib/crt*.o "$result/lib/pkgconfig"
}
