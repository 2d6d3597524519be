# baremetal_add_data_disk: a second disk beside an image, with files of the project on it.
# SPDX-License-Identifier: MIT

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

include_guard(GLOBAL)

set_property(GLOBAL PROPERTY BAREMETAL_DISK_DRIVERS virtio_blk virtio_scsi nvme ahci) # those that run-image knows, too
set_property(GLOBAL PROPERTY BAREMETAL_FILE_SYSTEMS ext4 erofs)
set_property(GLOBAL PROPERTY BAREMETAL_TOOLS_ext4 mkfs.ext4:e2fsprogs debugfs:e2fsprogs)
set_property(GLOBAL PROPERTY BAREMETAL_TOOLS_erofs mkfs.erofs:erofs-utils)

# baremetal_add_data_disk(<target> NAME <name> [FILE_SYSTEM ext4|erofs] [SIZE <n>M|<n>G] [LABEL <label>] [MOUNT </path>]
#                         [FILES <file or folder>…] [PARTITIONED] [DRIVER virtio_blk|virtio_scsi|nvme|ahci])
#
# Makes a disk <target>-<name>.img beside the image, which run- and debug-<target> attach as a copy that keeps what is written
# (<target>-<name>.run.img, made anew when the disk is). Behind baremetal_add_image(<target>), in the same folder.
# FILE_SYSTEM: ext4 (default), which can be written, or erofs, which is as large as its files.
# SIZE: of ext4's file system, 8M to 1024G.
# LABEL: the file system's name (NAME); at most 16 characters, of erofs 15.
# MOUNT: mounts the disk there by its label, as mount=… on the image's command line does. The program links the file system and
#   the disk's driver itself: baremetal::ext4_write baremetal::virtio_blk.
# FILES: what is on the disk; a folder brings all files below it.
# PARTITIONED: the file system is the only partition of a GPT disk.
# DRIVER: as which device run- and debug-<target> show it (virtio_blk).
function(baremetal_add_data_disk target)
    set(where "baremetal_add_data_disk(${target})")
    cmake_parse_arguments(PARSE_ARGV 1 disk "PARTITIONED" "NAME;FILE_SYSTEM;SIZE;LABEL;MOUNT;DRIVER" "FILES")
    baremetal_check_words("${where}" "${disk_UNPARSED_ARGUMENTS}" NAME FILE_SYSTEM SIZE LABEL MOUNT FILES PARTITIONED DRIVER)
    if(disk_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${where}: a value is missing after: ${disk_KEYWORDS_MISSING_VALUES}.")
    endif()
    if(NOT disk_NAME MATCHES "^[a-z0-9][a-z0-9_-]*$")
        message(FATAL_ERROR "${where}: NAME is '${disk_NAME}'; it must be a word of lower-case letters, digits, _ and -.")
    endif()
    baremetal_default(disk_FILE_SYSTEM ext4)
    baremetal_default(disk_LABEL "${disk_NAME}")
    baremetal_default(disk_DRIVER virtio_blk)
    baremetal_check_choice("${where}: FILE_SYSTEM" "${disk_FILE_SYSTEM}" BAREMETAL_FILE_SYSTEMS)
    baremetal_check_choice("${where}: DRIVER" "${disk_DRIVER}" BAREMETAL_DISK_DRIVERS)
    baremetal_check_label("${where}" ${disk_FILE_SYSTEM} "${disk_LABEL}")
    baremetal_disk_size(size "${where}" ${disk_FILE_SYSTEM} "${disk_SIZE}")
    baremetal_note_disk("${where}" ${target} ${disk_NAME} "${disk_LABEL}" "${disk_MOUNT}")
    set(tools)
    set(partition)
    if(disk_PARTITIONED)
        set(tools sfdisk:fdisk)
        set(partition --partition)
    endif()
    baremetal_check_format_tools("${where}" "${disk_FILE_SYSTEM}" "${tools}")
    baremetal_collect_files(${target} "${where}" "" "" BAREMETAL_DISK_${disk_NAME} "${disk_FILES}")
    baremetal_make_data_disk(${target} ${disk_NAME} "${disk_DRIVER}" --file-system ${disk_FILE_SYSTEM} ${size} --label "${disk_LABEL}"
        ${partition})
endfunction()

# Gives a variable that is not set its value.
function(baremetal_default variable value)
    if(NOT DEFINED ${variable})
        set(${variable} "${value}" PARENT_SCOPE)
    endif()
endfunction()

# Ends the configuration unless the word is among those of the global property `list`.
function(baremetal_check_choice what word list)
    get_property(known GLOBAL PROPERTY ${list})
    if(NOT word IN_LIST known)
        baremetal_known_words(rest "${word}" ${known})
        message(FATAL_ERROR "${what} is '${word}'${rest}")
    endif()
endfunction()

# It becomes a word of the command line, and stands in fields of a fixed size.
function(baremetal_check_label where file_system label)
    set(most 16)
    if(file_system STREQUAL "erofs")
        set(most 15) # and a NUL
    endif()
    string(LENGTH "${label}" length)
    if(length GREATER most OR NOT label MATCHES "^[A-Za-z0-9._-]+$")
        message(FATAL_ERROR "${where}: LABEL is '${label}'; it must be 1 to ${most} letters, digits, '.', '_' and '-'.")
    endif()
endfunction()

# The words for make-disk that say how large the file system is.
function(baremetal_disk_size result where file_system size)
    set(${result} "" PARENT_SCOPE)
    if(file_system STREQUAL "erofs")
        if(NOT size STREQUAL "")
            message(FATAL_ERROR "${where}: SIZE is for ext4; erofs takes what its files need.")
        endif()
        return()
    endif()
    set(mib 0)
    if(size MATCHES "^([1-9][0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?)([MG])$")
        set(mib ${CMAKE_MATCH_1})
        if(CMAKE_MATCH_2 STREQUAL "G")
            math(EXPR mib "${mib} * 1024")
        endif()
    endif()
    if(mib LESS 8 OR mib GREATER 1048576)
        message(FATAL_ERROR "${where}: SIZE is '${size}'; it must be a size from 8M to 1024G, such as 64M.")
    endif()
    set(${result} --size ${mib} PARENT_SCOPE)
endfunction()

# Checks what the disk has to do with its image and with other disks of it, and notes it there.
function(baremetal_note_disk where target name label mount)
    if(NOT TARGET ${target})
        message(FATAL_ERROR "${where}: there is no such target; call add_executable(${target} …) and baremetal_add_image(${target}) first.")
    endif()
    get_target_property(folder ${target} BAREMETAL_FOLDER)
    if(NOT folder)
        message(FATAL_ERROR "${where}: call baremetal_add_image(${target}) first.")
    endif()
    if(NOT folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
        message(FATAL_ERROR "${where}: the image is one of ${folder}; call it there.")
    endif()
    foreach(what name label)
        get_target_property(noted ${target} BAREMETAL_DISK_${what}s)
        if(${what} IN_LIST noted)
            string(TOUPPER ${what} word)
            message(FATAL_ERROR "${where}: two disks have the ${word} '${${what}}'.")
        endif()
        set_property(TARGET ${target} APPEND PROPERTY BAREMETAL_DISK_${what}s "${${what}}")
    endforeach()
    if(NOT mount STREQUAL "")
        if(NOT mount MATCHES "^(/[A-Za-z0-9._-]+)+$")
            message(FATAL_ERROR "${where}: MOUNT is '${mount}'; it must be a path such as /data, of letters, digits, '.', '_' and '-'.")
        endif()
        set_property(TARGET ${target} APPEND PROPERTY BAREMETAL_MOUNTS "mount=${mount}=LABEL=${label}")
    endif()
endfunction()

# The rule, and what attaches the disk. Its identity follows from the names of image and disk.
function(baremetal_make_data_disk target name driver)
    baremetal_image_path(${target} path)
    set(output "${path}-${name}.img")
    set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}-${name}.files.txt")
    set(property BAREMETAL_DISK_${name})
    file(GENERATE OUTPUT "${list}" CONTENT "$<JOIN:$<TARGET_PROPERTY:${target},${property}>,\n>\n")
    string(UUID identity NAMESPACE 6ba7b810-9dad-11d1-80b4-00c04fd430c8 NAME "${target}/${name}" TYPE SHA1)
    baremetal_add_disk(${target} data "${output}" WORDS ${ARGN} --uuid ${identity} --list "${list}"
        FILES "${list}" "$<TARGET_PROPERTY:${target},${property}_FILES>")
    add_custom_target(disk-${target}-${name} ALL DEPENDS "${output}")
    foreach(user run debug)
        add_dependencies(${user}-${target} disk-${target}-${name})
    endforeach()
    set_property(TARGET ${target} APPEND PROPERTY BAREMETAL_RUN_WORDS --disk "${driver}:${output}")
    set_property(TARGET ${target} APPEND PROPERTY BAREMETAL_IMAGES "${output}")
    string(REGEX REPLACE "\\.img$" ".run.img" written "${output}")
    set_property(TARGET ${target} APPEND PROPERTY ADDITIONAL_CLEAN_FILES "${written}")
endfunction()
