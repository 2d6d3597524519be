# Tests that run on the host alone: unit tests, fuzzers, the outside project.
# SPDX-License-Identifier: MIT
set(unit_compilers gcc clang)
foreach(compiler IN LISTS unit_compilers)
    add_build_fixture(unit-${compiler} ${CMAKE_CURRENT_SOURCE_DIR}/unit ARGUMENTS -DCMAKE_C_COMPILER=${compiler})
    file(GLOB unit_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/*.c)
    foreach(source IN LISTS unit_sources)
        cmake_path(GET source STEM name)
        add_host_test(NAME unit.${name}.${compiler} COMMAND ${CMAKE_BINARY_DIR}/unit-${compiler}/${name}
                      NEEDS unit-${compiler})
    endforeach()
endforeach()

add_build_fixture(fuzz ${CMAKE_CURRENT_SOURCE_DIR}/fuzz ARGUMENTS -DCMAKE_C_COMPILER=clang)
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*.c)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    file(STRINGS ${source} seconds REGEX "^// @seconds ")
    string(REGEX MATCH "[0-9]+" seconds "${seconds} 10") # if it names none
    add_host_test(NAME fuzz.${name}
                  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run ${CMAKE_BINARY_DIR}/fuzz/${name} ${seconds} 1 NEEDS fuzz)
endforeach()

add_host_test(NAME model.idle COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/model/check)

include(consumer/consumer.cmake)
