# The tools that make and read images.
# SPDX-License-Identifier: MIT
