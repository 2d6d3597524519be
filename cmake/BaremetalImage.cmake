# baremetal_add_image: turns an executable into a bootable image. baremetal_add_files: puts files into it.
# SPDX-License-Identifier: MIT
#
# The executable keeps its name and stays an ordinary CMake target. README.md in this folder lists what is made.

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/BaremetalFormats.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/BaremetalDataDisk.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/BaremetalLinuxProgram.cmake")

# Ends the configuration unless `value` is a whole number in [least, most].
function(baremetal_check_number what value least most)
    if(NOT value MATCHES "^[0-9]+$" OR value LESS least OR value GREATER most)
        message(FATAL_ERROR "${what} is '${value}'; it must be a whole number from ${least} to ${most}.")
    endif()
endfunction()

# Adds what the image knows of itself to the target: its name, which is argv[0].
function(baremetal_embed_name target)
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}.name.c")
    file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT [[
// The name of this image, made by baremetal_add_image.
extern char bm_program_name[];
char bm_program_name[] = "@target@";
]])
    target_sources(${target} PRIVATE "${file}")
endfunction()

# Ends the configuration unless the text can be a command line.
function(baremetal_check_command_line where text)
    string(LENGTH "${text}" length)
    if(length GREATER 1000 OR NOT text MATCHES "^[ -~]*$")
        message(FATAL_ERROR "${where}: CMDLINE must be at most 1000 printable ASCII characters.")
    endif()
endfunction()

# Run at the end of the folder: writes the command line that the image falls back on and adds it to the target. The words that mount
# disks stand first, since the program's arguments may stand behind the others.
function(baremetal_embed_command_line where target)
    get_target_property(text ${target} BAREMETAL_CMDLINE)
    get_target_property(mounts ${target} BAREMETAL_MOUNTS)
    if(mounts)
        list(JOIN mounts " " words)
        string(PREPEND text "${words} ")
        string(STRIP "${text}" text)
        baremetal_check_command_line("${where}: with the disks' mount=…," "${text}")
    elseif(text STREQUAL "")
        return()
    endif()
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}.command_line.c")
    file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT [[
// The command line of this image, made by baremetal_add_image.
extern const char bm_command_line_default[];
const char bm_command_line_default[] = "@text@";
]])
    target_sources(${target} PRIVATE "${file}")
endfunction()

# baremetal_add_image(<target> [FORMATS <format>…] [CMDLINE <text> [CMDLINE_OPEN]] [MEMORY_MIB <n>] [CPUS <n>] [VIDEO <width>x<height>]
#                     [SYMBOLS] [JIT] [FILES <file or folder>…] [SIGN_KEY <file> SIGN_CERT <file>])
#
# Makes the executable <target> a bootable image, and the targets run-, debug-, size- and images-<target>.
# FORMATS: elf (always made), efi, iso, raw, qcow2, vmdk, vhd, gce, each in a file of its own beside the executable.
# CMDLINE: the kernel command line for keys that the loader's line does not give. Under Secure Boot it is the only one, but with
#   CMDLINE_OPEN.
# MEMORY_MIB (128), CPUS (1): the machine of run- and debug-<target>.
# VIDEO: the graphics mode that the BIOS loader sets.
# SYMBOLS: puts the functions' names into the image, so that fault reports have them.
# JIT: memory may become executable while the program runs (mmap and mprotect with PROT_EXEC); with musl.
# FILES: embeds files, as baremetal_add_files does.
# SIGN_KEY, SIGN_CERT: sign the EFI file.
function(baremetal_add_image target)
    set(where "baremetal_add_image(${target})")
    cmake_parse_arguments(PARSE_ARGV 1 image "SYMBOLS;CMDLINE_OPEN;JIT" "CMDLINE;MEMORY_MIB;CPUS;VIDEO;SIGN_KEY;SIGN_CERT" "FORMATS;FILES")
    baremetal_check_words("${where}" "${image_UNPARSED_ARGUMENTS}"
        FORMATS CMDLINE CMDLINE_OPEN MEMORY_MIB CPUS VIDEO SIGN_KEY SIGN_CERT SYMBOLS JIT FILES)
    if(image_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${where}: a value is missing after: ${image_KEYWORDS_MISSING_VALUES}.")
    endif()
    if(NOT TARGET ${target})
        message(FATAL_ERROR "${where}: there is no such target; call add_executable(${target} …) first.")
    endif()
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "EXECUTABLE")
        message(FATAL_ERROR "${where}: the target must be an executable; it is a ${type}.")
    endif()
    string(REPLACE "," ";" more "${BAREMETAL_FORMATS}")
    list(APPEND image_FORMATS ${more})
    baremetal_check_formats("${where}" "${image_FORMATS}")
    if(NOT DEFINED image_MEMORY_MIB)
        set(image_MEMORY_MIB 128)
    endif()
    if(NOT DEFINED image_CPUS)
        set(image_CPUS 1)
    endif()
    baremetal_check_number("${where}: MEMORY_MIB" "${image_MEMORY_MIB}" 2 1048576)
    baremetal_check_number("${where}: CPUS" "${image_CPUS}" 1 255)
    baremetal_check_command_line("${where}" "${image_CMDLINE}")
    set_property(TARGET ${target} PROPERTY BAREMETAL_CMDLINE "${image_CMDLINE}")
    set_property(TARGET ${target} PROPERTY BAREMETAL_FOLDER "${CMAKE_CURRENT_SOURCE_DIR}")
    if(image_CMDLINE_OPEN AND NOT DEFINED image_CMDLINE)
        message(FATAL_ERROR "${where}: CMDLINE_OPEN lets other command lines than the image's count under Secure Boot; give CMDLINE, too.")
    endif()
    set_property(TARGET ${target} PROPERTY BAREMETAL_CMDLINE_OPEN ${image_CMDLINE_OPEN})
    if(DEFINED image_VIDEO AND NOT image_VIDEO MATCHES "^[0-9][0-9][0-9]+x[0-9][0-9][0-9]+$")
        message(FATAL_ERROR "${where}: VIDEO is '${image_VIDEO}'; it must be a size such as 1024x768.")
    endif()
    if(image_FILES)
        baremetal_add_files(${target} ${image_FILES})
    endif()
    set_property(TARGET ${target} PROPERTY BAREMETAL_JIT ${image_JIT})
    if(image_JIT)
        target_link_options(${target} PRIVATE LINKER:-u,bm_linux_jit)
    endif()
    baremetal_note_signer("${where}" ${target} "${image_SIGN_KEY}" "${image_SIGN_CERT}")
    cmake_language(EVAL CODE "cmake_language(DEFER CALL baremetal_check_heap [[${target}]])
        cmake_language(DEFER CALL baremetal_check_libc [[${where}]] [[${target}]])
        cmake_language(DEFER CALL baremetal_embed_command_line [[${where}]] [[${target}]])")
    baremetal_embed_name(${target})
    baremetal_finish_link(${target} "${image_SYMBOLS}")
    baremetal_add_tools(${target} ${image_MEMORY_MIB} ${image_CPUS})
    baremetal_make_formats(${target} "${image_FORMATS}" "${image_VIDEO}")
endfunction()

# Run at the end of the folder that has the target, whose property may have been set behind the call.
function(baremetal_check_libc where target)
    get_target_property(libc ${target} BAREMETAL_LIBC)
    get_property(known GLOBAL PROPERTY BAREMETAL_LIBCS)
    if(libc AND NOT libc MATCHES "\\$<" AND NOT libc IN_LIST known)
        baremetal_known_words(list "${libc}" ${known})
        message(FATAL_ERROR "${where}: the property BAREMETAL_LIBC is '${libc}'${list}")
    endif()
    if(NOT libc)
        set(libc ${BAREMETAL_LIBC})
    endif()
    get_target_property(jit ${target} BAREMETAL_JIT)
    if(jit AND NOT libc STREQUAL "musl")
        message(FATAL_ERROR "${where}: JIT is for programs that map memory, which takes -DBAREMETAL_LIBC=musl.")
    endif()
    get_target_property(links ${target} LINK_LIBRARIES)
    if(libc STREQUAL "musl" AND "baremetal::mimalloc" IN_LIST links)
        message(FATAL_ERROR "${target} links baremetal::mimalloc, which is not there with musl: choose baremetal::malloc_block, or picolibc or newlib.")
    endif()
endfunction()

# Key and certificate as the target's properties BAREMETAL_SIGN_KEY and BAREMETAL_SIGN_CERT, absolute.
function(baremetal_note_signer where target SIGN_KEY SIGN_CERT)
    foreach(name SIGN_KEY SIGN_CERT)
        set(file "${${name}}")
        if(file)
            cmake_path(ABSOLUTE_PATH file NORMALIZE)
            if(NOT EXISTS "${file}")
                message(FATAL_ERROR "${where}: ${name} names ${file}, which does not exist.")
            endif()
            set_property(TARGET ${target} PROPERTY BAREMETAL_${name} "${file}")
        endif()
    endforeach()
endfunction()

# What happens around the link: map file, symbols, checks, splitting off of the debug information.
function(baremetal_finish_link target symbols)
    get_property(tools GLOBAL PROPERTY BAREMETAL_TOOLS_FOLDER)
    get_property(python GLOBAL PROPERTY BAREMETAL_PYTHON)
    set(arguments)
    if(symbols)
        list(APPEND arguments --symbols)
    endif()
    target_link_options(${target} PRIVATE "LINKER:-Map,$<TARGET_FILE:${target}>.map")
    foreach(language C CXX)
        set_property(TARGET ${target} APPEND PROPERTY ${language}_LINKER_LAUNCHER ${python} "${tools}/link-image" ${arguments} --)
    endforeach()
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS
        "${tools}/link-image" "${tools}/baremetal_tools/link.py" "${tools}/baremetal_tools/elf.py")
    set_property(TARGET ${target} APPEND PROPERTY ADDITIONAL_CLEAN_FILES
        "$<TARGET_FILE:${target}>.map;$<TARGET_FILE:${target}>.debug;$<TARGET_FILE:${target}>.gdb")
endfunction()

# run-, debug- and size-<target>.
function(baremetal_add_tools target memory cpus)
    get_property(tools GLOBAL PROPERTY BAREMETAL_TOOLS_FOLDER)
    get_property(python GLOBAL PROPERTY BAREMETAL_PYTHON)
    # Disks are added to the target behind this.
    set(machine --memory ${memory} --cpus ${cpus} "$<TARGET_PROPERTY:${target},BAREMETAL_RUN_WORDS>" "$<TARGET_FILE:${target}>")
    add_custom_target(run-${target} COMMAND "${tools}/run-image" ${machine} DEPENDS ${target} USES_TERMINAL VERBATIM COMMAND_EXPAND_LISTS
        COMMENT "Booting ${target}")
    add_custom_target(debug-${target} COMMAND "${tools}/run-image" --debug
        --sources "${CMAKE_SOURCE_DIR}" ${machine} DEPENDS ${target} USES_TERMINAL VERBATIM COMMAND_EXPAND_LISTS
        COMMENT "Booting ${target}, halted for gdb")
    add_custom_target(size-${target} COMMAND ${python} "${tools}/size-image" "$<TARGET_FILE:${target}>.map" DEPENDS ${target}
        USES_TERMINAL VERBATIM COMMENT "Sizes of ${target}")
endfunction()

# baremetal_add_files(<target> [<file or folder>…] [FILES <file>…] [BASE <folder>] [PREFIX </path>])
#
# Puts files into the image, to be opened read-only by path. A folder brings all files below it. The path in the image is
# PREFIX (default /) and the file's name relative to BASE, to the folder that brought it, or else its last component.
function(baremetal_add_files target)
    set(where "baremetal_add_files(${target})")
    cmake_parse_arguments(PARSE_ARGV 1 add "" "PREFIX;BASE" "FILES")
    if(NOT TARGET ${target})
        message(FATAL_ERROR "${where}: there is no such target; call add_executable(${target} …) first.")
    endif()
    if(NOT DEFINED add_PREFIX)
        set(add_PREFIX "/")
    endif()
    if(NOT add_PREFIX MATCHES "^/")
        message(FATAL_ERROR "${where}: PREFIX is '${add_PREFIX}'; it must start with '/'.")
    endif()
    string(REGEX REPLACE "/+$" "" add_PREFIX "${add_PREFIX}")
    foreach(word IN LISTS add_UNPARSED_ARGUMENTS)
        if(word MATCHES "^[A-Z]+$" AND NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${word}")
            baremetal_check_words("${where}" "${word}" FILES BASE PREFIX)
        endif()
    endforeach()
    set(given ${add_UNPARSED_ARGUMENTS} ${add_FILES})
    if(NOT given)
        message(FATAL_ERROR "${where}: name at least one file or folder.")
    endif()
    baremetal_collect_files(${target} "${where}" "${add_BASE}" "${add_PREFIX}" BAREMETAL_PLACED "${given}")
    baremetal_embed_placed_files(${target})
endfunction()

# Notes files, and those of folders, with their paths behind `prefix` on the target's `property`.
function(baremetal_collect_files target where given_base prefix property given)
    foreach(item IN LISTS given)
        cmake_path(ABSOLUTE_PATH item NORMALIZE)
        set(base "${given_base}")
        if(IS_DIRECTORY "${item}")
            string(REGEX REPLACE "/$" "" item "${item}")
            if(NOT base)
                set(base "${item}")
            endif()
            file(GLOB_RECURSE files CONFIGURE_DEPENDS LIST_DIRECTORIES false "${item}/*")
        else()
            set(files "${item}")
        endif()
        baremetal_place_files(${target} "${where}" "${base}" "${prefix}" ${property} "${files}")
    endforeach()
endfunction()

# Notes each file and its path on the target: pairs in `property`, the files alone in `property`_FILES.
function(baremetal_place_files target where base prefix property files)
    if(base)
        cmake_path(ABSOLUTE_PATH base NORMALIZE)
    endif()
    foreach(file IN LISTS files)
        get_filename_component(name "${file}" NAME)
        if(base)
            cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${base}" OUTPUT_VARIABLE name)
            if(name MATCHES "^\\.\\./")
                message(FATAL_ERROR "${where}: ${file} is not below BASE ${base}.")
            endif()
        endif()
        if(NOT EXISTS "${file}")
            cmake_language(EVAL CODE "cmake_language(DEFER CALL baremetal_check_placed [[${where}]] [[${file}]])")
        endif()
        if("${file}" MATCHES "[|\"\\]" OR NOT name MATCHES "^[ -~]*$")
            message(FATAL_ERROR "${where}: the file name '${file}' cannot be embedded: printable ASCII without | \" \\ only.")
        endif()
        set_property(TARGET ${target} APPEND PROPERTY ${property} "${prefix}/${name}|${file}")
        set_property(TARGET ${target} APPEND PROPERTY ${property}_FILES "${file}")
    endforeach()
endfunction()

# Run at the end of the folder: a file that is not there must be one that the build makes.
function(baremetal_check_placed where file)
    get_source_file_property(generated "${file}" GENERATED)
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${file}" NORMALIZE inside)
    if(NOT EXISTS "${file}" AND NOT generated AND NOT inside)
        message(FATAL_ERROR "${where}: ${file} does not exist.")
    endif()
endfunction()

# The rule that turns the noted files into one object: made once per target, reads the notes when CMake generates.
function(baremetal_embed_placed_files target)
    get_target_property(made ${target} BAREMETAL_EMBEDS)
    if(made)
        return()
    endif()
    set_property(TARGET ${target} PROPERTY BAREMETAL_EMBEDS TRUE)
    get_property(tools GLOBAL PROPERTY BAREMETAL_TOOLS_FOLDER)
    get_property(python GLOBAL PROPERTY BAREMETAL_PYTHON)
    set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}.files.txt")
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}.files.c")
    file(GENERATE OUTPUT "${list}" CONTENT "$<JOIN:$<TARGET_PROPERTY:${target},BAREMETAL_PLACED>,\n>\n")
    add_custom_command(OUTPUT "${source}"
        COMMAND ${python} "${tools}/embed-files" "${list}" "${source}"
        DEPENDS "${list}" "${tools}/embed-files" "${tools}/baremetal_tools/embed.py" "$<TARGET_PROPERTY:${target},BAREMETAL_PLACED_FILES>"
        COMMENT "Embedding the files of ${target}" VERBATIM)
    # The contents come in by assembly, which link-time optimisation does not see through.
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -fno-lto)
    target_sources(${target} PRIVATE "${source}")
endfunction()
