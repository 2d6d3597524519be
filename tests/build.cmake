# Configures and builds a project; prints what the tools said only when they fail.
# SPDX-License-Identifier: MIT
#
# cmake -DSOURCE=folder -DBINARY=folder ["-DARGUMENTS=-DA=b|…"] -P build.cmake
string(REPLACE "|" ";" ARGUMENTS "${ARGUMENTS}")
execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BINARY} -G Ninja ${ARGUMENTS}
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "configuring ${SOURCE} failed:\n${said}")
endif()
execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${BINARY} -j 2 -- -k 0
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "building ${SOURCE} failed:\n${said}")
endif()
