# What a test needs of the package that an image was built with.
# SPDX-License-Identifier: MIT
import pathlib
import re


def tool_of_package(image):
    """make-disk and the BIOS loader of the package that an image was built with."""
    cache = next(path / "CMakeCache.txt" for path in pathlib.Path(image).resolve().parents if (path / "CMakeCache.txt").exists())
    prefix = pathlib.Path(re.search(r"^CMAKE_PREFIX_PATH:\w+=(.*)$", cache.read_text(encoding="utf-8"), re.MULTILINE).group(1))
    return prefix / "lib/cmake/baremetal/make-disk", prefix / "lib/baremetal/bios.bin"
