# What tells Meson and CMake of baremetal-cc and the commands beside it.
# SPDX-License-Identifier: MIT
import os

PATIENCE = "60"  # seconds that a program may run which a build system runs


def commands(kit, quote):
    """Paths of the commands by name, for a string in such quotation marks."""
    found = {name: os.path.join(kit.tools, f"baremetal-{name}") for name in ("cc", "ar", "ranlib", "pkg-config", "run")}
    return {name: path.replace("\\", "\\\\").replace(quote, "\\" + quote) for name, path in found.items()}


def meson_cross_file(kit):
    system, programs = "linux" if kit.libc == "musl" else "none", commands(kit, "'")
    return f"""[binaries]
c = ['{programs["cc"]}', '--libc={kit.libc}']
ar = '{programs["ar"]}'
ranlib = '{programs["ranlib"]}'
strip = 'strip'
pkgconfig = ['{programs["pkg-config"]}', '--libc={kit.libc}']
exe_wrapper = ['{programs["run"]}', '--timeout', '{PATIENCE}']

[properties]
needs_exe_wrapper = true

[built-in options]
default_library = 'static'

[host_machine]
system = '{system}'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
"""


def cmake_toolchain_file(kit):
    """For projects that know nothing of libbaremetal: each of their executables is an image. The compiler for C++ is there for projects that ask
    for one; there is no library for it."""
    system, programs = "Linux" if kit.libc == "musl" else "Generic", commands(kit, '"')
    return f"""set(CMAKE_SYSTEM_NAME {system})
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER "{programs["cc"]}" --libc={kit.libc})
set(CMAKE_CXX_COMPILER "{programs["cc"]}" --libc={kit.libc})
set(CMAKE_AR "{programs["ar"]}" CACHE FILEPATH "")
set(CMAKE_RANLIB "{programs["ranlib"]}" CACHE FILEPATH "")
set(PKG_CONFIG_EXECUTABLE "{programs["pkg-config"]}" CACHE FILEPATH "")
set(PKG_CONFIG_ARGN --libc={kit.libc} CACHE STRING "")
set(CMAKE_CROSSCOMPILING_EMULATOR "{programs["run"]}" --timeout {PATIENCE})
set(BUILD_SHARED_LIBS OFF CACHE BOOL "")
set(CMAKE_FIND_ROOT_PATH "{os.path.join(kit.root, kit.libc)}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
    set(CMAKE_FIND_ROOT_PATH_MODE_${{kind}} ONLY)
endforeach()
"""


FILES = {"--print-meson-cross-file": meson_cross_file, "--print-cmake-toolchain-file": cmake_toolchain_file}
