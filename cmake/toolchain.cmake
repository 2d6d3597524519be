# CMake toolchain file: the host's gcc (or clang) compiling for a bare x86-64 machine.
# SPDX-License-Identifier: MIT
#
#   cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE=<prefix>/lib/cmake/baremetal/toolchain.cmake
#
# clang instead of gcc: add -DCMAKE_C_COMPILER=clang. The C library is chosen by -DBAREMETAL_LIBC=picolibc, newlib or musl.

include_guard()
include("${CMAKE_CURRENT_LIST_DIR}/BaremetalFlags.cmake")

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(BAREMETAL_TOOLCHAIN TRUE)

if(NOT DEFINED CMAKE_C_COMPILER)
    set(CMAKE_C_COMPILER gcc)
endif()

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BAREMETAL_LIBC CMAKE_C_ABI_COMPILED baremetal_build_folder)
if(NOT DEFINED baremetal_build_folder) # in CMake's checks it is handed down
    set(baremetal_build_folder "${CMAKE_BINARY_DIR}")
endif()

find_program(baremetal_compiler NAMES "${CMAKE_C_COMPILER}" NO_CACHE)
if(NOT baremetal_compiler)
    message(FATAL_ERROR "baremetal: the C compiler '${CMAKE_C_COMPILER}' is missing; install it or choose one with "
        "-DCMAKE_C_COMPILER=gcc (or clang).")
endif()

# Even code that does not link baremetal::kernel (and CMake's checks for headers and functions) sees the right C library.
# In an installed package its headers stand beside this file; from the source tree, the build folder will get them. Only the
# library's own build goes without: the kernel must not see a C library.
if(BAREMETAL_LIBC STREQUAL "newlib" OR BAREMETAL_LIBC STREQUAL "musl")
    set(baremetal_libc ${BAREMETAL_LIBC})
else()
    set(baremetal_libc picolibc)
endif()
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH baremetal_root)
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/baremetal-config.cmake")
    cmake_path(GET baremetal_root PARENT_PATH baremetal_root)
    cmake_path(GET baremetal_root PARENT_PATH baremetal_prefix)
    list(APPEND CMAKE_PREFIX_PATH "${baremetal_prefix}") # find_package(baremetal) means this one
    set(baremetal_package "${baremetal_root}/baremetal")
    baremetal_package_headers(${baremetal_libc} "${baremetal_package}" baremetal_folders)
elseif(NOT CMAKE_SOURCE_DIR STREQUAL baremetal_root)
    set(baremetal_folders "${baremetal_root}/libbaremetal/libc/include" "${baremetal_root}/net/include"
        "${baremetal_build_folder}/baremetal-libc/${baremetal_libc}/include")
    if(baremetal_libc STREQUAL "musl")
        list(FILTER baremetal_folders INCLUDE REGEX "/musl/include$") # its headers need no completion
    endif()
endif()

# All of this goes into the rule that compiles, not into variables such as CMAKE_C_FLAGS, which a user may set, and whose folders CMake
# sorts out and reorders. The compiler's own headers come first, as everywhere; the C library's come behind those of targets, and are
# not there yet when CMake asks the compiler for its own folders, which it then leaves out of all command lines.
baremetal_compiler_headers("${baremetal_compiler}" baremetal_own_headers)
baremetal_compile_flags(${baremetal_libc} baremetal_flags)
list(JOIN baremetal_flags " " baremetal_flags)
string(APPEND baremetal_flags " -isystem \"${baremetal_own_headers}\"")
# Names of files are the project's own, so that two folders give the same bytes; run-image tells gdb where they are.
string(APPEND baremetal_flags " \"-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=\" \"-ffile-prefix-map=${baremetal_build_folder}=.\"")
get_property(baremetal_checking GLOBAL PROPERTY IN_TRY_COMPILE)
if(baremetal_checking AND NOT CMAKE_C_ABI_COMPILED)
    set(baremetal_folders)
endif()
list(TRANSFORM baremetal_folders REPLACE "(.+)" "-isystem \"\\1\"")
list(JOIN baremetal_folders " " baremetal_folders)
foreach(baremetal_language C CXX ASM)
    string(CONCAT CMAKE_${baremetal_language}_COMPILE_OBJECT "<CMAKE_${baremetal_language}_COMPILER> ${baremetal_flags} "
        "<DEFINES> <INCLUDES> <FLAGS> ${baremetal_folders} -o <OBJECT> -c <SOURCE>")
endforeach()

# CMake's checks for functions, libraries and types link images against an installed package, so they tell the truth; checks that run
# boot them, and so does CTest. In the library's own build, and where it is a part of a project, its archives are not there yet when
# checks are made: those only compile, and miss no function.
if(DEFINED baremetal_package)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/baremetal-run" --timeout 60)
    include("${CMAKE_CURRENT_LIST_DIR}/BaremetalChecks.cmake")
else()
    set(CMAKE_CROSSCOMPILING_EMULATOR "${baremetal_root}/toolchain/tools/baremetal-run" --timeout 60)
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    # What FindThreads would ask by such checks.
    string(COMPARE EQUAL "${baremetal_libc}" musl CMAKE_HAVE_LIBC_PTHREAD)
    foreach(baremetal_answer CMAKE_HAVE_PTHREADS_CREATE CMAKE_HAVE_PTHREAD_CREATE THREADS_HAVE_PTHREAD_ARG)
        set(${baremetal_answer} FALSE)
    endforeach()
endif()

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
