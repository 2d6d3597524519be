# Tests of the library as an outside project sees it: three ways of inclusion, two C libraries, and what is refused.
# SPDX-License-Identifier: MIT
set(consumer_cases refused_arguments refused_options refused_builds refused_tools downloads failed_build checks compiler image_tools variants white_space reproducible formats data_disks)
foreach(library IN LISTS libraries)
    list(APPEND consumer_cases find_package-${library})
endforeach()
# These two build the whole tree, and differ only in how it got there: each with one of the libraries.
list(APPEND consumer_cases add_subdirectory-newlib FetchContent-picolibc)
foreach(case IN LISTS consumer_cases)
    add_host_test(
        NAME consumer.${case}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/run ${top} ${prefix} ${CMAKE_BINARY_DIR}/consumer ${case}
        NEEDS package)
endforeach()
