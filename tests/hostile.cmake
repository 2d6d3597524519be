# Hostile and odd frames to the web server, or to the example that a line `# @image NAME` names: one test a file of cases.
# SPDX-License-Identifier: MIT
file(GLOB hostile_scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/hostile/*.py)
foreach(script IN LISTS hostile_scripts)
    cmake_path(GET script STEM name)
    file(STRINGS ${script} image REGEX "^# @image " LIMIT_COUNT 1)
    string(REGEX REPLACE "^# @image +" "" image "${image}")
    if(NOT image)
        set(image http_server)
    endif()
    add_host_test(
        NAME hostile.${name}
        COMMAND ${python3} -B ${script} ${CMAKE_BINARY_DIR}/${image}-picolibc/${image}
        NEEDS ${image}-picolibc)
    if(name MATCHES "^tcp_(acceptable|close|open)$") # the engine in place of lwIP's TCP (guest/images.cmake)
        add_host_test(NAME hostile.${name}.own COMMAND ${python3} -B ${script} ${CMAKE_BINARY_DIR}/own_tcp/${image}/${image} NEEDS own_tcp)
    endif()
endforeach()
add_host_test(
    NAME hostile.load
    COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/hostile/load/load.py
            ${CMAKE_BINARY_DIR}/http_server-picolibc/http_server --quick
    NEEDS http_server-picolibc)
