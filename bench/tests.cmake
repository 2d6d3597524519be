# What bench/ computes, and the counts that it holds, as tests: bench/README.md says how to change a count.
# SPDX-License-Identifier: MIT
add_host_test(NAME bench.computing COMMAND ${python3} -B ${CMAKE_CURRENT_LIST_DIR}/test.py)
package_arguments(${prefix} picolibc arguments)
add_build_fixture(bench ${CMAKE_CURRENT_LIST_DIR} NEEDS package ARGUMENTS ${arguments})
add_host_test(
    NAME bench.guard
    COMMAND ${python3} -B ${CMAKE_CURRENT_LIST_DIR}/bench.py guard --images ${CMAKE_BINARY_DIR}/bench
            --http-server ${CMAKE_BINARY_DIR}/http_server-picolibc/http_server
            --echo-server ${CMAKE_BINARY_DIR}/echo_server-picolibc/echo_server
    NEEDS bench http_server-picolibc echo_server-picolibc)
add_host_test(NAME bench.wan COMMAND ${python3} -B ${CMAKE_CURRENT_LIST_DIR}/bench.py wan --short --image ${CMAKE_BINARY_DIR}/bench/wan NEEDS bench)
