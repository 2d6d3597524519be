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

# As baremetal::kernel has them: the kernel and its POSIX layer before the C library, some of whose names they replace.
set(baremetal_first "${baremetal_package}/lib/libbaremetal.a" "${baremetal_package}/lib/libbaremetal-posix-${baremetal_libc}.a")
file(GLOB baremetal_archives "${baremetal_package}/lib/libbaremetal*.a")
list(FILTER baremetal_archives EXCLUDE REGEX "/libbaremetal-(driver|heap|malloc|mimalloc|frame-cache|posix)[^/]*$")
list(REMOVE_ITEM baremetal_archives ${baremetal_first})
foreach(baremetal_other IN LISTS BAREMETAL_LIBCS)
    if(NOT baremetal_other STREQUAL baremetal_libc)
        list(FILTER baremetal_archives EXCLUDE REGEX "-${baremetal_other}\\.a$")
    endif()
endforeach()
set(baremetal_words "-L${baremetal_package}/${baremetal_libc}/lib" "-Wl,-T,${baremetal_package}/image.ld" -Wl,--start-group
    ${baremetal_archives} ${baremetal_first} -lc -lm -lgcc -Wl,--end-group)
list(TRANSFORM baremetal_words REPLACE "(.+)" "\"\\1\"")
list(JOIN baremetal_words " " baremetal_words)
list(JOIN BAREMETAL_LINK_FLAGS " " baremetal_flags)
foreach(baremetal_language C CXX)
    string(CONCAT CMAKE_${baremetal_language}_LINK_EXECUTABLE
        "\"${baremetal_python}\" -E -S -B \"${CMAKE_CURRENT_LIST_DIR}/link-image\" -- <CMAKE_${baremetal_language}_COMPILER> <FLAGS> "
        "${baremetal_flags} <CMAKE_${baremetal_language}_LINK_FLAGS> <LINK_FLAGS> <OBJECTS> -o <TARGET> "
        "\"-L${baremetal_package}/${baremetal_libc}/lib\" <LINK_LIBRARIES> ${baremetal_words}")
endforeach()
