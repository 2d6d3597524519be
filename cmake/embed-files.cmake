# cmake -DLIST=<file of "path in the image|file" lines> -DOUTPUT=<source.S> -P embed-files.cmake
# SPDX-License-Identifier: MIT
#
# Writes an assembly source that holds the files and the table bm_embedded_files, sorted by path (<baremetal/file.h>).
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${LIST}" lines)
list(SORT lines COMPARE STRING)

function(quote text result)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

set(contents "// The files that baremetal_add_files put into this image.\n")
set(table "")
set(previous "")
set(number 0)
foreach(line IN LISTS lines)
    string(FIND "${line}" "|" bar)
    string(SUBSTRING "${line}" 0 ${bar} path)
    math(EXPR bar "${bar} + 1")
    string(SUBSTRING "${line}" ${bar} -1 file)
    if(NOT EXISTS "${file}")
        message(FATAL_ERROR "baremetal_add_files: ${file} does not exist.")
    endif()
    if("${path}" STREQUAL "${previous}")
        message(FATAL_ERROR "baremetal_add_files: two files have the path ${path} in the image; one of them is ${file}.")
    endif()
    set(previous "${path}")
    file(SHA256 "${file}" hash)
    string(SUBSTRING "${hash}" 0 16 hash)
    quote("${path}" path)
    quote("${file}" file)
    string(APPEND contents
        "        .section .rodata.bm_file_${number}, \"a\"\n        .balign 16\n"
        "data_${number}: .incbin ${file}\nend_${number}: .byte 0\n"
        "path_${number}: .asciz ${path}\nhash_${number}: .asciz \"${hash}\"\n")
    string(APPEND table "        .quad path_${number}, data_${number}, end_${number} - data_${number}, hash_${number}\n")
    math(EXPR number "${number} + 1")
endforeach()

string(APPEND contents
    "        .section .data.rel.ro.bm_embedded_files, \"aw\"\n        .balign 8\n"
    "        .global bm_embedded_files\n        .hidden bm_embedded_files\nbm_embedded_files:\n${table}"
    "        .section .rodata.bm_embedded_file_count, \"a\"\n        .balign 8\n"
    "        .global bm_embedded_file_count\n        .hidden bm_embedded_file_count\n"
    "bm_embedded_file_count: .quad ${number}\n        .section .note.GNU-stack\n")
file(WRITE "${OUTPUT}" "${contents}")
