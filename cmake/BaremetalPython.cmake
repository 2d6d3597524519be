# The Python that runs the tools.
# SPDX-License-Identifier: MIT

# Finds the interpreter of the tools: the program itself, since what is found first may be a script that looks for it.
function(baremetal_find_python)
    if(EXISTS "${baremetal_python}")
        return()
    endif()
    find_program(found python3 NO_CACHE)
    if(NOT found)
        message(FATAL_ERROR "baremetal: python3 is missing; it links the images (package python3).")
    endif()
    execute_process(COMMAND "${found}" -c "import sys; print('%d.%d;%s' % (*sys.version_info[:2], sys.executable))"
        OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "baremetal: ${found} does not run; it links the images.")
    endif()
    list(POP_FRONT said version)
    if(version VERSION_LESS 3.9)
        message(FATAL_ERROR "baremetal: ${found} is version ${version}; Python 3.9 or newer is needed.")
    endif()
    set(baremetal_python "${said}" CACHE INTERNAL "Python that runs the tools")
endfunction()
