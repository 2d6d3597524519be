# Guest tests: one ctest test a program and variant (all, or those of its line @variants); each boots its image on several machines and CPU models.
# SPDX-License-Identifier: MIT
file(GLOB strays CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/guest/*.c)
if(strays)
    message(FATAL_ERROR "A guest test belongs into a folder of tests/guest (see its README.md): ${strays}")
endif()
file(GLOB guest_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/guest/*/*.c)
foreach(source IN LISTS guest_sources)
    cmake_path(GET source STEM name)
    cmake_path(GET source PARENT_PATH folder)
    file(STRINGS ${source} script REGEX "^// @script ")
    string(REGEX REPLACE "^// @script +" "" script "${script}")
    if(script)
        set(script ${folder}/${script})
    else()
        set(script ${CMAKE_CURRENT_SOURCE_DIR}/guest/run.py)
    endif()
    file(STRINGS ${source} those REGEX "^// @variants ")
    string(REGEX REPLACE "^// @variants +" "" those "${those}")
    separate_arguments(those)
    if(NOT those)
        set(those ${variants})
    endif()
    foreach(library IN LISTS those)
        add_host_test(
            NAME guest.${name}.${library}
            COMMAND ${python3} -B ${script} ${source} ${CMAKE_BINARY_DIR}/guest-${library}/${name}
            NEEDS guest-${library})
    endforeach()
endforeach()

# The rules of the headers, each broken in a boot of its own.
add_host_test(
    NAME guest.misuse.newlib-checked
    COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/faults/misuse.py ${CMAKE_CURRENT_SOURCE_DIR}/guest/faults/misuse
            ${CMAKE_BINARY_DIR}/guest-newlib-checked/misuse
    NEEDS guest-newlib-checked)

# Tests of whole images: a script (folder/name), the example that it needs.
function(add_image_test script example)
    cmake_path(GET script FILENAME name)
    cmake_parse_arguments(arg "ALONE" "" "LIBRARIES;ARGUMENTS" ${ARGN})
    if(NOT arg_LIBRARIES)
        set(arg_LIBRARIES ${libraries})
    endif()
    if(arg_ALONE)
        set(alone ALONE)
    endif()
    foreach(library IN LISTS arg_LIBRARIES)
        add_host_test(
            NAME image.${name}.${library}
            COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/${script}.py
                    ${CMAKE_BINARY_DIR}/${example}-${library}/${example} ${arg_ARGUMENTS}
            NEEDS ${example}-${library}
            ${alone})
    endforeach()
endfunction()

include(guest/images.cmake)
