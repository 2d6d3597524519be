# CMake toolchain file: the host's gcc (or clang) compiling for a bare x86-64 machine.
# SPDX-License-Identifier: MIT
#
#   cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE=<prefix>/lib/cmake/baremetal/toolchain.cmake
#
# clang instead of gcc: add -DCMAKE_C_COMPILER=clang. The C library is chosen by -DBAREMETAL_LIBC=picolibc or newlib.

include_guard()
include("${CMAKE_CURRENT_LIST_DIR}/BaremetalFlags.cmake")

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(BAREMETAL_TOOLCHAIN TRUE)

if(NOT DEFINED CMAKE_C_COMPILER)
    set(CMAKE_C_COMPILER gcc)
endif()

# Programs cannot be linked before the C library is known, so CMake's own checks only compile.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BAREMETAL_LIBC)

find_program(baremetal_compiler NAMES "${CMAKE_C_COMPILER}" NO_CACHE)
if(NOT baremetal_compiler)
    message(FATAL_ERROR "baremetal: the C compiler '${CMAKE_C_COMPILER}' is missing; install it or choose one with "
        "-DCMAKE_C_COMPILER=gcc (or clang).")
endif()
baremetal_compiler_headers("${baremetal_compiler}" baremetal_own_headers)
list(JOIN BAREMETAL_IMAGE_FLAGS " " baremetal_flags)
string(APPEND baremetal_flags " -fno-omit-frame-pointer -nostdinc")

# In an installed package the C libraries stand beside this file, so that even code that does not link
# baremetal::kernel (and CMake's checks for headers and functions) sees the right headers.
set(baremetal_sysroot "${CMAKE_CURRENT_LIST_DIR}/../../baremetal")
if(IS_DIRECTORY "${baremetal_sysroot}/picolibc")
    if(BAREMETAL_LIBC STREQUAL "newlib")
        set(baremetal_libc newlib)
    else()
        set(baremetal_libc picolibc)
    endif()
    cmake_path(NORMAL_PATH baremetal_sysroot)
    foreach(folder libc-include net-include ${baremetal_libc}/include)
        if(IS_DIRECTORY "${baremetal_sysroot}/${folder}")
            string(APPEND baremetal_flags " -isystem \"${baremetal_sysroot}/${folder}\"")
        endif()
    endforeach()
endif()
string(APPEND baremetal_flags " -isystem \"${baremetal_own_headers}\"")
set(CMAKE_C_FLAGS_INIT "${baremetal_flags}")
set(CMAKE_CXX_FLAGS_INIT "${baremetal_flags}")
set(CMAKE_ASM_FLAGS_INIT "${baremetal_flags}")

# Small images unless the program says otherwise.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "Kind of build: MinSizeRel, Release, RelWithDebInfo or Debug")
endif()

# The kernel, the POSIX layer and the C library call each other: they are searched in a circle.
foreach(language "" C_ CXX_)
    set(CMAKE_${language}LINK_GROUP_USING_RESCAN "LINKER:--start-group" "LINKER:--end-group")
    set(CMAKE_${language}LINK_GROUP_USING_RESCAN_SUPPORTED TRUE)
endforeach()

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
