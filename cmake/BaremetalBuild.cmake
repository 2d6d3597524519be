# How the library's own sources are compiled, and how third-party sources are obtained.
# SPDX-License-Identifier: MIT

# baremetal_third_party(<name> <folder>): builds or extracts the pinned source into the folder (toolchain/build), once;
# results are cached outside the build folder.
function(baremetal_third_party name folder)
    execute_process(
        COMMAND "${baremetal_SOURCE_DIR}/toolchain/build" ${name} --cc "${CMAKE_C_COMPILER}" --out "${folder}"
        RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        set_property(GLOBAL APPEND PROPERTY BAREMETAL_NOT_READY ${name})
    endif()
    file(GLOB patches CONFIGURE_DEPENDS "${baremetal_SOURCE_DIR}/toolchain/${name}/*.patch")
    set_property(DIRECTORY "${baremetal_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        "${baremetal_SOURCE_DIR}/toolchain/pins" "${baremetal_SOURCE_DIR}/toolchain/build"
        "${baremetal_SOURCE_DIR}/toolchain/${name}.sh" ${patches})
endfunction()

# Behind the last of them: ends the configuration when one is not ready. All have told then what they miss.
function(baremetal_third_party_done)
    get_property(names GLOBAL PROPERTY BAREMETAL_NOT_READY)
    if(names)
        list(JOIN names ", " names)
        message(FATAL_ERROR "baremetal: ${names} could not be made ready; the reason stands above.")
    endif()
endfunction()

set(BAREMETAL_WARNINGS -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla
    -Wpointer-arith -Wwrite-strings -Wundef)
if(BAREMETAL_WERROR)
    list(APPEND BAREMETAL_WARNINGS -Werror)
endif()

# Options for what is compiled for the last byte. -Oz came to gcc with version 12; what it still does for speed and pays for
# in bytes was measured one by one.
set(BAREMETAL_SMALL -Oz)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 12)
    set(BAREMETAL_SMALL -Os)
elseif(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND BAREMETAL_SMALL -fno-guess-branch-probability -fno-expensive-optimizations -fno-tree-dominator-opts
        -fno-thread-jumps -fno-forward-propagate)
endif()

# Options for what every packet and every work item passes: for speed, but functions and loops follow each other without gaps.
set(BAREMETAL_FAST -O2)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND BAREMETAL_FAST -fno-align-functions -fno-align-loops -fno-align-jumps -fno-align-labels)
endif()

# baremetal_optimize(<otherwise> <file>…): compiles each file as a line `// @optimize size`, `balance` or `speed` in it says,
# by the options above, or -Os; when it says nothing, as <otherwise> or by the options in options_<otherwise>.
function(baremetal_optimize otherwise)
    set(options_size ${BAREMETAL_SMALL})
    set(options_balance "")
    set(options_speed ${BAREMETAL_FAST})
    list(FILTER ARGN INCLUDE REGEX "\\.c$")
    foreach(file IN LISTS ARGN)
        file(STRINGS "${file}" line LIMIT_COUNT 1 REGEX "^// @optimize ")
        string(REPLACE "// @optimize " "" word "${line}")
        if(NOT word)
            set(word ${otherwise})
        else()
            set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
        endif()
        if(NOT DEFINED options_${word})
            message(FATAL_ERROR "${file} wants to be compiled with '${word}'; there are size, balance and speed.")
        endif()
        set_property(SOURCE "${file}" APPEND PROPERTY COMPILE_OPTIONS ${options_${word}})
    endforeach()
endfunction()

# Options for all of our sources, besides those that the toolchain file gives to everything.
# (gcc aligns tables to 32 bytes where the ABI asks for 16.) Their canary is one per boot, in struct bm_core at %gs:8: what is at %fs
# is the program's, and its threads'.
add_library(baremetal_source_options INTERFACE)
target_compile_definitions(baremetal_source_options INTERFACE BM_INSIDE=1 $<$<BOOL:${BAREMETAL_CHECKS}>:BM_CHECKS=1>)
target_compile_options(baremetal_source_options INTERFACE ${BAREMETAL_NOT_LINUX} -Os -fvisibility=hidden
    -mstack-protector-guard-reg=gs -mstack-protector-guard-offset=8
    $<$<COMPILE_LANG_AND_ID:C,GNU>:-malign-data=abi>
    $<$<COMPILE_LANGUAGE:C>:${BAREMETAL_WARNINGS}>)
if(NOT PROJECT_IS_TOP_LEVEL) # else the toolchain file says it
    target_compile_options(baremetal_source_options INTERFACE
        "-ffile-prefix-map=${baremetal_SOURCE_DIR}/=" "-ffile-prefix-map=${baremetal_BINARY_DIR}/=")
endif()

# baremetal_sources(<result> <folder>…): the C and assembly files that stand in the folders.
function(baremetal_sources result)
    set(patterns)
    foreach(folder IN LISTS ARGN)
        list(APPEND patterns "${folder}/*.c" "${folder}/*.S")
    endforeach()
    file(GLOB files CONFIGURE_DEPENDS ${patterns})
    set(${result} "${files}" PARENT_SCOPE)
endfunction()

# baremetal_archive(<name> <output name> <file>…): a static library of the package, exported as
# baremetal::archive_<name>.
function(baremetal_archive name output)
    if(NOT ARGN)
        # An archive needs a member: lets the tree configure while a folder is still empty.
        file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.S" ".section .note.GNU-stack\n")
        list(APPEND ARGN "${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.S")
    endif()
    add_library(baremetal_archive_${name} STATIC ${ARGN})
    set_target_properties(baremetal_archive_${name} PROPERTIES OUTPUT_NAME ${output} EXPORT_NAME archive_${name}
        C_STANDARD 11 C_EXTENSIONS ON C_STANDARD_REQUIRED ON
        ARCHIVE_OUTPUT_DIRECTORY "${baremetal_BINARY_DIR}/lib")
    add_library(baremetal::archive_${name} ALIAS baremetal_archive_${name})
    set_property(GLOBAL APPEND PROPERTY BAREMETAL_ARCHIVES baremetal_archive_${name})
endfunction()

set(BAREMETAL_KERNEL_FLAGS -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-omit-frame-pointer)
# Kernel code: freestanding, no C library headers, general registers only (handlers may call any of it), no red zone (its
# inline assembly pushes), with frame pointers, so that a backtrace needs no tables.
function(baremetal_kernel_archive name output)
    baremetal_archive(${name} ${output} ${ARGN})
    target_compile_options(baremetal_archive_${name} PRIVATE ${BAREMETAL_KERNEL_FLAGS})
    target_include_directories(baremetal_archive_${name} PRIVATE "${baremetal_include}" "${baremetal_SOURCE_DIR}/libbaremetal")
    target_link_libraries(baremetal_archive_${name} PRIVATE $<BUILD_INTERFACE:baremetal_source_options>)
endfunction()

# Code that uses the C library: compiled once for each of them.
function(baremetal_libc_archive name libc output)
    baremetal_archive(${name}_${libc} ${output}-${libc} ${ARGN})
    set_target_properties(baremetal_archive_${name}_${libc} PROPERTIES BAREMETAL_LIBC ${libc})
    target_include_directories(baremetal_archive_${name}_${libc} PRIVATE "${baremetal_include}" "${baremetal_SOURCE_DIR}/libbaremetal")
    if(NOT libc STREQUAL "musl") # which needs no completion
        target_include_directories(baremetal_archive_${name}_${libc} SYSTEM PRIVATE ${baremetal_libc_include} ${baremetal_net_include})
    endif()
    target_include_directories(baremetal_archive_${name}_${libc} SYSTEM PRIVATE "${baremetal_libc_root}/${libc}/include")
    string(TOUPPER ${libc} upper)
    target_compile_definitions(baremetal_archive_${name}_${libc} PRIVATE BM_LIBC_${upper}=1)
    target_link_libraries(baremetal_archive_${name}_${libc} PRIVATE $<BUILD_INTERFACE:baremetal_source_options>)
endfunction()
