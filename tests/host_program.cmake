# Compiles a test and the repository's sources that it names for the host, with sanitizers.
# SPDX-License-Identifier: MIT

# Reads the words of `// @key words` lines.
function(read_words source key result)
    file(STRINGS ${source} lines REGEX "^// @${key} ")
    list(TRANSFORM lines REPLACE "^// @${key} +" "")
    list(JOIN lines " " joined)
    separate_arguments(joined)
    set(${result} ${joined} PARENT_SCOPE)
endfunction()

# Expects the variable `top`: the repository. `sanitizers` are those of a source that names none.
function(add_host_program name source sanitizers)
    read_words(${source} sanitize own_sanitizers)
    if(own_sanitizers)
        list(JOIN own_sanitizers "," sanitizers)
    endif()
    read_words(${source} sources others)
    read_words(${source} includes includes)
    read_words(${source} defines defines)
    list(TRANSFORM others PREPEND ${top}/)
    list(TRANSFORM includes PREPEND ${top}/)
    foreach(other IN LISTS others)
        if(NOT EXISTS ${other})
            message(FATAL_ERROR "${source} names ${other} in its @sources, and there is no such file.")
        endif()
    endforeach()
    # Locks are anybody's; host programs have threads.
    add_executable(${name} ${source} ${others} ${top}/libbaremetal/base/lock.c ${top}/tests/host_lock.c)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${top}/libbaremetal/include ${includes})
    target_compile_definitions(${name} PRIVATE BM_HOST_TEST=1 BM_INSIDE=1 ${defines})
    target_compile_options(
        ${name} PRIVATE -std=gnu11 -g -O1 -fno-omit-frame-pointer -fsanitize=${sanitizers}
        -fno-sanitize-recover=all -Wall -Wextra -Wshadow -Wvla -Werror)
    if(sanitizers STREQUAL "thread")
        # gcc says with this warning that ThreadSanitizer knows no fences. The queue has fences where cores must agree
        # on an order; what hands data over are acquire and release operations, which it knows.
        target_compile_options(${name} PRIVATE $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
    endif()
    target_link_options(${name} PRIVATE -fsanitize=${sanitizers})
endfunction()
