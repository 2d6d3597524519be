# c-ares: CMake. The library and its tools are built with baremetal-cc. Its suite is C++ with a library that is not here, so the host's compiler makes it, and it
# runs as a Linux program as it is: its name servers and its clients are in the same machine, on 127.0.0.1 and ::1.
# SPDX-License-Identifier: MIT
# Left out: Live (they ask servers of the Internet), Container (they fork into name spaces), and four of DefaultChannelTest, which ask a server that is not there
# and wait 75 s each for its silence, where Linux says at once that nobody listens.
link=net,devfs,procfs image=machine/bin/adig expects=386
left_out="*Live*:*Container*:DefaultChannelTest.GetSock*:DefaultChannelTest.TimeoutValue:DefaultChannelTest.VerifySocketFunctionCallback"

recipe_build() {
    local suite=(-DCARES_STATIC=ON -DCARES_SHARED=OFF)
    baremetal-cc --print-cmake-toolchain-file >baremetal.cmake
    cmake -S . -B machine "${suite[@]}" -DCMAKE_TOOLCHAIN_FILE="$PWD/baremetal.cmake"
    cmake --build machine -j "$jobs" --target adig
    CC=gcc cmake -S . -B suite "${suite[@]}" -DCARES_BUILD_TESTS=ON -DCMAKE_EXE_LINKER_FLAGS=-static -DCMAKE_CXX_FLAGS=-O0
    cmake --build suite -j "$jobs" --target arestest
    baremetal-run-linux --only-image --image arestest suite/bin/arestest
}

recipe_test() {
    passes "adig" boot machine/bin/adig -h
    passes "its suite" boot --memory 256 --cpus 2 arestest "--gtest_filter=-$left_out"
    count "$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests.*/\1/p' output)" "$(sed -n 's/^\[==========\] \([0-9]*\) tests from .* ran.*/\1/p' output)"
}
