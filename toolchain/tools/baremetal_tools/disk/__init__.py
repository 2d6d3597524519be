# The parts of make-disk.
# SPDX-License-Identifier: MIT
