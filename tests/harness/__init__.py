# What tests, measurements and checks share: a machine with its console, its networks, frames and clients.
# SPDX-License-Identifier: MIT
"""Folders whose scripts import it have a link to it."""

from .guest import (FAILED, FAULTED, PASSED, PATIENCE, QEMU, Guest, Questions, TestFailure, end_with_parent, judge, status_name)

__all__ = ["FAILED", "FAULTED", "PASSED", "PATIENCE", "QEMU", "Guest", "Questions", "TestFailure", "end_with_parent", "judge", "status_name"]
