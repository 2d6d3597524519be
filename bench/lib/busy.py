# Who was busy while a load ran: the guest's virtual CPU, QEMU's devices, the client.
# SPDX-License-Identifier: MIT
import resource
import statistics
import time

WHO = ["guest's CPU", "devices", "client"]


def used(machine):
    """Seconds: of the clock, then of a host's processor by each."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.monotonic(), *machine.processor_times(), children.ru_utime + children.ru_stime)


def during(machine, load, units=None):
    """Runs a load; adds to its figures the microseconds of a processor that each took for one of `units`, or without units the part
    of the time for which each was busy."""
    before = used(machine)
    run = load()
    took, *seconds = (after - at_first for at_first, after in zip(before, used(machine)))
    scale = 1e6 / units if units else 1 / took
    return {**run, **{name: scale * one for name, one in zip(WHO, seconds)}}


def cell(runs, factor=1):
    """The medians, for people."""
    medians = [factor * statistics.median(run[name] for run in runs) for name in WHO]
    return ", ".join(f"{median:,.0f}" if median >= 10 else f"{median:.1f}" for median in medians)
