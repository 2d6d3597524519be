# Expat: CMake, which knows nothing of libbaremetal. Its tests as C, and once more compiled as C++.
# SPDX-License-Identifier: MIT
image=build/tests/runtests expects=692

recipe_build() {
    baremetal-cc --print-cmake-toolchain-file >baremetal.cmake
    cmake -S expat -B build -DCMAKE_TOOLCHAIN_FILE="$PWD/baremetal.cmake" -DEXPAT_BUILD_DOCS=OFF
    cmake --build build -j "$jobs"
}

recipe_test() {
    local program
    for program in runtests runtestspp; do
        passes "$program" boot build/tests/$program
        # 100%: Checks: 345, Failed: 0
        count "$(sed -nE 's/.*Checks: ([0-9]+), Failed: 0$/\1/p' output)" "$(sed -nE 's/.*Checks: ([0-9]+), Failed.*/\1/p' output)"
    done
}
