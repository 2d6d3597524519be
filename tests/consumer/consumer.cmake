# Tests of the library as an outside project sees it: three ways of inclusion, two C libraries, and what is refused.
# SPDX-License-Identifier: MIT
set(consumer_cases refused_arguments refused_options refused_builds refused_tools downloads failed_build checks image_tools variants white_space reproducible formats)
foreach(how find_package add_subdirectory FetchContent)
    foreach(library IN LISTS libraries)
        list(APPEND consumer_cases ${how}-${library})
    endforeach()
endforeach()
foreach(case IN LISTS consumer_cases)
    add_host_test(
        NAME consumer.${case}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/run ${top} ${prefix} ${CMAKE_BINARY_DIR}/consumer ${case}
        NEEDS package)
endforeach()
