# cmake -DLIST=<file of "path in the image|file" lines> -DOUTPUT=<source.c> -P embed-files.cmake
# SPDX-License-Identifier: MIT
#
# Writes a C source that holds the files (brought in by assembly) and the table bm_embedded_files, sorted by path
# (<baremetal/file.h>).
cmake_minimum_required(VERSION 3.25)

# The text with backslashes and quotation marks escaped for a string of C or of the assembler.
function(escape text result)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

set(piece [[
__asm__(".pushsection .rodata.bm_file_@number@, \"a\"\n"
        ".balign 16\n"
        "bm_file_@number@: .incbin \"@assembler_file@\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char bm_file_@number@[] __attribute__((visibility("hidden")));

]])

file(STRINGS "${LIST}" lines)
list(SORT lines COMPARE STRING)
set(contents "")
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
    file(SIZE "${file}" size)
    escape("${path}" c_path)
    escape("${file}" assembler_file)
    escape("${assembler_file}" assembler_file) # the assembler's string stands in one of C
    string(CONFIGURE "${piece}" text @ONLY)
    string(APPEND contents "${text}")
    string(APPEND table "    {\"${c_path}\", bm_file_${number}, ${size}, \"${hash}\"},\n")
    math(EXPR number "${number} + 1")
endforeach()
if(number EQUAL 0)
    message(FATAL_ERROR "baremetal_add_files: no file was found to embed.")
endif()

file(WRITE "${OUTPUT}" "// The files that baremetal_add_files put into this image.
#include <baremetal/file.h>

${contents}const struct bm_embedded_file bm_embedded_files[] = {
${table}};
const size_t bm_embedded_file_count = ${number};
")
