# Tests of whole example images. The soak measures rates, so nothing else runs beside it.
# SPDX-License-Identifier: MIT
add_image_test(http_soak http_server TIMEOUT 300 ALONE)
add_image_test(http_clients http_server TIMEOUT 300)
add_image_test(net_dhcp http_server TIMEOUT 300)
add_image_test(net_ipv6 http_server TIMEOUT 120)
add_image_test(net_two http_server TIMEOUT 120)
add_image_test(net_faults echo_server TIMEOUT 600 ARGUMENTS 7)
add_image_test(grub hello TIMEOUT 180 ARGUMENTS Hello)
add_image_test(linux_boot hello TIMEOUT 120 ARGUMENTS Hello)
add_image_test(microvm http_server TIMEOUT 240)
add_image_test(http_protocol http_server TIMEOUT 300)
add_image_test(http_memory http_server TIMEOUT 120)
add_image_test(net_isn http_server TIMEOUT 60)
add_image_test(net_time_wait http_server TIMEOUT 60)
add_image_test(net_flood http_server TIMEOUT 60)
add_image_test(http_cores http_server TIMEOUT 180)
add_image_test(parallel_sum parallel_sum TIMEOUT 180)
add_image_test(monte_carlo monte_carlo TIMEOUT 180)
add_image_test(mandelbrot mandelbrot TIMEOUT 180)
add_image_test(mandelbrot_screen mandelbrot TIMEOUT 180)
add_image_test(matrix matrix TIMEOUT 240)
add_image_test(x2apic parallel_sum TIMEOUT 200)
add_image_test(uefi hello TIMEOUT 240 LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(secure_boot hello TIMEOUT 180 LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(uefi_network http_server TIMEOUT 180 LIBRARIES picolibc ARGUMENTS ${prefix})
add_image_test(uefi_time hello TIMEOUT 120 LIBRARIES picolibc ARGUMENTS ${prefix} 3 ALONE)
add_host_test(NAME image.microvm_time COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/microvm_time.py
    ${CMAKE_BINARY_DIR}/hello-picolibc/hello ${CMAKE_BINARY_DIR}/http_server-picolibc/http_server
    NEEDS hello-picolibc http_server-picolibc TIMEOUT 120 ALONE)

# Disks and discs: hello and http_server with every format.
package_arguments(${prefix} picolibc arguments)
foreach(example hello http_server)
    add_build_fixture(disks-${example} ${top}/examples/${example} NEEDS package
        ARGUMENTS ${arguments} -DBAREMETAL_FORMATS=efi,iso,raw,qcow2,vmdk,vhd,gce)
endforeach()
foreach(test boot disk_errors disk_formats disk_bios)
    set(images ${CMAKE_BINARY_DIR}/disks-hello/hello)
    set(needs disks-hello)
    if(test STREQUAL boot)
        list(APPEND images ${CMAKE_BINARY_DIR}/disks-http_server/http_server)
        list(APPEND needs disks-http_server)
    endif()
    add_host_test(NAME image.${test} COMMAND ${python3} -B ${CMAKE_CURRENT_SOURCE_DIR}/guest/${test}.py ${images}
        NEEDS ${needs} TIMEOUT 300)
endforeach()
# The deployment pages' own commands, on an image with every format.
add_host_test(NAME image.deploy COMMAND ${python3} -B ${top}/ci/check/deploy.py --files ${CMAKE_BINARY_DIR}/disks-http_server/http_server
    NEEDS disks-http_server TIMEOUT 300)
