# baremetal_add_driver(<name> SOURCES <file>… [REQUIRES <driver>…]): one driver, one target baremetal::<name>.
# SPDX-License-Identifier: MIT
#
# The name is the word that the file, the log and `struct bm_driver` use. Linking baremetal::<name> pulls the driver in
# (the registry symbol bm_driver_<name>) together with the drivers that it requires, its bus for instance. Works for
# the library's own drivers and for those of an outside project.

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

include_guard(GLOBAL)

# baremetal_add_driver(<name> SOURCES <file>… [REQUIRES <driver>…])
#
# Makes the target baremetal::<name> of the driver's SOURCES. Linking it links the drivers that it REQUIRES, too. A source says
# BM_DRIVER(<name>).
function(baremetal_add_driver name)
    cmake_parse_arguments(PARSE_ARGV 1 driver "" "" "SOURCES;REQUIRES")
    baremetal_check_words("baremetal_add_driver(${name})" "${driver_UNPARSED_ARGUMENTS}" SOURCES REQUIRES)
    if(NOT driver_SOURCES)
        message(FATAL_ERROR "baremetal_add_driver(${name}): say SOURCES <file>… and, if it needs other drivers, REQUIRES <name>…")
    endif()
    if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
        message(FATAL_ERROR "baremetal_add_driver(${name}): a driver's name is a C word in lower case.")
    endif()
    if(baremetal_own_drivers)
        baremetal_kernel_archive(driver_${name} baremetal-driver-${name} ${driver_SOURCES})
        set(target baremetal_archive_driver_${name})
        set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
        set_property(GLOBAL APPEND PROPERTY BAREMETAL_DRIVERS ${name})
        target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:baremetal_kernel>)
    else()
        add_library(baremetal_driver_${name} STATIC ${driver_SOURCES})
        set(target baremetal_driver_${name})
        target_compile_options(${target} PRIVATE -Os -ffreestanding -mgeneral-regs-only -fno-omit-frame-pointer)
        target_link_libraries(${target} PUBLIC baremetal::kernel)
    endif()
    target_link_options(${target} INTERFACE LINKER:--require-defined=bm_driver_${name})
    foreach(required IN LISTS driver_REQUIRES)
        target_link_libraries(${target} INTERFACE baremetal::${required})
    endforeach()
    add_library(baremetal::${name} ALIAS ${target})
endfunction()
