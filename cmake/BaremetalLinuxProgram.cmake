# baremetal_add_linux_program: an image with a Linux executable as it is.
# SPDX-License-Identifier: MIT

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

include_guard(GLOBAL)

# baremetal_add_linux_program(<target> PROGRAM <file> [ARGS <word>…] [ENV <NAME=value>…] [FILES <file or folder>…] [FORMATS <format>…]
#                             [CMDLINE <text>] [MEMORY_MIB <n>] [CPUS <n>] [SYMBOLS] [NO_NETWORK] [JIT])
#
# Makes the target <target>, an image that starts a Linux executable for x86-64 (docs/linux-programs.md), and what
# baremetal_add_image makes of it. One that is linked dynamically wants its loader and libraries among the FILES.
# PROGRAM: the executable; one that the build makes may come later.
# ARGS: argv behind its name, which is <target>. ENV: its environment. The loader's command line may give others.
# NO_NETWORK: leaves out baremetal::net and baremetal::drivers, which are linked otherwise.
# FILES, FORMATS, CMDLINE, MEMORY_MIB (256 here), CPUS, SYMBOLS, JIT: as for baremetal_add_image.
function(baremetal_add_linux_program target)
    set(where "baremetal_add_linux_program(${target})")
    cmake_parse_arguments(PARSE_ARGV 1 program "SYMBOLS;NO_NETWORK;JIT" "PROGRAM;CMDLINE;MEMORY_MIB;CPUS" "ARGS;ENV;FILES;FORMATS")
    baremetal_check_words("${where}" "${program_UNPARSED_ARGUMENTS}"
        PROGRAM ARGS ENV FILES FORMATS CMDLINE MEMORY_MIB CPUS SYMBOLS NO_NETWORK JIT)
    if(NOT program_PROGRAM)
        message(FATAL_ERROR "${where}: say PROGRAM <file>: a Linux executable.")
    endif()
    get_property(known GLOBAL PROPERTY BAREMETAL_LIBCS)
    if(NOT "musl" IN_LIST known)
        message(FATAL_ERROR "${where}: Linux' calls come with musl; configure with -DBAREMETAL_LIBC=musl, or use an installed package.")
    endif()
    baremetal_embed_program("${where}" ${target} "${program_PROGRAM}")
    target_link_libraries(${target} PRIVATE baremetal::executable)
    if(NOT program_NO_NETWORK)
        # Asked for first: those without a network stand in the same archive as the table of all calls, which comes later.
        target_link_options(${target} PRIVATE LINKER:-u,bm_linux_socket)
        target_link_libraries(${target} PRIVATE baremetal::net baremetal::drivers)
    endif()
    target_link_libraries(${target} PRIVATE baremetal::tmpfs baremetal::devfs baremetal::power_button baremetal::run baremetal::kernel)
    set_property(TARGET ${target} PROPERTY BAREMETAL_LIBC musl)
    baremetal_program_words(line "${where}" "${program_CMDLINE}" "${program_ENV}" "${program_ARGS}")
    set(options)
    if(NOT line STREQUAL "")
        set(options CMDLINE "${line}")
    endif()
    if(NOT DEFINED program_MEMORY_MIB)
        set(program_MEMORY_MIB 256)
    endif()
    foreach(option MEMORY_MIB CPUS FILES FORMATS)
        if(DEFINED program_${option})
            list(APPEND options ${option} ${program_${option}})
        endif()
    endforeach()
    foreach(option SYMBOLS JIT)
        if(program_${option})
            list(APPEND options ${option})
        endif()
    endforeach()
    baremetal_add_image(${target} ${options})
endfunction()

# The target, of a source that brings the executable in: on pages of its own, of which its text is mapped as it stands there.
function(baremetal_embed_program where target file)
    cmake_path(ABSOLUTE_PATH file NORMALIZE)
    if("${file}" MATCHES "[\"\\]")
        message(FATAL_ERROR "${where}: the file name '${file}' cannot be embedded: no \" and \\.")
    endif()
    if(NOT EXISTS "${file}")
        cmake_language(EVAL CODE "cmake_language(DEFER CALL baremetal_check_placed [[${where}]] [[${file}]])")
    endif()
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}.program.c")
    file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
// The executable of this image, made by baremetal_add_linux_program.
__asm__(".pushsection .rodata.bm_executable, \"a\"\n"
        ".balign 4096\n"
        ".global bm_executable_begin, bm_executable_end\n"
        ".hidden bm_executable_begin, bm_executable_end\n"
        "bm_executable_begin: .incbin \"@file@\"\n"
        "bm_executable_end:\n"
        ".balign 4096\n"
        ".popsection\n");
]])
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -fno-lto OBJECT_DEPENDS "${file}")
    add_executable(${target} "${source}")
endfunction()

# The kernel command line with the program's environment and arguments.
function(baremetal_program_words result where line environment arguments)
    if("${line}" MATCHES "(^| )--( |$)")
        message(FATAL_ERROR "${where}: CMDLINE has the program's arguments; say ARGS for them.")
    endif()
    foreach(variable IN LISTS environment)
        if(NOT variable MATCHES "^([A-Za-z_][A-Za-z_0-9]*)=([^\"]*)$")
            message(FATAL_ERROR "${where}: ENV has '${variable}'; it must be NAME=value, without \".")
        endif()
        string(APPEND line " env.${CMAKE_MATCH_1}=\"${CMAKE_MATCH_2}\"")
    endforeach()
    if(arguments)
        string(APPEND line " --")
    endif()
    foreach(word IN LISTS arguments)
        string(REGEX REPLACE "([\\\"'])" "\\\\\\1" word "${word}")
        string(APPEND line " \"${word}\"")
    endforeach()
    string(STRIP "${line}" line)
    set(${result} "${line}" PARENT_SCOPE)
endfunction()
