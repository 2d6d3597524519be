# cJSON: CMake, which knows nothing of libbaremetal. CTest would run its tests without baremetal-run: their command is a path.
# SPDX-License-Identifier: MIT
image=build/cJSON_test expects=22

recipe_build() {
    mkdir files
    cp -r tests/inputs tests/json-patch-tests files/
    baremetal-cc --print-cmake-toolchain-file >baremetal.cmake
    cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE="$PWD/baremetal.cmake" -DENABLE_CJSON_UTILS=ON -DENABLE_CUSTOM_COMPILER_FLAGS=OFF
    BAREMETAL_FILES=$PWD/files cmake --build build -j "$jobs"
}

recipe_test() {
    local test
    passes cJSON_test boot build/cJSON_test
    for test in build/tests/*.debug; do
        test=${test%.debug}
        passes "$(basename "$test")" boot "$test"
    done
}
