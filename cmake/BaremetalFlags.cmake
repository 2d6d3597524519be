# The compiler flags of everything that lands in an image. The toolchain file puts them into the rule that compiles.
# SPDX-License-Identifier: MIT
#
# Static PIE with local-exec TLS; no CET and no unwind tables (nothing reads them); one section per function, so that the
# link drops what is unused; the stack protector's canary at %fs:0x28 (the kernel's own: BaremetalBuild.cmake); a machine that is Unix-like but not Linux; programs
# with musl are told that it is.

set(BAREMETAL_LIBCS picolibc newlib musl) # that there are

set(BAREMETAL_NOT_LINUX -U__linux__ -U__linux -Ulinux -U__gnu_linux__)
set(BAREMETAL_IMAGE_FLAGS
    -m64 -march=x86-64 -mcmodel=small -fPIE -fcf-protection=none -fno-asynchronous-unwind-tables -fno-unwind-tables
    -ffunction-sections -fdata-sections -fno-common -ftls-model=local-exec -fstack-protector-strong
    -mstack-protector-guard=tls -U_FORTIFY_SOURCE ${BAREMETAL_NOT_LINUX} -D__unix__=1 -g)

# The link of everything that becomes an image, but for the linker script and the libraries. Text relocations end the link; link-image
# looks at the linker's warnings and the result.
set(BAREMETAL_LINK_FLAGS
    -nostdlib -static-pie -fuse-ld=bfd -Wl,--gc-sections -Wl,-z,pack-relative-relocs -Wl,-z,text -Wl,-z,noexecstack
    -Wl,-z,max-page-size=16 -Wl,-z,common-page-size=16 -Wl,--build-id=none -Wl,--no-eh-frame-hdr -Wl,-u,bm_boot_entry_pvh)

# baremetal_compile_flags(<libc> <result>): what everything is compiled with, but for the folders of headers.
function(baremetal_compile_flags libc result)
    set(flags ${BAREMETAL_IMAGE_FLAGS})
    if(libc STREQUAL "musl")
        list(REMOVE_ITEM flags ${BAREMETAL_NOT_LINUX})
    endif()
    set(${result} ${flags} -fno-omit-frame-pointer -nostdinc PARENT_SCOPE)
endfunction()

# baremetal_package_headers(<libc> <package> <result>): the C library's folders of headers in the package's folder.
function(baremetal_package_headers libc package result)
    set(folders "${package}/libc-include" "${package}/net-include" "${package}/${libc}/include")
    if(libc STREQUAL "musl") # whose headers need no completion
        set(folders "${package}/${libc}/include")
    endif()
    set(${result} "${folders}" PARENT_SCOPE)
endfunction()

# Host headers never slip in: only the compiler's own (stddef.h, stdint.h …) and those of the chosen C library.
function(baremetal_compiler_headers compiler result)
    execute_process(COMMAND "${compiler}" --version OUTPUT_VARIABLE version ERROR_QUIET)
    if(version MATCHES "clang")
        execute_process(COMMAND "${compiler}" -print-resource-dir OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE)
        set(folder "${folder}/include")
    else()
        execute_process(COMMAND "${compiler}" -print-file-name=include OUTPUT_VARIABLE folder
            OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
    if(NOT IS_DIRECTORY "${folder}")
        message(FATAL_ERROR "baremetal: the compiler '${compiler}' does not tell where its own headers are (got '${folder}').")
    endif()
    set(${result} "${folder}" PARENT_SCOPE)
endfunction()
