"""The machine that the figures are of."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import psutil

from .timing import quantile

SYNCS = 200
SYNC_BYTES = 4096


def describe(root: Path) -> dict[str, str]:
    """What to know of this machine before believing a figure; ``root`` is where files go."""
    import ray

    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "cores": f"{os.cpu_count()} ({_cpu_model()})",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "Python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "Ray": ray.__version__,
        "kernel": f"{platform.system()} {platform.release()}",
        "root": f"{root} on {_file_system(root)}, fdatasync of 4 KiB {sync_us(root):.0f} us",
        "load": f"{load} in the last 1, 5 and 15 minutes, before the first row",
        "niceness": "Ray's workers run at 0 here; Ray's own default is 15",
    }


def sync_us(root: Path) -> float:
    """Median time of appending 4 KiB to a file and making it durable."""
    with tempfile.NamedTemporaryFile(dir=root) as file:
        descriptor = file.fileno()
        times = []
        for _ in range(SYNCS):
            began_s = time.perf_counter()
            os.write(descriptor, bytes(SYNC_BYTES))
            getattr(os, "fdatasync", os.fsync)(descriptor)
            times.append(time.perf_counter() - began_s)
    return quantile(times, 0.5) * 1e6


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _file_system(root: Path) -> str:
    path = root.resolve()
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda one: -len(one.mountpoint))
    for mount in mounts:
        if path.is_relative_to(mount.mountpoint):
            return str(mount.fstype)
    return "an unknown file system"
