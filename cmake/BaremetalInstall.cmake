# cmake --install: one package with all C libraries, found by find_package(baremetal CONFIG).
# SPDX-License-Identifier: MIT
#
# Everything stands below <prefix>/lib/baremetal and <prefix>/lib/cmake/baremetal: a prefix such as /usr/local keeps its own headers
# apart from ours, which are for images only.

include(CMakePackageConfigHelpers)

set(package lib/cmake/baremetal)
set(root lib/baremetal)
get_property(archives GLOBAL PROPERTY BAREMETAL_ARCHIVES)
install(TARGETS ${archives} EXPORT baremetal-archives ARCHIVE DESTINATION ${root}/lib)
install(EXPORT baremetal-archives NAMESPACE baremetal:: DESTINATION ${package})
install(DIRECTORY "${baremetal_include}/" DESTINATION ${root}/include FILES_MATCHING PATTERN "*.h")
foreach(folder IN LISTS baremetal_libc_include)
    install(DIRECTORY "${folder}/" DESTINATION ${root}/libc-include FILES_MATCHING PATTERN "*.h")
endforeach()
foreach(folder IN LISTS baremetal_net_include)
    install(DIRECTORY "${folder}/" DESTINATION ${root}/net-include FILES_MATCHING PATTERN "*.h")
endforeach()
foreach(libc IN LISTS baremetal_libcs)
    install(DIRECTORY "${baremetal_libc_root}/${libc}" DESTINATION ${root} PATTERN ".key" EXCLUDE)
endforeach()
install(FILES "${baremetal_link_script}" DESTINATION ${root})
install(FILES "${baremetal_BINARY_DIR}/lib/bios.bin" DESTINATION ${root})
install(PROGRAMS "$<TARGET_FILE:baremetal_uefi_boot>" DESTINATION ${root}/uefi)
install(FILES "${baremetal_BINARY_DIR}/boot/uefi/enroll.efi" DESTINATION ${root}/uefi)
install(FILES "${baremetal_SOURCE_DIR}/LICENSE" DESTINATION ${root})

# The texts that NOTICE asks to ship with an image.
function(baremetal_install_licence name file)
    install(FILES "${file}" DESTINATION lib/baremetal/licenses RENAME ${name}.txt)
endfunction()
install(FILES "${baremetal_SOURCE_DIR}/NOTICE" DESTINATION ${root}/licenses)
baremetal_install_licence(libbaremetal "${baremetal_SOURCE_DIR}/LICENSE")
baremetal_install_licence(picolibc "${baremetal_libc_root}/picolibc/COPYING.picolibc")
baremetal_install_licence(picolibc-newlib "${baremetal_libc_root}/picolibc/COPYING.NEWLIB")
baremetal_install_licence(newlib "${baremetal_libc_root}/newlib/COPYING.NEWLIB")
if("musl" IN_LIST baremetal_libcs)
    baremetal_install_licence(musl "${baremetal_libc_root}/musl/COPYRIGHT")
endif()
baremetal_install_licence(lwip "${baremetal_BINARY_DIR}/lwip/COPYING")
baremetal_install_licence(mimalloc "${baremetal_BINARY_DIR}/mimalloc/LICENSE")

foreach(file toolchain.cmake BaremetalChecks.cmake BaremetalFlags.cmake BaremetalPython.cmake BaremetalOptions.cmake BaremetalTargets.cmake BaremetalImage.cmake
        BaremetalFormats.cmake BaremetalEfi.cmake BaremetalDriver.cmake embed-files.cmake)
    install(FILES "${baremetal_SOURCE_DIR}/cmake/${file}" DESTINATION ${package})
endforeach()
set(tools "${baremetal_SOURCE_DIR}/toolchain/tools")
foreach(program link-image make-efi make-disk run-image choose-accel size-image baremetal-run baremetal-symbolize baremetal-make-key)
    install(PROGRAMS "${tools}/${program}" DESTINATION ${package})
endforeach()
install(DIRECTORY "${tools}/baremetal_tools" DESTINATION ${package} FILES_MATCHING PATTERN "*.py" PATTERN "__pycache__" EXCLUDE)
foreach(program baremetal-run baremetal-symbolize baremetal-make-key) # in bin/ as links, behind which they find their modules
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/bin")
    file(CREATE_LINK ../${package}/${program} "${CMAKE_CURRENT_BINARY_DIR}/bin/${program}" SYMBOLIC)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/bin/${program}" DESTINATION bin)
endforeach()

configure_package_config_file("${baremetal_SOURCE_DIR}/cmake/baremetal-config.cmake.in"
    "${CMAKE_CURRENT_BINARY_DIR}/baremetal-config.cmake" INSTALL_DESTINATION ${package} PATH_VARS root)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/baremetal-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/baremetal-config.cmake" "${CMAKE_CURRENT_BINARY_DIR}/baremetal-config-version.cmake"
    DESTINATION ${package})
