"""How long a cluster takes to be there: the command line, from a shell's point of view."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import timed

COLD_S = 15.0
JOINING_S = 6.0
COMMAND = (sys.executable, "-c", "from raybase.client.cli import main; main()")


def served_cluster(settings: Settings, lab: Lab) -> list[Figure]:
    """``raybase start`` until it returns: then hbase:meta and three servers serve."""
    rounds = settings.some(3, 2)
    alone = [_start(lab, None) for _ in range(rounds)]
    joining = [_start(lab, lab.ray.address) for _ in range(rounds)]
    note = "`raybase start`, interpreter and imports included; 2 masters, 3 region servers"
    return [
        figure("from nothing to a served cluster", "s", COLD_S, alone, note=note),
        figure("a served cluster inside a running Ray", "s", JOINING_S, joining),
    ]


def _start(lab: Lab, address: str | None) -> float:
    with lab.directory() as root:
        join = ("--address", address, "--name", root.name) if address else ()
        try:
            return timed(lambda: _run("start", root, *join))[0]
        finally:
            _run("stop", root)


def _run(command: str, root: Path, *options: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "RAY_ADDRESS"}
    subprocess.run(
        (*COMMAND, command, "--root", str(root), *options),
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
