# Tests of whole example images: folder/script of tests/guest, then the example. The soak measures rates, so nothing else runs beside it.
# SPDX-License-Identifier: MIT
#
# LIBRARIES picolibc: what concerns only the kernel, the loader or the network; README.md has the rule.
add_image_test(http/http_soak http_server LIBRARIES picolibc ALONE)
add_image_test(http/http_clients http_server)
add_image_test(http/http_slow http_server LIBRARIES picolibc)
add_image_test(net/net_dhcp http_server LIBRARIES picolibc)
add_image_test(net/net_ipv6 http_server LIBRARIES picolibc)
add_image_test(net/net_two http_server LIBRARIES picolibc)
add_image_test(net/net_faults echo_server LIBRARIES picolibc ARGUMENTS 7)
add_image_test(net/net_jumbo echo_server LIBRARIES picolibc ARGUMENTS 7)
add_image_test(net/net_cards echo_server LIBRARIES picolibc ARGUMENTS 7)
add_image_test(boot/grub hello LIBRARIES picolibc ARGUMENTS Hello)
add_image_test(boot/linux_boot hello LIBRARIES picolibc ARGUMENTS Hello)
add_image_test(http/microvm http_server LIBRARIES picolibc)
add_image_test(http/http_protocol http_server)
add_image_test(http/http_memory http_server LIBRARIES picolibc)
add_image_test(net/net_isn http_server LIBRARIES picolibc)
add_image_test(net/net_time_wait http_server LIBRARIES picolibc)
add_image_test(net/net_flood http_server LIBRARIES picolibc)
add_image_test(http/http_cores http_server LIBRARIES picolibc)
add_image_test(examples/parallel_sum parallel_sum)
add_image_test(examples/monte_carlo monte_carlo)
add_image_test(examples/mandelbrot mandelbrot)
add_image_test(examples/mandelbrot_screen mandelbrot LIBRARIES picolibc)
add_image_test(examples/matrix matrix)
add_image_test(examples/disk_bench disk_bench LIBRARIES picolibc)
add_image_test(examples/files files LIBRARIES picolibc)
add_image_test(examples/keys keys LIBRARIES picolibc)
add_image_test(examples/paint paint LIBRARIES picolibc)
add_image_test(examples/lspci lspci LIBRARIES picolibc)
add_image_test(examples/net_counters net_counters LIBRARIES picolibc)
add_image_test(boot/x2apic parallel_sum LIBRARIES picolibc)
add_image_test(firmware/uefi hello LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(firmware/secure_boot hello LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(firmware/uefi_network http_server LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(firmware/uefi_time hello LIBRARIES picolibc ARGUMENTS ${prefix} 3 ALONE)
add_host_test(NAME image.microvm_time COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/boot/microvm_time.py
    ${CMAKE_BINARY_DIR}/hello-picolibc/hello ${CMAKE_BINARY_DIR}/http_server-picolibc/http_server
    NEEDS hello-picolibc http_server-picolibc ALONE)

# The engine in place of lwIP's TCP, which no image has unless it is asked for.
add_build_fixture(own_tcp ${CMAKE_CURRENT_SOURCE_DIR}/guest/own_tcp
    ARGUMENTS -DCMAKE_TOOLCHAIN_FILE=${top}/cmake/toolchain.cmake -DBAREMETAL_TCP=own -DBAREMETAL_CHECKS=ON -DTREE=${top})
foreach(test http/http_clients http/http_memory net/net_time_wait net/net_ipv6)
    cmake_path(GET test FILENAME name)
    add_host_test(NAME image.${name}.own COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/${test}.py
        ${CMAKE_BINARY_DIR}/own_tcp/http_server/http_server NEEDS own_tcp)
endforeach()
foreach(name own_options own_raw)
    add_host_test(NAME guest.${name}.own COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/run.py
        ${CMAKE_CURRENT_SOURCE_DIR}/guest/own_tcp/programs/${name}.c ${CMAKE_BINARY_DIR}/own_tcp/${name} NEEDS own_tcp)
endforeach()

# Disks and discs: hello and http_server with every format.
package_arguments(${prefix} picolibc arguments)
foreach(example hello http_server)
    add_build_fixture(disks-${example} ${top}/examples/${example} NEEDS package
        ARGUMENTS ${arguments} -DBAREMETAL_FORMATS=efi,iso,raw,qcow2,vmdk,vhd,gce)
endforeach()
foreach(test boot/boot disks/disk_errors disks/disk_formats disks/disk_bios)
    set(images ${CMAKE_BINARY_DIR}/disks-hello/hello)
    set(needs disks-hello)
    if(test STREQUAL boot/boot)
        list(APPEND images ${CMAKE_BINARY_DIR}/disks-http_server/http_server)
        list(APPEND needs disks-http_server)
    endif()
    cmake_path(GET test FILENAME name)
    add_host_test(NAME image.${name} COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/${test}.py ${images}
        NEEDS ${needs})
endforeach()
add_host_test(NAME image.http_cards COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/http/http_cards.py
    ${CMAKE_BINARY_DIR}/disks-http_server/http_server NEEDS disks-http_server)
add_host_test(NAME image.net_two_cards COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/net/net_two.py
    ${CMAKE_BINARY_DIR}/disks-http_server/http_server e1000e vmxnet3 NEEDS disks-http_server)
# A few seconds of what `ci/soak nics` does for long.
add_host_test(NAME image.nic_soak COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/net/nic_soak.py
    ${CMAKE_BINARY_DIR}/disks-http_server/http_server ${CMAKE_BINARY_DIR}/echo_server-picolibc/echo_server 2 e1000e vmxnet3
    NEEDS disks-http_server echo_server-picolibc)
# The deployment pages' own commands, on an image with every format.
add_host_test(NAME image.deploy COMMAND ${python3} -B ${top}/ci/check/deploy.py --files ${CMAKE_BINARY_DIR}/disks-http_server/http_server
    NEEDS disks-http_server)
add_image_test(executable/linux_program linux_program LIBRARIES picolibc)

# Linux executables as they are, beside the host's Linux. (Go begins with epoll_create1.)
package_arguments(${prefix} picolibc arguments)
add_build_fixture(executable ${CMAKE_CURRENT_SOURCE_DIR}/guest/executable NEEDS package ARGUMENTS ${arguments})
file(STRINGS ${top}/libbaremetal/linux/absent.def no_epoll REGEX "\\(epoll_create1\\)")
foreach(name first first_pie calls refused getppid signals vdso memory jit threads threads_pie first_dynamic threads_dynamic tiny rust go go_signals)
    if(NOT name STREQUAL "go" OR NOT no_epoll)
        add_host_test(NAME image.executable_${name}
            COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/executable/compare.py ${CMAKE_BINARY_DIR}/executable/${name}
            NEEDS executable)
    endif()
endforeach()
add_host_test(NAME image.call_fuzz COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/executable/call_fuzz.py
    ${CMAKE_BINARY_DIR}/executable/call_fuzz NEEDS executable)
add_host_test(NAME image.run_linux COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/executable/run_linux.py ${prefix} ${CMAKE_BINARY_DIR}/executable
    NEEDS executable)
