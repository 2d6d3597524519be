# How CMake's checks are linked: like images, with everything that a program may link, of which they take what they call.
# SPDX-License-Identifier: MIT
#
# Part of the toolchain file, which has found baremetal_package, baremetal_libc and baremetal_checking.

include("${CMAKE_CURRENT_LIST_DIR}/BaremetalPython.cmake")
baremetal_find_python()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES baremetal_python)
if(NOT baremetal_checking)
    return()
endif()
if(NOT CMAKE_C_ABI_COMPILED) # what CMake asks the compiler first needs no library, and must not find one that it would add to all links
    set(CMAKE_C_LINK_EXECUTABLE "<CMAKE_C_COMPILER> <FLAGS> -nostdlib -r <OBJECTS> -o <TARGET>")
    set(CMAKE_CXX_LINK_EXECUTABLE "<CMAKE_CXX_COMPILER> <FLAGS> -nostdlib -r <OBJECTS> -o <TARGET>")
    return()
endif()

# What baremetal-cc links by, too (BaremetalInstall.cmake).
foreach(baremetal_use link library)
    file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/flags-${baremetal_libc}.txt" baremetal_words REGEX "^${baremetal_use} ")
    list(TRANSFORM baremetal_words REPLACE "^${baremetal_use} (.*)" "\"\\1\"")
    list(TRANSFORM baremetal_words REPLACE "@/" "${baremetal_package}/")
    list(JOIN baremetal_words " " baremetal_${baremetal_use})
endforeach()
foreach(baremetal_language C CXX)
    string(CONCAT CMAKE_${baremetal_language}_LINK_EXECUTABLE
        "\"${baremetal_python}\" -E -S -B \"${CMAKE_CURRENT_LIST_DIR}/link-image\" -- <CMAKE_${baremetal_language}_COMPILER> <FLAGS> "
        "${baremetal_link} <CMAKE_${baremetal_language}_LINK_FLAGS> <LINK_FLAGS> <OBJECTS> -o <TARGET> "
        "<LINK_LIBRARIES> ${baremetal_library}")
endforeach()
