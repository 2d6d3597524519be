# lwIP for the fuzzers: the pinned sources with this project's configuration, instrumented as the fuzzers are.
# SPDX-License-Identifier: MIT
#
# A fuzzer whose comments name `// @libraries lwip` is linked with it and compiled with its headers.
set(lwip_folder ${CMAKE_BINARY_DIR}/lwip)
execute_process(
    COMMAND ${top}/toolchain/build lwip --cc ${CMAKE_C_COMPILER} --out ${lwip_folder}
    RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "lwIP could not be made ready; the reason stands above.")
endif()
file(GLOB lwip_patches CONFIGURE_DEPENDS ${top}/toolchain/lwip/*.patch)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lwip_patches}
    ${top}/toolchain/pins ${top}/toolchain/build ${top}/toolchain/lwip.sh)

file(GLOB lwip_sources ${lwip_folder}/src/core/*.c ${lwip_folder}/src/core/ipv4/*.c ${lwip_folder}/src/core/ipv6/*.c
    ${lwip_folder}/src/netif/ethernet.c)
add_library(lwip STATIC EXCLUDE_FROM_ALL ${lwip_sources})
target_include_directories(lwip PUBLIC ${top}/net/include ${top}/net/port ${lwip_folder}/src/include ${top}/libbaremetal/include)
target_compile_definitions(lwip PUBLIC BM_INSIDE=1)
target_compile_options(lwip PRIVATE -std=gnu11 -g -O1 -fno-omit-frame-pointer -w
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all "SHELL:-include \"${top}/net/port/arch/bm_calls.h\"")
