# What a program may choose, and whether the tools are new enough. Included by the library's build and by the package.
# SPDX-License-Identifier: MIT

include_guard(GLOBAL)

set(BAREMETAL_LIBCS picolibc newlib)
set(BAREMETAL_LIBC picolibc CACHE STRING "C library that the images are linked with: picolibc (small) or newlib (more complete)")
set_property(CACHE BAREMETAL_LIBC PROPERTY STRINGS ${BAREMETAL_LIBCS})

# A target may differ from the rest: set_target_properties(x PROPERTIES BAREMETAL_LIBC newlib).
define_property(TARGET PROPERTY BAREMETAL_LIBC INITIALIZE_FROM_VARIABLE BAREMETAL_LIBC
    BRIEF_DOCS "C library of this program: picolibc or newlib")

set(BAREMETAL_FORMATS "" CACHE STRING "Formats, separated by commas, that every image gets besides those of its own FORMATS: iso,raw …")

# Refuses a cache variable that looks like one of ours and is none: nearly always a typing error.
function(baremetal_check_options)
    set(known BAREMETAL_LIBC BAREMETAL_FORMATS BAREMETAL_WERROR)
    get_cmake_property(variables CACHE_VARIABLES)
    foreach(variable IN LISTS variables)
        if(variable MATCHES "^BAREMETAL_" AND NOT variable IN_LIST known)
            list(JOIN known ", " list)
            message(FATAL_ERROR "baremetal: there is no option '${variable}'; known are: ${list}. "
                "(To take it back: cmake -U${variable} …)")
        endif()
    endforeach()
    if(NOT BAREMETAL_LIBC IN_LIST BAREMETAL_LIBCS)
        list(JOIN BAREMETAL_LIBCS ", " list)
        message(FATAL_ERROR "baremetal: BAREMETAL_LIBC is '${BAREMETAL_LIBC}'; it must be one of: ${list}.")
    endif()
endfunction()

# Refuses tools that are too old, each by name.
function(baremetal_check_tools)
    if(NOT BAREMETAL_TOOLCHAIN)
        get_property(file GLOBAL PROPERTY BAREMETAL_TOOLCHAIN_FILE)
        message(FATAL_ERROR "baremetal: images are not programs of this system; configure a fresh build folder with "
            "-DCMAKE_TOOLCHAIN_FILE=${file}")
    endif()
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(least 12)
    elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
        set(least 14)
    else()
        message(FATAL_ERROR "baremetal: the C compiler is ${CMAKE_C_COMPILER_ID}; it must be gcc (12 or newer) or clang (14 or newer).")
    endif()
    if(CMAKE_C_COMPILER_VERSION VERSION_LESS least)
        message(FATAL_ERROR "baremetal: ${CMAKE_C_COMPILER} is version ${CMAKE_C_COMPILER_VERSION}; ${least} or newer is needed.")
    endif()
    execute_process(COMMAND "${CMAKE_C_COMPILER}" -dumpmachine OUTPUT_VARIABLE machine ERROR_QUIET)
    if(NOT machine MATCHES "^(x86_64|amd64)")
        message(FATAL_ERROR "baremetal: ${CMAKE_C_COMPILER} compiles for '${machine}', not for x86-64.")
    endif()
    find_program(linker ld.bfd NO_CACHE)
    if(NOT linker)
        message(FATAL_ERROR "baremetal: GNU ld ('ld.bfd') is missing; it links the images (package binutils).")
    endif()
    execute_process(COMMAND "${linker}" --version OUTPUT_VARIABLE version)
    string(REGEX MATCH "[0-9]+\\.[0-9]+" version "${version}")
    if(version VERSION_LESS 2.38)
        message(FATAL_ERROR "baremetal: ${linker} is version ${version}; binutils 2.38 or newer is needed (packed relative relocations).")
    endif()
endfunction()
