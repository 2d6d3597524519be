# Checks of the tree and of what was built: each is a script of ci/check.
# SPDX-License-Identifier: MIT
foreach(check IN ITEMS layers words format documents deploy patches counters cplusplus linux_calls)
    add_host_test(NAME check.${check} COMMAND ${python3} -B ${top}/ci/check/${check}.py)
endforeach()
add_host_test(NAME check.layer_symbols COMMAND ${python3} -B ${top}/ci/check/layer_symbols.py ${BAREMETAL_BUILD})
add_host_test(NAME check.layer_symbols.checked
    COMMAND ${python3} -B ${top}/ci/check/layer_symbols.py ${CMAKE_BINARY_DIR}/guest-newlib-checked/baremetal NEEDS guest-newlib-checked)
foreach(check IN ITEMS layer_symbols order programs)
    add_host_test(NAME check.${check}.itself COMMAND ${python3} -B ${top}/ci/check/test_${check}.py)
endforeach()
add_host_test(NAME check.symbols COMMAND ${python3} -B ${top}/ci/check/symbols.py ${prefix} NEEDS package)

# Budgets of the stripped images: KiB, and bytes more.
function(add_size_check example library kibibytes)
    add_host_test(
        NAME check.size.${example}.${library}
        COMMAND ${python3} -B ${top}/ci/check/sizes.py ${CMAKE_BINARY_DIR}/${example}-${library}/${example} ${kibibytes} ${ARGN}
        NEEDS ${example}-${library})
endfunction()
add_size_check(hello picolibc 33)
add_size_check(hello musl 56)
add_size_check(http_server picolibc 172 536) # 600 above what it had before its heap was one without long searches
add_host_test(
    NAME check.size.http_server.drivers
    COMMAND ${python3} -B ${top}/ci/check/sizes.py ${CMAKE_BINARY_DIR}/disks-http_server/http_server 320
    NEEDS disks-http_server)
# A program with one driver carries no other.
package_arguments(${prefix} picolibc arguments)
add_build_fixture(one_driver ${CMAKE_CURRENT_SOURCE_DIR}/consumer/one_driver NEEDS package ARGUMENTS ${arguments})
add_host_test(NAME check.one_driver COMMAND ${python3} -B ${top}/ci/check/one_driver.py ${CMAKE_BINARY_DIR}/one_driver NEEDS one_driver)
add_host_test(
    NAME check.order
    COMMAND ${python3} -B ${top}/ci/check/order.py ${CMAKE_BINARY_DIR}/http_server-picolibc/http_server.debug
    NEEDS http_server-picolibc)

add_host_test(NAME demo COMMAND ${python3} -B ${top}/ci/check/demo.py ALONE)
add_host_test(NAME check.rebuild COMMAND ${python3} -B ${top}/ci/check/rebuild.py ${BAREMETAL_BUILD} ALONE)

# The public interface is documented; the checks find what they look for, and so do the tools.
add_host_test(NAME check.reference COMMAND ${python3} -B ${top}/ci/check/reference.py)
add_host_test(NAME check.tools COMMAND ${python3} -B -m unittest discover -s ${top}/toolchain/tools)
add_host_test(NAME check.checks COMMAND ${python3} -B ${top}/ci/check/test_checks.py)

# Programs of others, built by their own build systems, whose tests run in the machine: the quick ones of ci/programs.
foreach(program IN ITEMS zlib lua)
    add_host_test(
        NAME program.${program}
        COMMAND ${top}/ci/programs --prefix ${prefix} --work ${CMAKE_BINARY_DIR}/programs ${program}
        NEEDS package
        CORES 2)
endforeach()
