# Tests of whole images.
# SPDX-License-Identifier: MIT
