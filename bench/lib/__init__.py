# The commands of ci/bench, and what they share.
# SPDX-License-Identifier: MIT
