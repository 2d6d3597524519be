# Where the pieces stand in the source and build tree; the package has its own values for the same names.
# SPDX-License-Identifier: MIT

# Each list keeps only the folders that exist; both kinds hold headers that complete or mend the C library's own.
function(baremetal_existing result)
    set(found)
    foreach(folder IN LISTS ARGN)
        if(IS_DIRECTORY "${folder}")
            list(APPEND found "${folder}")
        endif()
    endforeach()
    set(${result} "${found}" PARENT_SCOPE)
endfunction()

set(baremetal_include "${baremetal_SOURCE_DIR}/libbaremetal/include")
set(baremetal_libc_root "${CMAKE_BINARY_DIR}/baremetal-libc") # where the toolchain file looks, too
set(baremetal_link_script "${baremetal_SOURCE_DIR}/boot/image.ld")
baremetal_existing(baremetal_libc_include "${baremetal_SOURCE_DIR}/libbaremetal/libc/include")
baremetal_existing(baremetal_net_include "${baremetal_SOURCE_DIR}/net/include" "${baremetal_SOURCE_DIR}/net/port"
    "${baremetal_BINARY_DIR}/lwip/src/include")
